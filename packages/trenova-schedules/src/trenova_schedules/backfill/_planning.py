"""What a backfill does: one function, for its preview and for itself."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.schedule.v1 import Schedule
from temporalio.api.workflow.v1 import NewWorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeScheduleRequest,
)
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ConflictError, InvalidInputError, ResourceNotFoundError
from trenova_schedules.backfill._call_contract import TicksCall
from trenova_schedules.backfill._contract import BackfillMark, Mode, Plan
from trenova_schedules.backfill._judging import Judge, Verdict
from trenova_schedules.backfill._nominal import nominal_times
from trenova_schedules.backfill._outcome_contract import BackfillResult
from trenova_schedules.backfill._request import BackfillRequest
from trenova_schedules.backfill._ticks import TickSet, moment

PAGE: Final = 1_000
"""Ticks that are looked at together."""

MOST_BYTES: Final = 2**20
"""Of a schedule's action; what a workflow is given has 2 MiB at most, and this is carried in base64."""

_APPLIED_MEMO: Final = "trenova.applied"
"""The memo of an action in which the reconciler keeps the definition's fields."""

_TRIES: Final = 3
_NOBODY: Final = BackfillMark(backfill="", run_id="")


@dataclass(frozen=True)
class Planned:
    """A plan, with its times unpacked.

    Attributes:
        plan: What is carried.
        times: Its ticks, unix seconds.
    """

    plan: Plan
    times: list[int]


async def plan_backfill(client: Client, request: BackfillRequest, judge: Judge) -> Planned:
    """Fix what a backfill does; nothing is changed.

    Args:
        client: Of the schedule's namespace.
        request: What is asked.
        judge: Says which ticks ran.

    Raises:
        ConflictError: The schedule must not be backfilled, changed meanwhile, or is not as it was previewed.
        InvalidInputError: The range ends in the future, has too many ticks or some of which nobody knows whether they
            ran; the schedule starts no workflow.
        ResourceNotFoundError: There is no such schedule, or no such earlier backfill.
    """
    if request.end_at > (now := datetime.now(UTC)):
        raise InvalidInputError(
            f"The range ends {request.end_at.isoformat()}, in the future. A backfill runs what should have run; end it "
            f"at {now.isoformat(timespec='seconds')} or before."
        )
    schedule, times = await _times(client, request)
    action = _action(schedule, request.schedule_id)
    times = await _only_holes(client, request, times)
    plan = Plan(
        ticks=TickSet.of(times),
        mode=await _mode(client, action, request.schedule_id),
        action=base64.b64encode(action.SerializeToString(deterministic=True)).decode(),
        concurrency=_concurrency(schedule, request),
        kept_seconds=await _kept_seconds(client),
        evidence="visibility" if judge.ledger is None else "visibility and ledger",
        last=times[-1] if times else None,
    )
    planned = Planned(plan, times)
    if request.digest not in {None, plan.digest}:
        raise ConflictError(
            f"The schedule {request.schedule_id!r} is not as it was previewed: the backfill would now run "
            f"{plan.ticks.count:,} ticks, {plan.mode}. Nothing was started; look at a new preview."
        )
    await _refuse_unknown(request, planned, judge)
    return planned


async def _times(client: Client, request: BackfillRequest) -> tuple[Schedule, list[int]]:
    """Return the schedule and its ticks, of one and the same state of it."""
    start, end = int(request.start_at.timestamp()), int(request.end_at.timestamp())
    schedule = await _described(client, request.schedule_id)
    for _ in range(_TRIES):
        times = await nominal_times(client, request.schedule_id, schedule.spec, start, end, limit=request.max_ticks)
        seen, schedule = schedule, await _described(client, request.schedule_id)
        if seen.spec == schedule.spec:
            _refuse_many(request, times)
            return schedule, times
    raise ConflictError(f"The schedule {request.schedule_id!r} is being changed all the time. Ask again.")


async def _described(client: Client, schedule_id: str) -> Schedule:
    asked = DescribeScheduleRequest(namespace=client.namespace, schedule_id=schedule_id)
    try:
        return (await client.workflow_service.describe_schedule(asked, retry=True)).schedule
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise ResourceNotFoundError.of("schedule", schedule_id) from None
        raise


def _refuse_many(request: BackfillRequest, times: Sequence[int]) -> None:
    if len(times) > request.max_ticks:
        raise InvalidInputError(
            f"The range has more than {request.max_ticks:,} ticks; the last one before that is "
            f"{moment(times[request.max_ticks - 1])}. Make several backfills, or raise max_ticks.",
            schedule_id=request.schedule_id,
        )


