"""One batch of one tenant: its change, its line of the manifest and the cursor are one transaction."""

from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._engine import Database
from trenova_activities.database._manifest_chain import chain_link, chain_start
from trenova_activities.database._nightly_job import MOST_SAMPLES, Batch, NightlyJob, Position, Skip
from trenova_activities.database._nightly_run import NightlyRun
from trenova_activities.database._nightly_tenants import DONE, RUNNING, SKIPPED, RunTenants
from trenova_activities.database._tenant import Tenant


class RunBatches:
    """The batches of one run.

    Args:
        database: The TMS's database.
        job: What changes the rows.
        run: The run.
        tenants: Its tenants.
        limit: Rows per batch.
    """

    def __init__(
        self, database: Database, job: NightlyJob, run: NightlyRun, tenants: RunTenants, *, limit: int
    ) -> None:
        self._database = database
        self._job = job
        self._run = run
        self._tenants = tenants
        self._limit = limit
        self._table = database.jobs.job_run_tenants

    async def change(self, tenant: Tenant) -> bool:
        """Change the tenant's next batch.

        The tenant's own row is locked first, so an attempt that was taken for dead and its successor take turns.
        The tenant's settings are read again: one that has been withdrawn since ends its part of the run, and one
        that has become stricter is obeyed from here on.

        Returns:
            Whether there may be more.
        """
        async with self._database.write(paced=True) as connection:
            state = await self._locked(connection, tenant)
            if state.state != RUNNING:
                return False
            verdict = await self._tenants.verdict(connection, tenant)
            at = await self._database.clock(connection)
            if isinstance(verdict, Skip):
                await self._update(connection, tenant, {"state": SKIPPED, "reason": verdict.reason, "updated_at": at})
                return False
            limit = self._tenants.left(tenant, state.counted, self._limit)
            if not limit:
                await self._update(connection, tenant, {"state": DONE, "updated_at": at})
                return False
            batch = await self._job.batch(
                connection,
                tenant,
                min(state.cutoff, verdict.at),
                after=None if state.cursor_id is None else Position(state.cursor_at, state.cursor_id),
                limit=limit,
                run=self._run.facts,
                at=at,
            )
            await self._record(connection, tenant, state, batch, at)
        return not batch.exhausted

    async def _locked(self, connection: AsyncConnection, tenant: Tenant) -> Row[Any]:
        query = select(self._table).where(*self._tenants.mine(tenant)).with_for_update()
        return (await connection.execute(query)).one()

    async def _record(
        self, connection: AsyncConnection, tenant: Tenant, state: Row[Any], batch: Batch, at: int
    ) -> None:
        changes: dict[str, Any] = {"updated_at": at}
        if batch.first is not None and batch.last is not None:
            changes["chain"] = await self._manifest(connection, tenant, state, batch, at)
            changes |= {"counted": state.counted + batch.rows, "batches": state.batches + 1}
        if batch.samples and len(state.samples) < MOST_SAMPLES:
            changes["samples"] = [*state.samples, *batch.samples][:MOST_SAMPLES]
        if batch.cursor is not None:
            changes |= {"cursor_at": batch.cursor.at, "cursor_id": batch.cursor.id}
        if batch.exhausted:
            changes["state"] = DONE
        await self._update(connection, tenant, changes)

    async def _manifest(
        self, connection: AsyncConnection, tenant: Tenant, state: Row[Any], batch: Batch, at: int
    ) -> str:
        """Write the batch's line and return its chain value; the one before stands in the locked row."""
        assert batch.first is not None
        assert batch.last is not None
        row = {
            **self._run.key,
            **tenant.values,
            "number": state.batches + 1,
            "rows": batch.rows,
            "first_at": batch.first.at,
            "first_id": batch.first.id,
            "last_at": batch.last.at,
            "last_id": batch.last.id,
            "digest": batch.digest,
            "at": at,
        }
        chain = chain_link(state.chain or chain_start(self._run.chained, state._mapping), row)  # noqa: SLF001 - SQLAlchemy's public name
        await connection.execute(insert(self._database.jobs.job_run_batches).values({**row, "chain": chain}))
        return chain

    async def _update(self, connection: AsyncConnection, tenant: Tenant, changes: dict[str, Any]) -> None:
        await connection.execute(update(self._table).where(*self._tenants.mine(tenant)).values(changes))
