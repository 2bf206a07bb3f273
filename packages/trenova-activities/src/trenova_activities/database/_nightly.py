"""The engine of the nightly jobs: one call works for a bounded time, and the database knows where it stood."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar

from temporalio import activity

from trenova_activities._heartbeats import Heartbeats
from trenova_activities.database._brake import Brake, looking
from trenova_activities.database._engine import Database
from trenova_activities.database._health_postgresql import Sightings
from trenova_activities.database._nightly_batches import RunBatches
from trenova_activities.database._nightly_end import RunEnd
from trenova_activities.database._nightly_job import NightlyJob
from trenova_activities.database._nightly_metrics import NightlyMetrics
from trenova_activities.database._nightly_pace import LOCKED, TIMED_OUT, RunPace
from trenova_activities.database._nightly_progress import RunProgress
from trenova_activities.database._nightly_rules import every_tenant
from trenova_activities.database._nightly_run import NightlyRun, RunRequest
from trenova_activities.database._nightly_summary import Tally, tally
from trenova_activities.database._nightly_tenants import RunTenants
from trenova_activities.database._nightly_trend import tell_trend
from trenova_activities.database._pace import Pace
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

    The size of batches is steered by how long they last and carried in the run's row, so that the next call, most
    likely on another worker, need not find it anew.

    Args:
        database: The TMS's database; its options say how batches are steered.
        job: The rule.
        request: What is asked.
        limit: Rows that a transaction may change at most.
        budget: How much this call does.
        plans: When the run needs a plan.
        rows_per_second: An upper bound on the rate; None for none.
        sightings: Of snapshots, by earlier calls of this worker.
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
        rows_per_second: float | None = None,
        sightings: Sightings | None = None,
    ) -> None:
        self._database = database
        self._job = job
        self._request = request
        self._limit = limit
        self._budget = budget or Budget()
        self._gate = PlanGate(database, job, request, plans or PlanOptions())
        self._rows_per_second = rows_per_second
        self._sightings = sightings or Sightings()
        self._metrics = NightlyMetrics(activity.metric_meter(), job.job_type)
        self._batches = 0
        self._steps = 0
        self._ends = 0.0

    async def work(self, beats: Heartbeats) -> tuple[NightlyRun, Tally]:
        """Go on where the run stands until it is done or the budget is used up.

        Returns:
            The run, which says whether it is done and where it stands, and what it has done so far.

        Raises:
            ConfigurationError: The database does not let the job work, or a clock is wrong.
            PermissionDeniedError: The run needs a plan, or its plan does not let it begin; nothing was touched.
            UnavailableError: The database is gone; another attempt goes on where it stands.
        """
        self._ends = asyncio.get_running_loop().time() + self._budget.seconds
        async with self._database.read() as connection:
            await self._job.begin(connection)
        run = await NightlyRun.find(self._database, self._request)
        if run is None:
            await self._gate.admit()
            every = partial(every_tenant, self._job, self._request.payload.organization_ids)
            run = await NightlyRun.begin(self._database, self._request, every)
            await tell_trend(self._database, run, self._metrics)
        if not run.done:
            try:
                run = await self._go_on(run, beats)
            except BaseException:
                self._metrics.over()
                raise
        return run, await tally(self._database, run)

    async def _go_on(self, run: NightlyRun, beats: Heartbeats) -> NightlyRun:
        pace = self._pace(run)
        dry_run = self._request.payload.dry_run
        progress = RunProgress(self._database, run, beats, pace=pace, metrics=self._metrics, dry_run=dry_run)
        done = await self._all(run, pace, progress)
        if not done:
            await pace.settle(_asked_to_end)
        ended = RunEnd(self._database, run, self._metrics)
        stand = progress.standing(await tally(self._database, run))
        await ended.keep(stand, done=done)
        if done:
            pace.brake.release()
        return replace(await run.finished(self._database) if done else run, stand=stand)

    def _pace(self, run: NightlyRun) -> RunPace:
        options = self._database.options.pace
        size = run.stand.batch_size or options.first_batch
        brake = Brake(
            looking(self._database, self._job.changed_table, self._sightings),
            options.brake,
            job_type=self._job.job_type,
            braked=run.stand.reason,
            now=time.monotonic,
        )
        pace = Pace.begin(size, limit=self._limit, target_s=options.target_s)
        return RunPace(pace, brake, rows_per_second=self._rows_per_second, work_share=options.work_share)

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

    async def _all(self, run: NightlyRun, pace: RunPace, progress: RunProgress) -> bool:
        """Return whether every tenant is finished; false when the budget was used up first."""
        tenants = self._tenants(run)
        batches = RunBatches(self._database, self._job, run, tenants)
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
                if wanted and not await self._finish(tenant, tenants, batches, pace, progress):
                    return False
            if not unfinished and not page:
                return True
            cursor = page[-1] if page else cursor

    async def _finish(
        self, tenant: Tenant, tenants: RunTenants, batches: RunBatches, pace: RunPace, progress: RunProgress
    ) -> bool:
        """Return whether to go on with the next tenant: this one is finished, or somebody has its rows locked."""
        while True:
            await pace.ready(lambda: _asked_to_end() or self._used_up())
            if self._used_up():
                return False
            self._batches += 1
            await progress.tell(tenant.organization_id)
            if not await self._patiently(tenant, tenants, partial(self._change, tenant, batches, pace)):
                return True

    async def _change(self, tenant: Tenant, batches: RunBatches, pace: RunPace) -> bool:
        """Change one batch and take note of how long it took; where rows are locked, a smaller one.

        Raises:
            _LockedError: Rows of the smallest batch are locked.
        """
        while True:
            smallest = pace.size <= pace.floor
            began = time.monotonic()
            try:
                changed = await batches.change(tenant, limit=pace.size, stretch=pace.stretch)
            except RetryableError as error:
                pace.refused(state_of(error))
                self._metrics.refused()
                if state_of(error) != LOCKED:
                    raise
                if smallest:
                    raise _LockedError(error) from error
            else:
                break
        seconds = time.monotonic() - began
        pace.done(seconds, rows=changed.rows, seen=changed.seen, work_s=changed.work_s)
        self._metrics.batch(seconds, rows=changed.rows)
        return changed.more

    def _used_up(self) -> bool:
        """Whether to report first; never before something was done, or a slow look would stop a run for good.

        A worker that drains hands the run over the same way: the workflow calls again, and another worker goes on. So
        does a call that the workflow stops, see ``_nightly_handover``.
        """
        spent = self._batches >= self._budget.batches or asyncio.get_running_loop().time() >= self._ends
        return (spent or _asked_to_end()) and self._steps > 0

    async def _patiently(self, tenant: Tenant, tenants: RunTenants, step: Callable[[], Awaitable[bool]]) -> bool:
        """Try a transaction again where another one was in its way; anything permanent fails the tenant alone.

        A tenant whose rows somebody has locked is left for later: the other tenants come first, and it fails only
        after a patience that is set.
        """
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
            if await self._later(error, tenant, tenants):
                return False
            cause = error.error if isinstance(error, _LockedError) else error
            log_failure("A tenant has failed", cause, {**tenant.values, "run_id": self._request.run_id})
            message = cause.message if isinstance(cause, ApplicationError) else f"{type(cause).__name__} in the worker"
            await _retried(partial(tenants.fail, tenant, message))
            return False

    async def _later(self, error: Exception, tenant: Tenant, tenants: RunTenants) -> bool:
        """Return whether to come back to the tenant, after a moment in which the locks may go away."""
        timed_out = isinstance(error, RetryableError) and state_of(error) == TIMED_OUT
        if not timed_out and not isinstance(error, _LockedError):
            return False
        if await tenants.stuck(tenant, self._database.options.pace.lock_patience_s):
            return False
        await _moment(1)
        return True


class _LockedError(Exception):
    """Rows of the smallest batch are locked.

    Attributes:
        error: What the database said.
    """

    def __init__(self, error: RetryableError) -> None:
        super().__init__()
        self.error = error


def _asked_to_end() -> bool:
    """Say whether the worker drains or the workflow stops the call."""
    return activity.is_worker_shutdown() or activity.is_cancelled()


def state_of(error: ApplicationError) -> str:
    """Return the SQLSTATE that an error of the database carries; empty if it has none."""
    return str(error.facts.get("sqlstate") or "")


async def _retried(step: Callable[[], Awaitable[Result]]) -> Result:
    for attempt in range(1, _TRIES):
        try:
            return await step()
        except RetryableError:
            await _moment(attempt)
    return await step()


async def _moment(attempt: int) -> None:
    await asyncio.sleep(_FIRST_WAIT_S * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311 - spreads, guards nothing