def _action(schedule: Schedule, schedule_id: str) -> NewWorkflowExecutionInfo:
    kind = schedule.action.WhichOneof("action")
    if kind != "start_workflow":  # the server knows no other today
        raise InvalidInputError(
            f"The schedule {schedule_id!r} starts no workflow (its action is {str(kind)!r}); only such can be "
            "backfilled."
        )
    action = schedule.action.start_workflow
    if (size := action.ByteSize()) > MOST_BYTES:
        raise InvalidInputError(
            f"The action of the schedule {schedule_id!r} has {size:,} bytes, of {MOST_BYTES:,} that can be carried. "
            "Let its arguments name what they hold now."
        )
    return action


async def _mode(client: Client, action: NewWorkflowExecutionInfo, schedule_id: str) -> Mode:
    """Return what the definition says; a schedule without one is run tick by tick."""
    payload = action.memo.fields.get(_APPLIED_MEMO)
    if payload is None:
        return "each"
    [text] = await client.data_converter.decode([payload], [str])
    said = _backfill_field(text)
    if said == "never":
        raise ConflictError(
            f"The definition of the schedule {schedule_id!r} says 'backfill: never', because late runs do harm. "
            "Nothing was started; change the definition if that is no longer so."
        )
    return "collapse" if said == "collapse" else "each"


def _backfill_field(text: Any) -> str:
    try:
        return str(json.loads(text)["fields"]["backfill"])
    except (KeyError, TypeError, ValueError):
        return "each"


def _concurrency(schedule: Schedule, request: BackfillRequest) -> int:
    if request.concurrency is not None:
        return request.concurrency
    allowed = ScheduleOverlapPolicy.SCHEDULE_OVERLAP_POLICY_ALLOW_ALL
    return 0 if schedule.policies.overlap_policy == allowed else 1


async def _kept_seconds(client: Client) -> int:
    found = await client.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=client.namespace), retry=True
    )
    return int(found.config.workflow_execution_retention_ttl.ToTimedelta().total_seconds())


async def _only_holes(client: Client, request: BackfillRequest, times: list[int]) -> list[int]:
    """Leave of the ticks those that an earlier backfill left open; the judge leaves out what ran since."""
    if request.holes_of is None:
        return times
    result = await _earlier(client, request.holes_of)
    if result.schedule_id != request.schedule_id:
        raise InvalidInputError(
            f"The backfill {request.holes_of!r} is of the schedule {result.schedule_id!r}, not {request.schedule_id!r}."
        )
    holes = {int(hole.at.timestamp()) for hole in result.holes}
    if not result.holes_truncated:
        return [at for at in times if at in holes]
    return [at for at in times if at >= min(holes)]


async def _earlier(client: Client, workflow_id: str) -> BackfillResult:
    handle = client.get_workflow_handle(workflow_id, result_type=BackfillResult)
    try:
        run = await handle.describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise ResourceNotFoundError.of("backfill", workflow_id) from None
        raise
    if run.status is not WorkflowExecutionStatus.COMPLETED:
        raise ConflictError(f"The backfill {workflow_id!r} has no result that names holes; backfill its range instead.")
    return cast("BackfillResult", await handle.result())


async def _refuse_unknown(request: BackfillRequest, planned: Planned, judge: Judge) -> None:
    """Refuse where it would be guessed that ticks did not run, since the server has forgotten."""
    if request.policy == "all" or request.older != "refuse":
        return
    kept_since = datetime.now(UTC).timestamp() - planned.plan.kept_seconds
    old = [at for at in planned.times if at < kept_since]
    unknown = 0
    for begin in range(0, len(old), PAGE):
        call = TicksCall.of(request, planned.plan, _NOBODY, old[begin : begin + PAGE])
        unknown += (await judge.verdicts(call)).count(Verdict.UNKNOWN)
    if unknown:
        raise InvalidInputError(
            f"{unknown:,} of {len(planned.times):,} ticks are older than the namespace keeps runs "
            f"({planned.plan.kept_seconds / 3_600:,.0f} hours), so nobody knows whether they ran. Say what becomes of "
            "them: older 'run' runs them, perhaps a second time, 'skip' leaves them alone. Or choose a later start.",
            schedule_id=request.schedule_id,
        )
