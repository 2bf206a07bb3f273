"""What a nightly run may change at most: what its plan says, or so many rows that it needs no plan."""

import shlex
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import false, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities._names import CANCEL_SHIPMENTS_JOB, DELETE_AUDIT_ENTRIES_JOB
from trenova_activities.database._engine import Database
from trenova_activities.database._nightly_job import DAY_S, Cutoff, NightlyJob, Skip
from trenova_activities.database._nightly_run import RunRequest
from trenova_activities.database._plan_count import count_up_to, eligible_up_to
from trenova_activities.database._plan_options import PlanOptions
from trenova_activities.database._plan_rows import StoredPlan, find_plan
from trenova_activities.database._tenant import Tenant
from trenova_errors import ConflictError, PermissionDeniedError

_COMMANDS: Final = {CANCEL_SHIPMENTS_JOB: "cancel", DELETE_AUDIT_ENTRIES_JOB: "purge"}
_MOST_SHOWN: Final = 3


class PlanRequiredError(PermissionDeniedError):
    """A run would change more rows than may be changed without a plan; nothing was touched."""

    code = "plan.required"


class PlanRefusedError(PermissionDeniedError):
    """The plan of a run does not let it begin: not approved, too old, altered, or another job's."""

    code = "plan.refused"


class PlanGate:
    """The limits of one run.

    Args:
        database: The TMS's database.
        job: The rule.
        request: What is asked, and the run that asks; a ``plan_hash`` in its payload is always obeyed.
        options: When a plan is needed, and what makes it valid.
    """

    def __init__(self, database: Database, job: NightlyJob, request: RunRequest, options: PlanOptions) -> None:
        self._database = database
        self._job = job
        self._run_id = request.run_id
        self._payload = request.payload
        self._options = options
        self._earlier: Sequence[str] | None = None
        self._known: dict[Tenant, tuple[int | None, int] | None] = {}

    async def admit(self) -> None:
        """Decide whether a run may begin; a dry run may always, if its plan is there.

        Raises:
            PlanRequiredError: It would change more rows than it may without a plan.
            PlanRefusedError: Its plan is not approved, too old, altered, or another job's.
            ResourceNotFoundError: There is no such plan.
        """
        if self._payload.plan_hash is not None:
            await self._admit_plan(await find_plan(self._database, self._payload.plan_hash))
        elif (most := self._options.require_plan_above) is not None and not self._payload.dry_run:
            found = await count_up_to(self._database, self._job, self._payload.organization_ids, most + 1)
            if found > most:
                raise PlanRequiredError(
                    f"More than {most:,} rows are old enough ({found:,} were counted before the count was ended), and "
                    f"above {most:,} (require_plan_above) this job needs an approved plan. Nothing was touched. "
                    f"{self._how()}",
                    require_plan_above=most,
                    counted=found,
                )

    async def narrowed(self, connection: AsyncConnection, tenant: Tenant, verdict: Cutoff) -> Skip | Cutoff:
        """Return what the plan leaves of a tenant's own rule: never a later cut-off, nothing if it is not planned."""
        if self._payload.plan_hash is None:
            return verdict
        planned = await self._planned(connection, tenant)
        if planned is None:
            return Skip(f"It is not in the plan {self._payload.plan_hash}.", setting=verdict.setting)
        cutoff, _ = planned
        if cutoff is None:
            return Skip(f"The plan {self._payload.plan_hash} leaves it alone.", setting=verdict.setting)
        return Cutoff(min(verdict.at, cutoff), verdict.setting)

    async def refuse_excess(self, connection: AsyncConnection, tenant: Tenant, cutoff: int, changed: Any) -> None:
        """End a tenant's part before it begins if there is more to change than was planned, or may be without a plan.

        Args:
            connection: The transaction that begins the tenant.
            tenant: Whose rows.
            cutoff: As narrowed.
            changed: A scalar query for the rows that the run has changed so far.

        Raises:
            ConflictError: There is more.
        """
        if self._payload.plan_hash is not None:
            planned = await self._planned(connection, tenant)
            most = planned[1] if planned else 0
            if await eligible_up_to(connection, self._job, tenant, cutoff, most + 1) > most:
                raise ConflictError(
                    f"More rows are old enough now than the {most:,} that were planned and are left: rows were added, "
                    f"or a legal hold was released. None was touched. {self._how()}",
                    planned=most,
                )
        elif (limit := self._options.require_plan_above) is not None:
            most = limit - int((await connection.execute(changed)).scalar_one() or 0)
            if await eligible_up_to(connection, self._job, tenant, cutoff, max(most, 0) + 1) > most:
                raise ConflictError(
                    f"The run would change more than the {limit:,} rows that it may without a plan: a setting was "
                    f"changed after it began. None of these was touched. {self._how()}",
                    require_plan_above=limit,
                )

    def left(self, tenant: Tenant, counted: int, limit: int) -> int:
        """Return how many rows the next batch may change: those of the batch size that the plan still has.

        Args:
            tenant: Of which :meth:`narrowed` has been asked.
            counted: Rows changed so far.
            limit: The batch size.
        """
        planned = self._known.get(tenant)
        return limit if planned is None else max(0, min(limit, planned[1] - counted))

    async def _admit_plan(self, found: StoredPlan) -> None:
        job = self._job.job_type
        if found.plan.job_type != job:
            raise PlanRefusedError(f"The plan {found.hash} is of {found.plan.job_type}, not of {job}.", plan=found.hash)
        if not found.is_genuine:
            why = "was altered after it was made, so it does not count"
            raise PlanRefusedError(f"The plan {found.hash} {why}. Nothing was touched. {self._how()}", plan=found.hash)
        if self._payload.dry_run:
            return
        if not found.is_approved(two_person=self._options.two_person):
            who = f"somebody else than {found.made_by!r}" if self._options.two_person else "somebody"
            raise PlanRefusedError(
                f"The plan {found.hash} is not approved. Nothing was touched. Have {who} run "
                f"'trenova-activities plan approve {found.hash[:12]} --by <name>'.",
                plan=found.hash,
            )
        async with self._database.read() as connection:
            age = await self._database.clock(connection) - found.made_at
        if age > self._options.stale_after_days * DAY_S:
            raise PlanRefusedError(
                f"The plan {found.hash} is {age // DAY_S} days old, and after {self._options.stale_after_days} "
                f"(stale_after_days) none begins a run. Nothing was touched. {self._how()}",
                plan=found.hash,
            )

    async def _planned(self, connection: AsyncConnection, tenant: Tenant) -> tuple[int | None, int] | None:
        """Return the tenant's cut-off and what the plan still has of its rows; read once, since plans never change."""
        if tenant not in self._known:
            table = self._database.jobs.job_plan_tenants
            query = select(table.c.cutoff, table.c.rows).where(
                table.c.hash == self._payload.plan_hash, tenant.owns(table)
            )
            row = (await connection.execute(query)).one_or_none()
            used = await self._used(connection, tenant) if row else 0
            self._known[tenant] = None if row is None else (row.cutoff, max(0, row.rows - used))
        return self._known[tenant]

    async def _used(self, connection: AsyncConnection, tenant: Tenant) -> int:
        """Return how many rows of the tenant other runs have changed by the same plan."""
        tables = self._database.jobs
        if self._earlier is None:
            runs = tables.job_runs
            same = runs.c.request["planHash"].as_string() == self._payload.plan_hash
            mine = (runs.c.job_type == self._job.job_type, runs.c.run_id != self._run_id, runs.c.dry_run.is_(false()))
            self._earlier = (await connection.execute(select(runs.c.run_id).where(same, *mine))).scalars().all()
        if not self._earlier:
            return 0
        parts = tables.job_run_tenants
        of_them = (parts.c.job_type == self._job.job_type, parts.c.run_id.in_(self._earlier), tenant.owns(parts))
        changed = await connection.execute(select(func.sum(parts.c.counted)).where(*of_them))
        return int(changed.scalar_one() or 0)

    def _how(self) -> str:
        name = _COMMANDS[self._job.job_type]
        whose = _only(self._payload.organization_ids)
        return (
            f"Run 'trenova-activities plan make {name}{whose} --by <your name>', have it approved with "
            "'trenova-activities plan approve <hash> --by <another name>', then run "
            f"'trenova-activities start {name}{whose} --plan <hash>'."
        )


def _only(organization_ids: Sequence[str]) -> str:
    if len(organization_ids) > _MOST_SHOWN:
        return " --organization <each of them>"
    return "".join(f" --organization {shlex.quote(one)}" for one in organization_ids)
