"""The engine of the nightly jobs: one call works for a bounded time, and the database knows where it stood."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from temporalio import activity

from trenova_activities._heartbeats import Heartbeats
from trenova_activities.database._engine import Database
from trenova_activities.database._nightly_batches import RunBatches
from trenova_activities.database._nightly_job import NightlyJob
from trenova_activities.database._nightly_progress import RunProgress
from trenova_activities.database._nightly_run import NightlyRun, RunRequest
from trenova_activities.database._nightly_summary import Tally, tally
from trenova_activities.database._nightly_tenants import RunTenants
from trenova_activities.database._plan_gate import PlanGate
from trenova_activities.database._plan_options import PlanOptions
from trenova_activities.database._tenant import Tenant
from trenova_errors import (
    AmbiguousOutcomeError,
    ApplicationError,
    RetryableError,
    ThrottledError,
    UnavailableError,
    log_failure,
)

_TRIES: Final = 5
_FIRST_WAIT_S: Final = 0.1
Result = TypeVar("Result")


@dataclass(frozen=True)
class Budget:
    """How much one call does before it reports.

    Attributes:
        seconds: No further batch is begun after them.
        batches: Nor after so many.
    """

    seconds: float = 20
    batches: int = 1_000_000


class NightlyEngine:
    """One call of a nightly job's activity.

    Args:
        database: The TMS's database.
        job: The rule.
        request: What is asked.
        limit: Rows per transaction.
        budget: How much this call does.
        plans: When the run needs a plan.
    """

    def __init__(
        self,
        database: Database,
        job: NightlyJob,
        request: RunRequest,
        *,
        limit: int,
        budget: Budget | None = None,
        plans: PlanOptions | None = None,
    ) -> None:
        self._database = database
        self._job = job
        self._request = request
        self._limit = limit
        self._budget = budget or Budget()
        self._gate = PlanGate(database, job, request.payload, plans or PlanOptions())
        self._batches = 0
        self._steps = 0
        self._ends = 0.0

    async def work(self, beats: Heartbeats) -> tuple[NightlyRun, Tally]:
        """Go on where the run stands until it is done or the budget is used up.

        Returns:
            The run, which says whether it is done, and what it has done so far.

        Raises:
            ConfigurationError: The database does not let the job work, or a clock is wrong.
            PermissionDeniedError: The run needs a plan, or its plan does not let it begin; nothing was touched.
            UnavailableError: The database is gone; another attempt goes on where it stands.
        """
        self._ends = asyncio.get_running_loop().time() + self._budget.seconds
        async with self._database.read() as connection:
            await self._job.begin(connection)
        if await NightlyRun.find(self._database, self._request) is None:
            await self._gate.admit()
        run = await NightlyRun.begin(self._database, self._request)
        if not run.done and await self._all(run, beats):
            run = await run.finished(self._database)
        return run, await tally(self._database, run)

    def _tenants(self, run: NightlyRun) -> RunTenants:
        payload = self._request.payload
        return RunTenants(
            self._database,
            self._job,
            run,
            self._gate,
            organization_ids=sorted(set(payload.organization_ids)),
            dry_run=payload.dry_run,
        )

    async def _all(self, run: NightlyRun, beats: Heartbeats) -> bool:
        """Return whether every tenant is finished; false when the budget was used up first."""
        tenants = self._tenants(run)
        batches = RunBatches(self._database, self._job, run, tenants, limit=self._limit)
        progress = RunProgress(self._database, run, beats, dry_run=self._request.payload.dry_run)
        cursor = run.cursor
        while True:
            # Also those that an attempt which was taken for dead has begun in the meantime.
            unfinished = await tenants.unfinished()
            page = await tenants.page(cursor)
            for tenant in [*unfinished, *page]:
                if self._used_up():
                    return False
                await progress.tell(tenant.organization_id)
                wanted = tenant in unfinished or await self._patiently(tenant, tenants, partial(tenants.begin, tenant))
                if wanted and not await self._finish(tenant, tenants, batches, progress):
                    return False
            if not unfinished and not page:
                return True
            cursor = page[-1] if page else cursor

    async def _finish(self, tenant: Tenant, tenants: RunTenants, batches: RunBatches, progress: RunProgress) -> bool:
        """Return whether the tenant is finished."""
        while not self._used_up():
            self._batches += 1
            await progress.tell(tenant.organization_id)
            if not await self._patiently(tenant, tenants, partial(batches.change, tenant)):
                return True
        return False

    def _used_up(self) -> bool:
        """Whether to report first; never before something was done, or a slow look would stop a run for good.

        A worker that drains hands the run over the same way: the workflow calls again, and another worker goes on.
        """
        spent = self._batches >= self._budget.batches or asyncio.get_running_loop().time() >= self._ends
        spent = spent or activity.is_worker_shutdown()
        return spent and self._steps > 0

    async def _patiently(self, tenant: Tenant, tenants: RunTenants, step: Callable[[], Awaitable[bool]]) -> bool:
        """Try a transaction again where another one was in its way; anything permanent fails the tenant alone."""
        self._steps += 1
        try:
            return await _retried(step)
        except AmbiguousOutcomeError as error:  # the next attempt reads what the tables say
            raise UnavailableError(
                "The connection was lost during a commit; the run goes on from its tables."
            ) from error
        except (UnavailableError, ThrottledError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever one tenant's rows cause, the others are still served
            log_failure("A tenant has failed", error, {**tenant.values, "run_id": self._request.run_id})
            message = error.message if isinstance(error, ApplicationError) else f"{type(error).__name__} in the worker"
            await _retried(partial(tenants.fail, tenant, message))
            return False


async def _retried(step: Callable[[], Awaitable[Result]]) -> Result:
    for attempt in range(1, _TRIES):
        try:
            return await step()
        except RetryableError:
            wait = _FIRST_WAIT_S * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311 - spreads, guards nothing
            await asyncio.sleep(wait)
    return await step()
