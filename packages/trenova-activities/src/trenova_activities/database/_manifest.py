"""The manifest of a run, read back: whether its lines add up, and whether its chain is whole."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Row, Table, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities._nightly_contract import request_digest
from trenova_activities.database._engine import Database
from trenova_activities.database._manifest_chain import chain_link, chain_start, seal_of
from trenova_errors import InvalidInputError, ResourceNotFoundError

_AT_ONCE: Final = 1_000
_MOST_RUNS: Final = 10
_ORDER: Final = ("organization_id", "business_unit_id", "number")
Key = tuple[str, str]


@dataclass(frozen=True)
class TenantManifest:
    """One tenant of a run and what its lines say.

    Attributes:
        organization_id: The organization.
        business_unit_id: Its business unit.
        state: Of the tenant's part of the run.
        counted: Rows, as the tenant's own row says.
        rows: Rows, as its lines add up to.
        batches: Lines that there are.
        unchained: Lines from before chains were written, or by a worker that knew none; they are added up only.
        chain: The last value, as computed from the lines; None without a chained line.
        problem: The first thing that does not fit, a sentence with the line's number; empty if all fits.
    """

    organization_id: str
    business_unit_id: str
    state: str
    counted: int
    rows: int
    batches: int
    unchained: int
    chain: str | None
    problem: str


@dataclass(frozen=True)
class Manifest:
    """A run whose manifest was read back in one snapshot.

    Attributes:
        job_type: E.g. ``delete_audit_entries``.
        run_id: The run.
        workflow_id: Who asked for it.
        state: ``running`` or ``done``.
        dry_run: Nothing was changed, so there is nothing to add up.
        plan_hash: The plan that it was carried out by, if there was one.
        seal: As recorded; None while it goes on, and for runs of before seals.
        tenants: In the order of their ids.
        problem: What does not fit about the run as a whole; empty if all fits.
    """

    job_type: str
    run_id: str
    workflow_id: str
    state: str
    dry_run: bool
    plan_hash: str | None
    seal: str | None
    tenants: Sequence[TenantManifest] = field(default_factory=list)
    problem: str = ""

    @property
    def rows(self) -> int:
        """Rows over all tenants, as their lines add up to."""
        return sum(tenant.rows for tenant in self.tenants)

    @property
    def fits(self) -> bool:
        """Whether nothing was found wrong."""
        return not self.problem and not any(tenant.problem for tenant in self.tenants)


class _Lines:
    """The lines of one tenant, taken in one by one."""

    def __init__(self, run: Row[Any], tenant: Row[Any]) -> None:
        self._tenant = tenant
        self._rows = 0
        self._batches = 0
        self._unchained = 0
        self._last_at: int | None = None
        self._start = chain_start(run._mapping, tenant._mapping)  # noqa: SLF001 - SQLAlchemy's public name
        self._chain: str | None = None
        self._problem = ""

    def take(self, line: Row[Any]) -> None:
        """Add the next line; the first that does not fit is remembered."""
        self._batches += 1
        self._rows += line.rows
        self._problem = self._problem or self._wrong(line)
        self._last_at = line.last_at

    def _wrong(self, line: Row[Any]) -> str:
        what = f"batch {line.number}"
        if line.number != self._batches:
            return f"{what}: it stands where batch {self._batches} belongs, so a line is missing or was added."
        if not line.first_at <= line.last_at or (self._last_at is not None and line.first_at < self._last_at):
            return f"{what}: its range is not after that of the batch before."
        if self._tenant.cutoff is None or line.last_at > self._tenant.cutoff:
            return f"{what}: it reaches beyond the cut-off of its organization, {self._tenant.cutoff}."
        if line.chain is None:
            if self._chain is not None:
                return f"{what}: it has no chain value, although the batch before has one."
            self._unchained += 1
            return ""
        computed = chain_link(self._chain or self._start, line._mapping)  # noqa: SLF001 - as above
        self._chain = computed
        return "" if line.chain == computed else f"{what}: its chain value is not that of its fields."

    def told(self) -> TenantManifest:
        """Compare with the tenant's own row and return the whole."""
        tenant, problem = self._tenant, self._problem
        if not problem and tenant.batches != self._batches:
            problem = f"{tenant.batches} batches are recorded, {self._batches} have a line."
        if not problem and tenant.counted != self._rows:
            problem = f"{tenant.counted} rows are recorded, the lines add up to {self._rows}."
        if not problem and tenant.chain != self._chain:
            problem = f"batch {self._batches}: the chain ends otherwise than the organization's row says."
        return TenantManifest(
            organization_id=tenant.organization_id,
            business_unit_id=tenant.business_unit_id,
            state=tenant.state,
            counted=tenant.counted,
            rows=self._rows,
            batches=self._batches,
            unchained=self._unchained,
            chain=self._chain,
            problem=problem,
        )


