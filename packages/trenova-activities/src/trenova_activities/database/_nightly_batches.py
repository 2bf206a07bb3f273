"""One batch of one tenant: its change, its line of the manifest and the cursor are one transaction."""

import time
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Row, column, insert, select, text, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._engine import Database, database_clock
from trenova_activities.database._manifest_chain import chain_link, chain_start
from trenova_activities.database._nightly_debt import MOST_COUNTED, count_due
from trenova_activities.database._nightly_job import MOST_SAMPLES, Batch, NightlyJob, Position, Skip
from trenova_activities.database._nightly_run import NightlyRun
from trenova_activities.database._nightly_tenants import DONE, RUNNING, SKIPPED, RunTenants
from trenova_activities.database._tenant import Tenant

_LIMITS: Final = (
    text(
        "SELECT CAST(extract(epoch FROM clock_timestamp()) AS bigint) AS clock, "
        "set_config('lock_timeout', :lock, true) AS lock, "
        "set_config('statement_timeout', :statement, true) AS statement"
    )
    .columns(column("clock", BigInteger))
    .cte("limits")
    .prefix_with("MATERIALIZED", dialect="postgresql")
)


@dataclass(frozen=True)
class Changed:
    """What came of a batch.

    Attributes:
        more: There may be more to change for the tenant.
        rows: How many rows were changed.
        seen: How many were looked at.
        work_s: Seconds that went into that, the transaction's own statements and its commit not included.
    """

    more: bool
    rows: int = 0
    seen: int = 0
    work_s: float = 0.0


class RunBatches:
    """The batches of one run.

    Args:
        database: The TMS's database.
        job: What changes the rows.
        run: The run.
        tenants: Its tenants.
    """

    def __init__(self, database: Database, job: NightlyJob, run: NightlyRun, tenants: RunTenants) -> None:
        self._database = database
        self._job = job
        self._run = run
        self._tenants = tenants
        self._options = database.options.pace
        self._table = database.jobs.job_run_tenants

    async def change(self, tenant: Tenant, *, limit: int, stretch: int = 1) -> Changed:
        """Change the tenant's next batch.

        The tenant's own row is locked first, so an attempt that was taken for dead and its successor take turns.
        The tenant's settings are read again: one that has been withdrawn since ends its part of the run, and one
        that has become stricter is obeyed from here on.

        Args:
            tenant: Whose batch.
            limit: Rows.
            stretch: By how much statements may run longer than is set for batches.

        Raises:
            RetryableError: A lock, a time-out or a deadlock; nothing was changed.
        """
        async with self._database.write(paced=True) as connection:
            state, at = await self._begin(connection, tenant, stretch)
            if state.state != RUNNING:
                return Changed(more=False)
            verdict = await self._tenants.verdict(connection, tenant)
            if isinstance(verdict, Skip):
                skipped = {"state": SKIPPED, "reason": verdict.reason, "updated_at": at}
                await self._record(connection, tenant, skipped, None)
                return Changed(more=False)
            limit = self._tenants.left(tenant, state.counted, limit)
            if not limit:
                await self._record(connection, tenant, {"state": DONE, "updated_at": at}, None)
                return Changed(more=False)
            cutoff = min(state.cutoff, verdict.at)
            began = time.monotonic()
            batch = await self._job.batch(
                connection,
                tenant,
                cutoff,
                after=None if state.cursor_id is None else Position(state.cursor_at, state.cursor_id),
                limit=limit,
                run=self._run.facts,
                at=at,
            )
            work_s = time.monotonic() - began
            line = self._line(state, batch, at)
            chain = {"chain": line["chain"]} if line else {}
            changes = {
                **_changes(state, batch, at),
                **chain,
                **await self._due(connection, tenant, state, batch, cutoff),
            }
            await self._record(connection, tenant, changes, line)
        return Changed(more=not batch.exhausted, rows=batch.rows, seen=batch.seen, work_s=work_s)

    async def _begin(self, connection: AsyncConnection, tenant: Tenant, stretch: int) -> tuple[Row[Any], int]:
        """Lock the tenant's row and return it with the database's clock, after limiting how long the batch may wait.

        On PostgreSQL that is one statement. Its limit on waiting for locks holds for the row too, as the row is only
        looked for once the limits are set.
        """
        query = select(self._table).where(*self._tenants.mine(tenant))
        if connection.dialect.name != "postgresql":
            at = await self._database.clock(connection)
            return (await connection.execute(query)).one(), at
        longest_s = self._database.options.statement_timeout_s
        statement_s = min(self._options.statement_timeout_s * stretch, longest_s)
        limits = {"lock": f"{self._options.lock_timeout_s * 1000:.0f}", "statement": f"{statement_s * 1000:.0f}"}
        query = query.add_columns(_LIMITS.c.clock).select_from(_LIMITS.join(self._table, true()))
        state = (await connection.execute(query.with_for_update(of=self._table), limits)).one()
        own = self._database.clock is database_clock
        return state, int(state.clock) if own else await self._database.clock(connection)

    async def _record(
        self, connection: AsyncConnection, tenant: Tenant, changes: dict[str, Any], line: dict[str, Any] | None
    ) -> None:
        """Write the tenant's row and the line of the manifest, in one statement where the database takes that."""
        write = update(self._table).where(*self._tenants.mine(tenant)).values(changes)
        if line is None:
            await connection.execute(write)
            return
        add = insert(self._database.jobs.job_run_batches).values(line)
        if connection.dialect.name == "postgresql":
            await connection.execute(write.add_cte(add.cte("line")))
            return
        await connection.execute(add)
        await connection.execute(write)

    def _line(self, state: Row[Any], batch: Batch, at: int) -> dict[str, Any] | None:
        """Return the batch's line of the manifest, its chain value over the one that stands in the locked row.

        None for a batch that changed nothing.
        """
        if batch.first is None or batch.last is None:
            return None
        line = {
            **self._run.key,
            **{name: getattr(state, name) for name in ("organization_id", "business_unit_id")},
            "number": state.batches + 1,
            "rows": batch.rows,
            "first_at": batch.first.at,
            "first_id": batch.first.id,
            "last_at": batch.last.at,
            "last_id": batch.last.id,
            "digest": batch.digest,
            "at": at,
        }
        before = state.chain or chain_start(self._run.chained, state._mapping)  # noqa: SLF001 - SQLAlchemy's public name
        return {**line, "chain": chain_link(before, line)}

    async def _due(
        self, connection: AsyncConnection, tenant: Tenant, state: Row[Any], batch: Batch, cutoff: int
    ) -> dict[str, int]:
        """Count again what is due of a tenant where the estimate turns out to be too low."""
        counted = state.counted + batch.rows
        if batch.exhausted or (state.due_rows or 0) < MOST_COUNTED or counted < state.due_rows:
            return {}
        return {"due_rows": counted + (await count_due(connection, self._job, tenant, cutoff)).rows}


def _changes(state: Row[Any], batch: Batch, at: int) -> dict[str, Any]:
    """Return what a batch changes in its tenant's row."""
    changes: dict[str, Any] = {"updated_at": at}
    if batch.rows:
        changes |= {"counted": state.counted + batch.rows, "batches": state.batches + 1}
    if batch.samples and len(state.samples) < MOST_SAMPLES:
        changes["samples"] = [*state.samples, *batch.samples][:MOST_SAMPLES]
    if batch.cursor is not None:
        changes |= {"cursor_at": batch.cursor.at, "cursor_id": batch.cursor.id}
    if batch.exhausted:
        changes["state"] = DONE
    return changes
