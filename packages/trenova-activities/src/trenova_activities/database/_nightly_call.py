"""One call of a nightly job's activity: go on where the run stands, and answer with how far it is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from trenova_activities._heartbeats import heartbeats
from trenova_activities._nightly_contract import NightlyPayload, NightlyProgress
from trenova_activities._nightly_limits import RunLimits
from trenova_activities._wire import WireModel
from trenova_activities.database._engine import Database
from trenova_activities.database._health_postgresql import Sightings
from trenova_activities.database._nightly import Budget, NightlyEngine
from trenova_activities.database._nightly_job import NightlyJob
from trenova_activities.database._nightly_notices import failed_tenants, involved_tenants
from trenova_activities.database._nightly_run import NightlyRun, RunRequest
from trenova_activities.database._nightly_summary import Summary, summary
from trenova_activities.database._nightly_tenants import FAILED, SKIPPED
from trenova_activities.database._notify_roles import NotifyRoles
from trenova_activities.database._own_run import cancel_own_run
from trenova_activities.database._plan_options import PlanOptions

Progress = TypeVar("Progress", bound=NightlyProgress)


@dataclass(frozen=True)
class NightlyCalls:
    """What every call of a worker has in common.

    Attributes:
        database: The TMS's database.
        notify_roles: Who is told of failures.
        budget: How much one call does before it reports.
        plans: When a run needs a plan.
        sightings: Of snapshots that others keep, from call to call.
    """

    database: Database
    notify_roles: NotifyRoles
    budget: Budget | None = None
    plans: PlanOptions = field(default_factory=PlanOptions)
    sightings: Sightings = field(default_factory=Sightings)

    async def answer(
        self,
        job: NightlyJob,
        payload: NightlyPayload,
        *,
        limit: int,
        progress: type[Progress],
        result: Callable[[NightlyRun, Summary], WireModel],
    ) -> Progress:
        """Work for one call; for a run that is failing only say whom to tell, and end one that is to be canceled.

        Args:
            job: The rule.
            payload: What is asked.
            limit: Rows that a transaction may change at most, where the payload does not say.
            progress: The model of the answer.
            result: Makes the result of a run that is done, which the last answer brings.

        Raises:
            ConfigurationError: The database does not let the job work, or a clock is wrong.
            PermissionDeniedError: The run needs a plan, or its plan does not let it begin.
            UnavailableError: The database is gone; the next attempt goes on from its tables.
        """
        if payload.run is not None and payload.run.canceled:
            await cancel_own_run()
            return progress(done=False)
        request = RunRequest.of(job.job_type, payload)
        if payload.run is not None and payload.run.failed:
            told = await involved_tenants(self.database, job, request, self.notify_roles)
            return progress(done=True, notices=told)
        limits = (payload.run.limits if payload.run else None) or RunLimits()
        engine = NightlyEngine(
            self.database,
            job,
            request,
            limit=limits.batch_size or payload.batch_size or limit,
            budget=self.budget,
            plans=self.plans,
            rows_per_second=limits.rows_per_second,
            sightings=self.sightings,
        )
        async with heartbeats() as beats:
            run, numbers = await engine.work(beats)
            stand = progress(
                done=run.done,
                tenants_done=numbers.finished,
                rows=numbers.rows,
                organization=numbers.organization,
                tenants_failed=numbers.tenants.get(FAILED, 0),
                tenants_skipped=numbers.tenants.get(SKIPPED, 0),
                **run.stand.fields,
            )
            if not run.done:
                return stand
            whole = await summary(self.database, run, payload.organization_ids)
        ended = {"failure": whole.failure, "notices": failed_tenants(whole, self.notify_roles)}
        return stand.model_copy(update={"result": result(run, whole), **ended})
