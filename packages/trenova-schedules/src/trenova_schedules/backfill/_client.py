"""Preview, start and follow backfills."""

import uuid
from datetime import timedelta
from typing import Any, Final, Literal

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ConflictError, InvalidInputError
from trenova_schedules.backfill._call_contract import TicksCall
from trenova_schedules.backfill._contract import BackfillInput, BackfillMark, Started
from trenova_schedules.backfill._judging import FAILED, Judge, RunLedger, Verdict
from trenova_schedules.backfill._names import BACKFILL_QUEUE, BACKFILL_WORKFLOW, REQUEST_DIGEST
from trenova_schedules.backfill._outcome_contract import BackfillPreview, BackfillProgress, BackfillResult, Becomes
from trenova_schedules.backfill._planning import PAGE, Planned, plan_backfill
from trenova_schedules.backfill._request import BackfillRequest
from trenova_schedules.backfill._steering_client import PATIENCE, progress_of, steer
from trenova_schedules.backfill._steering_contract import (
    CancelRequest,
    LimitsRequest,
    PauseRequest,
    ResumeRequest,
    SteeringAnswer,
)
from trenova_schedules.backfill._ticks import moment, moments

_MOST_OF_AN_ID: Final = 1_000
_SHOWN: Final = 100
_NOBODY: Final = BackfillMark(backfill="", run_id="")
_BECOMES: Final[dict[Verdict, Becomes]] = {
    Verdict.DUE: "due",
    Verdict.HAD_RUN: "had_run",
    Verdict.UNKNOWN: "unknown",
    Verdict.OURS: "had_run",
}


class BackfillHandle:
    """A backfill, by its workflow id; a chain of runs counts as one.

    Args:
        client: Any client whose data converter writes what the workers read (``ErrorsPlugin`` suffices).
        workflow_id: As :func:`backfill_workflow_id` makes it.
    """

    def __init__(self, client: Client, workflow_id: str) -> None:
        self._client = client
        self.id = workflow_id

    @property
    def workflow(self) -> WorkflowHandle[Any, BackfillResult]:
        """The newest run."""
        return self._client.get_workflow_handle(self.id, result_type=BackfillResult)

    async def progress(self, *, patience: timedelta = PATIENCE) -> BackfillProgress:
        """Ask how far it is; one that has ended answers too. Raises as :func:`progress_of`."""
        return await progress_of(self._client, self.id, patience=patience)

    async def pause(self, *, reason: str, by: str, update_id: str | None = None) -> SteeringAnswer:
        """Stop after the call under way, within about 10 seconds, until somebody resumes."""
        return await steer(self._client, self.id, PauseRequest(reason=reason, by=by), update_id=update_id)

    async def resume(self, *, by: str, update_id: str | None = None) -> SteeringAnswer:
        """Go on where it stands."""
        return await steer(self._client, self.id, ResumeRequest(by=by), update_id=update_id)

    async def cancel(
        self, *, reason: str, by: str, runs: Literal["leave", "cancel"] = "leave", update_id: str | None = None
    ) -> SteeringAnswer:
        """End it after the call under way, and leave the runs that it started alone, or cancel them."""
        return await steer(self._client, self.id, CancelRequest(reason=reason, by=by, runs=runs), update_id=update_id)

    async def change_limits(
        self,
        *,
        by: str,
        rate_per_second: float | None = None,
        concurrency: int | None = None,
        update_id: str | None = None,
    ) -> SteeringAnswer:
        """Change how fast it may be from its next call on; 0 goes back to what it was started with."""
        limits = LimitsRequest(by=by, rate_per_second=rate_per_second, concurrency=concurrency)
        return await steer(self._client, self.id, limits, update_id=update_id)

    async def result(self) -> BackfillResult:
        """Wait for the end.

        Raises:
            temporalio.client.WorkflowFailureError: It was canceled, or a call failed for good.
        """
        return await self.workflow.result()


def backfill_workflow_id(schedule_id: str, key: str) -> str:
    """Return ``backfill/<schedule>/<key>``, the same for every caller of a key.

    Raises:
        InvalidInputError: It is longer than Temporal takes, or the key is empty or has a slash.
    """
    if not key or "/" in key:
        raise InvalidInputError(f"The key {key!r} is empty or has a slash. Use another one.")
    workflow_id = f"backfill/{schedule_id}/{key}"
    if (length := len(workflow_id.encode())) > _MOST_OF_AN_ID:
        raise InvalidInputError(
            f"The workflow id made from the key has {length} bytes; at most {_MOST_OF_AN_ID} are possible. Use a "
            "shorter key."
        )
    return workflow_id


