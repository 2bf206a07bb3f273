"""What a run has done, read from its tables: totals, and the first entries of each list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, case, func, select

from trenova_activities._nightly_contract import MAX_LISTED, PartialFailure, SkippedOrganization
from trenova_activities.database._engine import Database
from trenova_activities.database._nightly_run import NightlyRun
from trenova_activities.database._nightly_tenants import DONE, FAILED, RUNNING, SKIPPED

_ABSENT: Final = "There are no settings of this organization, so nothing says what it wants."


@dataclass(frozen=True)
class Tally:
    """A run in numbers.

    Attributes:
        tenants: Tenants by state.
        rows: Rows changed, or counted in a dry run.
        odd_rows: Rows whose time makes no sense.
        held_rows: Rows that were old enough when their tenant was begun and that a legal hold kept.
        organization: An organization that is being worked on; empty between two.
        found: Rows that were due when their tenants were begun; None where nothing was counted.
        draining: What is left of those, of tenants that are being worked on.
        given_up: What is left of those, of tenants that failed.
        oldest_at: Time of the oldest row that is left, unix seconds.
    """

    tenants: dict[str, int]
    rows: int
    odd_rows: int
    held_rows: int
    organization: str
    found: int | None = None
    draining: int = 0
    given_up: int = 0
    oldest_at: int | None = None

    @property
    def eligible(self) -> int | None:
        """Rows that are due, of the tenants that were begun; None where nothing was counted."""
        return None if self.found is None else self.draining + self.given_up

    @property
    def finished(self) -> int:
        """Tenants that are done, skipped or failed."""
        return sum(count for state, count in self.tenants.items() if state != RUNNING)

    def stage(self, organization_id: str) -> str:
        """Say in a line how far the run is, and whose turn it is."""
        return f"{self.finished:,} organizations, {self.rows:,} rows, now {organization_id}"


@dataclass(frozen=True)
class Summary:
    """A run that has reached its end; every list holds the first 100, in the order of organizations.

    Attributes:
        tally: The numbers of the whole run.
        worked: Rows of ``job_run_tenants`` that were worked through, or changed before they failed.
        worked_in_all: How many there are.
        skipped: Rows of tenants that were left alone.
        failed: Rows of tenants that failed.
        absent: Organizations that were asked for and have no settings row; all of them.
    """

    tally: Tally
    worked: Sequence[Row[Any]]
    worked_in_all: int
    skipped: Sequence[Row[Any]]
    failed: Sequence[Row[Any]]
    absent: Sequence[str]

    @property
    def skipped_in_all(self) -> int:
        """Tenants that were left alone and organizations that are not there."""
        return self.tally.tenants.get(SKIPPED, 0) + len(self.absent)

    @property
    def failed_in_all(self) -> int:
        """Tenants that failed."""
        return self.tally.tenants.get(FAILED, 0)

    @property
    def truncated(self) -> bool:
        """Whether a list is longer than what is listed."""
        return max(self.worked_in_all, self.skipped_in_all, self.failed_in_all) > MAX_LISTED

    @property
    def failure(self) -> str:
        """Say why the run as a whole has failed: it worked on tenants, and none of them came to its end."""
        if not self.failed or self.tally.tenants.get(DONE, 0):
            return ""
        first = self.failed[0]
        many = f"All {self.failed_in_all} organizations" if self.failed_in_all > 1 else "The only organization"
        return f"{many} failed; the first, {first.organization_id!r}, with: {first.error}"

    def skipped_organizations(self) -> list[SkippedOrganization]:
        """Return the first 100 organizations that were left alone, those that are not there last."""
        listed = [SkippedOrganization(organization_id=row.organization_id, reason=row.reason) for row in self.skipped]
        gone = [SkippedOrganization(organization_id=absent, reason=_ABSENT) for absent in self.absent]
        return [*listed, *gone][:MAX_LISTED]

    def partial_failures(self) -> list[PartialFailure]:
        """Return the first 100 tenants that failed."""
        return [
            PartialFailure(organization_id=row.organization_id, business_unit_id=row.business_unit_id, error=row.error)
            for row in self.failed
        ]

    def exceptions(self) -> str:
        """Say how many were skipped and failed, as the end of a sentence; empty if none were."""
        counts = ((self.skipped_in_all, "skipped"), (self.failed_in_all, "failed"))
        return "".join(f", {count:,} {what}" for count, what in counts if count)

    def data(self, run: NightlyRun, *, dry_run: bool) -> dict[str, object]:
        """Return the facts of the run for programs: whole numbers where the lists are cut."""
        return {
            "runId": run.facts.run_id,
            "asOf": run.facts.as_of,
            "dryRun": dry_run,
            "oddRows": self.tally.odd_rows,
            "processedOrgs": self.worked_in_all,
            "skippedOrgs": self.skipped_in_all,
            "partialFailures": self.failed_in_all,
            **({"manifest": run.seal} if run.seal and not dry_run else {}),
        }


async def tally(database: Database, run: NightlyRun) -> Tally:
    """Count what the run has done so far."""
    table = database.jobs.job_run_tenants
    sums = [func.sum(table.c[name]) for name in ("counted", "odd_rows", "held_rows", "due_rows")]
    left = table.c.due_rows > table.c.counted
    oldest = func.coalesce(table.c.cursor_at, table.c.oldest_at)
    query = (
        select(
            table.c.state,
            func.count(),
            *sums,
            func.min(table.c.organization_id),
            func.sum(case((left, table.c.due_rows - table.c.counted), else_=0)),
            func.min(case((left, oldest))),
        )
        .where(*run.mine(table))
        .group_by(table.c.state)
    )
    async with database.read() as connection:
        rows = (await connection.execute(query)).all()
    of = {row[0]: row for row in rows}
    found = [int(row[5]) for row in rows if row[5] is not None]
    return Tally(
        tenants={row[0]: int(row[1]) for row in rows},
        rows=sum(int(row[2]) for row in rows),
        odd_rows=sum(int(row[3]) for row in rows),
        held_rows=sum(int(row[4] or 0) for row in rows),
        organization=of[RUNNING][6] if RUNNING in of else "",
        found=sum(found) if found else None,
        draining=int(of[RUNNING][7]) if RUNNING in of else 0,
        given_up=int(of[FAILED][7]) if FAILED in of else 0,
        oldest_at=min(
            (of[state][8] for state in (RUNNING, FAILED) if state in of and of[state][8] is not None), default=None
        ),
    )


async def summary(database: Database, run: NightlyRun, organization_ids: Sequence[str]) -> Summary:
    """Read what a result needs.

    Args:
        database: The TMS's database.
        run: The run.
        organization_ids: What was asked for; empty for all.
    """
    table = database.jobs.job_run_tenants
    worked = (table.c.state == DONE) | (table.c.counted > 0)
    numbers = await tally(database, run)
    async with database.read() as connection:

        async def first(condition: ColumnElement[bool]) -> Sequence[Row[Any]]:
            order = (table.c.organization_id, table.c.business_unit_id)
            query = select(table).where(*run.mine(table), condition).order_by(*order).limit(MAX_LISTED)
            return (await connection.execute(query)).all()

        known = select(table.c.organization_id).where(*run.mine(table)).distinct()
        count = select(func.count()).select_from(table).where(*run.mine(table), worked)
        found = set((await connection.execute(known)).scalars()) if organization_ids else set()
        return Summary(
            tally=numbers,
            worked=await first(worked),
            worked_in_all=int((await connection.execute(count)).scalar_one()),
            skipped=await first(table.c.state == SKIPPED),
            failed=await first(table.c.state == FAILED),
            absent=sorted(set(organization_ids) - found),
        )
