"""The tenants of a run: found page by page, begun once each, and judged by their own settings row."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Select, Table, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._engine import Database
from trenova_activities.database._nightly_debt import count_due
from trenova_activities.database._nightly_job import Cutoff, NightlyJob, Skip
from trenova_activities.database._nightly_rules import tenants_page, verdict_of
from trenova_activities.database._nightly_run import NightlyRun, insert_into
from trenova_activities.database._plan_gate import PlanGate
from trenova_activities.database._tenant import Tenant

RUNNING: Final = "running"
DONE: Final = "done"
SKIPPED: Final = "skipped"
FAILED: Final = "failed"


class RunTenants:
    """The tenants of one run and what their rows in ``job_run_tenants`` say.

    Args:
        database: The TMS's database.
        job: Whose settings table names the tenants.
        run: The run.
        gate: What the run may change at most.
        organization_ids: Only these; all that want the job if empty.
        dry_run: Count the eligible rows when a tenant is begun, and be done with it.
    """

    def __init__(
        self,
        database: Database,
        job: NightlyJob,
        run: NightlyRun,
        gate: PlanGate,
        *,
        organization_ids: Sequence[str],
        dry_run: bool,
    ) -> None:
        self._database = database
        self._job = job
        self._run = run
        self._gate = gate
        self._organization_ids = organization_ids
        self._dry_run = dry_run
        self._table = database.jobs.job_run_tenants

    async def unfinished(self) -> list[Tenant]:
        """Return the tenants that an earlier call began and did not finish."""
        table = self._table
        query = select(*_keys(table)).where(*self._run.mine(table), table.c.state == RUNNING)
        return await self._tenants(query.order_by(*_keys(table)))

    async def page(self, after: Tenant | None) -> list[Tenant]:
        """Return the next tenants of the settings table in the order of their ids; none at the end."""
        asked = self._organization_ids
        return await self._tenants(tenants_page(self._job, asked, after=after, wanted=not asked))

    async def begin(self, tenant: Tenant) -> bool:
        """Judge the tenant once and move the run's cursor to it.

        Returns:
            Whether there are rows to change now; false for a tenant that is skipped, counted, or was begun before.
        """
        async with self._database.write(paced=True) as connection:
            at = await self._database.clock(connection)
            if not await self._claim(connection, tenant, at):
                return False
            verdict = await self.verdict(connection, tenant)
            found: dict[str, Any] = {"setting": verdict.setting, "odd_rows": 0}
            if isinstance(verdict, Skip):
                found |= {"state": SKIPPED, "reason": verdict.reason}
            else:
                if not self._dry_run:
                    await self._gate.refuse_excess(connection, tenant, verdict.at, self._changed())
                found |= {"cutoff": verdict.at, "odd_rows": await self._job.odd(connection, tenant)}
                found["held_rows"] = await self._job.held(connection, tenant, verdict.at)
                if self._dry_run:
                    found |= await self._counted(connection, tenant, verdict)
                else:
                    due = await count_due(connection, self._job, tenant, verdict.at)
                    found |= {"due_rows": due.rows, "oldest_at": due.oldest_at}
            await connection.execute(update(self._table).where(*self.mine(tenant)).values(found))
        return "state" not in found

    async def fail(self, tenant: Tenant, message: str) -> bool:
        """Record that the run gives the tenant up; what was changed there stands and stays counted.

        Returns:
            Whether the tenant was under way until now.
        """
        async with self._database.write(paced=True) as connection:
            at = await self._database.clock(connection)
            await self._claim(connection, tenant, at)
            changes = {"state": FAILED, "error": message, "updated_at": at}
            mine = (*self.mine(tenant), self._table.c.state == RUNNING)
            failed = await connection.execute(update(self._table).where(*mine).values(changes))
        return failed.rowcount == 1

    async def stuck(self, tenant: Tenant, patience_s: float) -> bool:
        """Return whether nothing was done for the tenant for so long, by the database's clock."""
        query = select(self._table.c.updated_at).where(*self.mine(tenant))
        async with self._database.read() as connection:
            at = await self._database.clock(connection)
            return at - int((await connection.execute(query)).scalar_one()) > patience_s

    async def verdict(self, connection: AsyncConnection, tenant: Tenant) -> Skip | Cutoff:
        """Read the tenant's settings as they are now and judge them; a plan can only make the verdict stricter."""
        verdict = await verdict_of(connection, self._job, tenant, self._run.facts.as_of)
        return verdict if isinstance(verdict, Skip) else await self._gate.narrowed(connection, tenant, verdict)

    def left(self, tenant: Tenant, counted: int, limit: int) -> int:
        """Return how many of ``limit`` rows the next batch of a tenant may change; 0 where its plan is used up."""
        return self._gate.left(tenant, counted, limit)

    def mine(self, tenant: Tenant) -> list[Any]:
        """Return the conditions for the tenant's row of this run."""
        return [*self._run.mine(self._table), tenant.owns(self._table)]

    async def _tenants(self, query: Select[Any]) -> list[Tenant]:
        async with self._database.read() as connection:
            return [Tenant(*row) for row in await connection.execute(query)]

    async def _claim(self, connection: AsyncConnection, tenant: Tenant, at: int) -> bool:
        """Write the tenant's row unless it is there, and move the cursor.

        An attempt that was taken for dead may still be alive, so the row decides and the cursor is only a hint.
        """
        row = {
            **self._run.key,
            **tenant.values,
            "state": RUNNING,
            "counted": 0,
            "odd_rows": 0,
            "samples": [],
            "batches": 0,
            "created_at": at,
            "updated_at": at,
        }
        insert = insert_into(connection, self._table).values(row).on_conflict_do_nothing()
        if (await connection.execute(insert)).rowcount != 1:
            return False
        runs = self._database.jobs.job_runs
        cursor = {
            "tenant_cursor_organization": tenant.organization_id,
            "tenant_cursor_business_unit": tenant.business_unit_id,
            "updated_at": at,
        }
        await connection.execute(update(runs).where(*self._run.mine(runs)).values(cursor))
        return True

    def _changed(self) -> Select[Any]:
        return select(func.sum(self._table.c.counted)).where(*self._run.mine(self._table))

    async def _counted(self, connection: AsyncConnection, tenant: Tenant, cutoff: Cutoff) -> dict[str, Any]:
        return {
            "state": DONE,
            "counted": await self._job.eligible(connection, tenant, cutoff.at),
            "samples": await self._job.samples(connection, tenant, cutoff.at),
        }


def _keys(table: Table) -> tuple[Any, Any]:
    return table.c.organization_id, table.c.business_unit_id