async def preview_backfill(
    client: Client,
    request: BackfillRequest,
    *,
    ledger: RunLedger | None = None,
    show: int = _SHOWN,
    skip: int = 0,
) -> BackfillPreview:
    """Say what a backfill would do now; its plan comes from the function that makes the plan of the backfill itself.

    Args:
        client: Of the schedule's namespace.
        request: What would be asked.
        ledger: What the workers judge by, if they have one.
        show: Ticks to name.
        skip: Ticks before the first that is named.

    Raises:
        ConflictError: The schedule must not be backfilled, or is being changed.
        InvalidInputError: The range ends in the future, has too many ticks or some of which nobody knows whether they
            ran; the schedule starts no workflow.
        ResourceNotFoundError: There is no such schedule.
    """
    judge = Judge(client, ledger)
    planned = await plan_backfill(client, request, judge)
    verdicts = await _verdicts(request, planned, judge)
    judged = Started(
        processed=len(verdicts),
        due=verdicts.count(Verdict.DUE),
        had_run=verdicts.count(Verdict.HAD_RUN),
        unknown=verdicts.count(Verdict.UNKNOWN),
    )
    starts = judged.due if planned.plan.mode == "each" else min(1, judged.due)
    return BackfillPreview(
        schedule_id=request.schedule_id,
        digest=planned.plan.digest,
        mode=planned.plan.mode,
        planned=len(planned.times),
        times=moments(planned.times[skip : skip + show]),
        becomes=[_BECOMES[one] for one in verdicts[skip : skip + show]],
        judged=judged,
        concurrency=planned.plan.concurrency,
        evidence=planned.plan.evidence,
        seconds=round(starts / request.rate_per_second) if request.rate_per_second else 0,
    )


async def start_backfill(
    client: Client,
    request: BackfillRequest,
    *,
    key: str | None = None,
    task_queue: str = BACKFILL_QUEUE,
    ledger: RunLedger | None = None,
) -> BackfillHandle:
    """Start a backfill, or find the one that already does exactly this.

    It is planned here first, so that what is refused leaves nothing behind, and its plan has to be the same in the
    worker.

    Args:
        client: Any client whose data converter writes what the workers read (``ErrorsPlugin`` suffices).
        request: What to do.
        key: Calls with one key make one backfill; made up if absent. A canceled or failed one is started again.
        task_queue: Another queue whose workers serve backfills.
        ledger: What the workers judge by, if they have one.

    Raises:
        ConflictError: The key was used for another request; and as :func:`preview_backfill`.
        InvalidInputError: As :func:`preview_backfill`.
        ResourceNotFoundError: As :func:`preview_backfill`.
    """
    workflow_id = backfill_workflow_id(request.schedule_id, key or uuid.uuid4().hex)
    digest = request.digest_of_request()
    if key is not None and await _is_there(client, workflow_id, request):
        return BackfillHandle(client, workflow_id)
    planned = await plan_backfill(client, request, Judge(client, ledger))
    try:
        await client.start_workflow(
            BACKFILL_WORKFLOW,
            BackfillInput(request=request.model_copy(update={"digest": planned.plan.digest})),
            id=workflow_id,
            task_queue=task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            memo={REQUEST_DIGEST: digest},
            static_summary=_summary(request),
            static_details=_details(request, planned),
        )
    except WorkflowAlreadyStartedError:
        await _is_there(client, workflow_id, request)
    return BackfillHandle(client, workflow_id)


async def _verdicts(request: BackfillRequest, planned: Planned, judge: Judge) -> list[Verdict]:
    found: list[Verdict] = []
    for begin in range(0, len(planned.times), PAGE):
        call = TicksCall.of(request, planned.plan, _NOBODY, planned.times[begin : begin + PAGE])
        found += await judge.verdicts(call)
    return found


async def _is_there(client: Client, workflow_id: str, request: BackfillRequest) -> bool:
    """Say whether this very backfill is under way or done.

    Raises:
        ConflictError: Another one is.
    """
    try:
        run = await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    if run.status in FAILED:
        return False
    if (await run.memo()).get(REQUEST_DIGEST) != request.digest_of_request():
        differs = await _differences(client, workflow_id, request)
        raise ConflictError(
            f"The key was already used for another backfill (workflow {workflow_id!r}){differs}. "
            "Use a new key, or repeat the request unchanged.",
            workflow_id=workflow_id,
        )
    return True


async def _differences(client: Client, workflow_id: str, request: BackfillRequest) -> str:
    """Say in which fields a backfill was asked for something else, as far as this client can read what it was asked."""
    async for event in client.get_workflow_handle(workflow_id).fetch_history_events():
        given = event.workflow_execution_started_event_attributes.input.payloads
        try:
            (told,) = await client.data_converter.decode(given, [BackfillInput])
        except Exception:  # noqa: BLE001  # of whatever codec; without it there is less to say
            return ""
        return f", which differs in {', '.join(request.differences(told.request))}"
    return ""


def _summary(request: BackfillRequest) -> str:
    start, end = (moment(int(at.timestamp())) for at in (request.start_at, request.end_at))
    return f"Backfill, {request.policy.replace('_', ' ')} ticks from {start} to {end}"


def _details(request: BackfillRequest, planned: Planned) -> str:
    how = "one run stands for all" if planned.plan.mode == "collapse" else "each by itself"
    return (
        f"{planned.plan.ticks.count:,} ticks of the schedule {request.schedule_id}, {how}.\n\n"
        f"Asked by {request.by}, as they say: {request.reason}"
    )