async def verify_manifest(database: Database, name: str, *, seal: str | None = None) -> Manifest:
    """Read a run's manifest in one snapshot and compute everything in it again.

    Args:
        database: Where the run lives.
        name: Its run id or workflow id.
        seal: What the seal must be, e.g. out of the workflow's result; as recorded if absent.

    Raises:
        ResourceNotFoundError: There is no such run.
        InvalidInputError: The workflow id has had several runs, which the message names.
    """
    async with snapshot(database) as connection:
        run = await _run(database, connection, name)
        tenants = await _tenants(database, connection, run)
        known = {(row.organization_id, row.business_unit_id): _Lines(run, row) for row in tenants}
        astray = "" if run.dry_run else await _take_all(database, connection, run, known)
    told = [] if run.dry_run else [lines.told() for lines in known.values()]
    problem = astray or _wrong_with_run(run, tenants, seal)
    return Manifest(
        job_type=run.job_type,
        run_id=run.run_id,
        workflow_id=run.workflow_id,
        state=run.state,
        dry_run=run.dry_run,
        plan_hash=run.request.get("planHash"),
        seal=run.seal,
        tenants=sorted(told, key=lambda one: (one.organization_id, one.business_unit_id)),
        problem=problem,
    )


async def manifest_lines(
    database: Database, name: str, *, organization_id: str | None = None, limit: int = 1_000
) -> Sequence[Row[Any]]:
    """Return rows of ``job_run_batches`` of a run, tenant by tenant in the order of their numbers.

    Args:
        database: Where the run lives.
        name: Its run id or workflow id.
        organization_id: Only of this organization.
        limit: How many at most.

    Raises:
        ResourceNotFoundError: There is no such run.
        InvalidInputError: The workflow id has had several runs, which the message names.
    """
    table = database.jobs.job_run_batches
    async with database.read() as connection:
        run = await _run(database, connection, name)
        query = select(table).where(*_mine(table, run)).order_by(*(table.c[column] for column in _ORDER))
        if organization_id is not None:
            query = query.where(table.c.organization_id == organization_id)
        return (await connection.execute(query.limit(limit))).all()


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[AsyncConnection]:
    """Open a transaction in which every statement sees the same moment."""
    async with database.read() as connection:
        if not database.options.is_sqlite:  # SQLite's transactions are snapshots already
            await connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield connection


async def _run(database: Database, connection: AsyncConnection, name: str) -> Row[Any]:
    table = database.jobs.job_runs
    query = select(table).where(or_(table.c.run_id == name, table.c.workflow_id == name))
    rows = (await connection.execute(query.order_by(table.c.created_at.desc(), table.c.run_id).limit(_MOST_RUNS))).all()
    if not rows:
        raise ResourceNotFoundError(
            f"No nightly run has the run id or workflow id {name!r}. 'start' prints the workflow id; the result of the "
            "run names the run id (data.runId).",
            name=name,
        )
    if len(rows) > 1:
        raise InvalidInputError(
            f"{name!r} names {len(rows)} runs or more; give a run id: {', '.join(row.run_id for row in rows)}."
        )
    return rows[0]


async def _tenants(database: Database, connection: AsyncConnection, run: Row[Any]) -> Sequence[Row[Any]]:
    table = database.jobs.job_run_tenants
    return (await connection.execute(select(table).where(*_mine(table, run)))).all()


async def _take_all(database: Database, connection: AsyncConnection, run: Row[Any], known: Mapping[Key, _Lines]) -> str:
    """Hand every line to its tenant; say so if one belongs to none."""
    table = database.jobs.job_run_batches
    query = select(table).where(*_mine(table, run)).order_by(*(table.c[name] for name in _ORDER))
    astray = ""
    async with connection.stream(query.execution_options(yield_per=_AT_ONCE)) as lines:
        async for line in lines:
            if (its := known.get((line.organization_id, line.business_unit_id))) is not None:
                its.take(line)
            elif not astray:
                astray = f"Batch {line.number} is of {line.organization_id}, with which the run never began."
    return astray


def _wrong_with_run(run: Row[Any], tenants: Sequence[Row[Any]], seal: str | None) -> str:
    if request_digest(run.request) != run.request_digest:
        return "The request is not the one that its digest was made of."
    computed = seal_of(run._mapping, [row._mapping for row in tenants])  # noqa: SLF001 - SQLAlchemy's public name
    if run.seal is not None and run.seal != computed:
        return f"The seal is {run.seal}, the tables make {computed}."
    if seal is not None and seal != computed:
        return f"The seal should be {seal}, the tables make {computed}."
    return ""


def _mine(table: Table, run: Row[Any]) -> tuple[Any, Any]:
    return table.c.job_type == run.job_type, table.c.run_id == run.run_id
