"""A run of a nightly job as it lives in the database: begun once, at one time, whatever happens to workers."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from sqlalchemy import Row, Select, Table, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from trenova_activities._nightly_contract import NightlyPayload
from trenova_activities.database._engine import Database
from trenova_activities.database._manifest_chain import seal_of
from trenova_activities.database._nightly_job import RunFacts
from trenova_activities.database._nightly_standing import Standing
from trenova_activities.database._tenant import Tenant
from trenova_errors import ConfigurationError, ConflictError

CLOCK_TOLERANCE_S: Final = 300
"""How far the database's clock and that of the Temporal server may be apart."""

_DONE: Final = "done"
_RUNNING: Final = "running"


def insert_into(connection: AsyncConnection, table: Table) -> Any:
    """Return an INSERT of the connection's dialect, which can leave rows alone that are there already."""
    return (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(table)


@dataclass(frozen=True)
class RunRequest:
    """What one call of the activity was asked.

    Attributes:
        job_type: E.g. ``cancel_shipments``.
        run_id: Run id of the chain's first execution.
        workflow_id: Who asks.
        payload: What is asked.
        server_time: The Temporal server's clock when this attempt began, unix seconds.
    """

    job_type: str
    run_id: str
    workflow_id: str
    payload: NightlyPayload
    server_time: int

    @classmethod
    def of(cls, job_type: str, payload: NightlyPayload) -> Self:
        """Describe the call that this activity attempt is; no clock of the worker takes part."""
        info = activity.info()
        waited = (info.started_time - info.scheduled_time).total_seconds()
        asked = payload.run.workflow_time if payload.run else info.scheduled_time.timestamp()
        return cls(
            job_type=job_type,
            run_id=payload.run.run_id if payload.run else info.workflow_run_id or info.activity_id,
            workflow_id=info.workflow_id or info.activity_id,
            payload=payload,
            server_time=int(asked + waited),
        )


@dataclass(frozen=True)
class NightlyRun:
    """One run, as its row says.

    Attributes:
        facts: Its identity and its time.
        cursor: The last tenant that was begun.
        done: Every tenant is finished.
        request_digest: Fingerprint of what was asked.
        seal: The value that fixes the whole manifest; None until the run is done.
        stand: Where it stood at the end of its last call.
    """

    facts: RunFacts
    cursor: Tenant | None
    done: bool
    request_digest: str = ""
    seal: str | None = None
    stand: Standing = field(default_factory=Standing)

    @classmethod
    async def begin(
        cls, database: Database, request: RunRequest, tenants: Callable[[], Select[Any]] | None = None
    ) -> Self:
        """Load the run, or write its row; the database's clock at that moment is its time for good.

        Args:
            database: Where it lives.
            request: What is asked.
            tenants: The query for everything that the run is for, to be counted; not counted if absent.

        Raises:
            ConfigurationError: The database's clock and the Temporal server's are too far apart.
            ConflictError: The run was begun with another request.
        """
        async with database.read() as connection:
            row = await cls._row(database, connection, request)
        if row is None:
            async with database.write(paced=True) as connection:
                at = await database.clock(connection)
                _refuse_clocks_apart(at, request.server_time)
                total = await _count(connection, tenants()) if tenants else None
                await cls._insert(database, connection, request, at, total)
                row = await cls._row(database, connection, request)
        assert row is not None
        return cls._of(row, request)

    @classmethod
    async def find(cls, database: Database, request: RunRequest) -> Self | None:
        """Load the run if it was ever begun."""
        async with database.read() as connection:
            row = await cls._row(database, connection, request)
        return None if row is None else cls._of(row, request)

    async def finished(self, database: Database) -> Self:
        """Record that every tenant is finished, seal the manifest, and return the run as it is then."""
        table, tenants = database.jobs.job_runs, database.jobs.job_run_tenants
        async with database.write(paced=True) as connection:
            at = await database.clock(connection)
            rows = (await connection.execute(select(tenants).where(*self.mine(tenants)))).mappings().all()
            changes = {"state": _DONE, "updated_at": at, "finished_at": at, "seal": seal_of(self.chained, rows)}
            await connection.execute(update(table).where(*self.mine(table), table.c.state != _DONE).values(changes))
            kept = (await connection.execute(select(table.c.seal).where(*self.mine(table)))).scalar_one()
        return replace(self, done=True, seal=kept)

    def mine(self, table: Table) -> list[Any]:
        """Return the conditions that a row of one of the run's tables belongs to it."""
        return [table.c.job_type == self.facts.job_type, table.c.run_id == self.facts.run_id]

    @property
    def key(self) -> dict[str, str]:
        """The run's identity as columns of a row."""
        return {"job_type": self.facts.job_type, "run_id": self.facts.run_id}

    @property
    def chained(self) -> dict[str, Any]:
        """The run as the manifest's chain knows it."""
        return {**self.key, "request_digest": self.request_digest, "as_of": self.facts.as_of}

    @staticmethod
    async def _row(database: Database, connection: AsyncConnection, request: RunRequest) -> Row[Any] | None:
        table = database.jobs.job_runs
        mine = (table.c.job_type == request.job_type, table.c.run_id == request.run_id)
        return (await connection.execute(select(table).where(*mine))).one_or_none()

    @staticmethod
    async def _insert(
        database: Database, connection: AsyncConnection, request: RunRequest, at: int, tenants_total: int | None
    ) -> None:
        table = database.jobs.job_runs
        row = {
            "job_type": request.job_type,
            "run_id": request.run_id,
            "workflow_id": request.workflow_id,
            "request": request.payload.request(),
            "request_digest": request.payload.digest(),
            "dry_run": request.payload.dry_run,
            "as_of": at,
            "state": _RUNNING,
            "created_at": at,
            "updated_at": at,
            "tenants_total": tenants_total,
        }
        await connection.execute(insert_into(connection, table).values(row).on_conflict_do_nothing())

    @classmethod
    def _of(cls, row: Row[Any], request: RunRequest) -> Self:
        if row.request_digest != request.payload.digest():
            raise ConflictError(
                f"The run {request.run_id!r} was begun with another request. Start a new workflow for a new request.",
                workflow_id=row.workflow_id,
            )
        organization, unit = row.tenant_cursor_organization, row.tenant_cursor_business_unit
        return cls(
            facts=RunFacts(request.job_type, request.run_id, row.workflow_id, row.as_of),
            cursor=None if organization is None else Tenant(organization, unit),
            done=row.state == _DONE,
            request_digest=row.request_digest,
            seal=row.seal,
            stand=Standing.of(row),
        )


async def _count(connection: AsyncConnection, query: Select[Any]) -> int:
    return int((await connection.execute(select(func.count()).select_from(query.subquery()))).scalar_one())


def _refuse_clocks_apart(database_time: int, server_time: int) -> None:
    apart = database_time - server_time
    if abs(apart) > CLOCK_TOLERANCE_S:
        raise ConfigurationError(
            f"The database's clock says {database_time}, the Temporal server's {server_time}: {apart:+} seconds apart, "
            f"and more than {CLOCK_TOLERANCE_S} is not trusted with a cut-off. Correct the clock that is wrong. "
            "Nothing was touched.",
            database_time=database_time,
            server_time=server_time,
        )
