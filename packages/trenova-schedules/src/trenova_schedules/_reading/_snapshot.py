"""Read one schedule."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from temporalio.api.enums.v1 import ScheduleOverlapPolicy, WorkflowExecutionStatus
from temporalio.api.schedule.v1 import ScheduleActionResult, ScheduleInfo
from temporalio.api.workflowservice.v1 import DescribeScheduleRequest, DescribeScheduleResponse
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import InvalidInputError, ResourceNotFoundError
from trenova_schedules._definition import APPLIED_MEMO, CRON_MEMO, OWNER_MEMO, REVISION_MEMO
from trenova_schedules._reading._cron_memo import cron_of
from trenova_schedules._reading._document import RunDocument, ScheduleCounts, ScheduleDocument
from trenova_schedules._reading._etag import TRIGGER_MEMO, etag_of
from trenova_schedules._reading._memo import ReadMemo, action_converter, decoded, kept_of
from trenova_schedules._reading._when import calendar_of, duration_of, interval_of, moment_of

_WITHIN: Final = timedelta(seconds=30)
_OF_THE_ACTION: Final = frozenset({REVISION_MEMO, APPLIED_MEMO, CRON_MEMO, TRIGGER_MEMO})


@dataclass(frozen=True)
class ScheduleSnapshot:
    """A schedule at one moment.

    Attributes:
        document: Decoded.
        raw: The server's answer, of which it was made; not to be changed.
        revisions: Our last writes, the newest first.
        claim: Of the last trigger by hand: its nominal second and an id.
    """

    document: ScheduleDocument
    raw: DescribeScheduleResponse
    revisions: tuple[str, ...] = ()
    claim: str = ""


async def read_schedule(client: Client, schedule_id: str) -> ScheduleSnapshot:
    """Read a schedule with everything that can be known of it.

    Raises:
        InvalidInputError: The id is empty.
        ResourceNotFoundError: There is none with this id.
        temporalio.service.RPCError: The server could not be asked.
    """
    if not schedule_id:
        raise InvalidInputError("The id of a schedule is empty. Give the id of one that there is.")
    request = DescribeScheduleRequest(namespace=client.namespace, schedule_id=schedule_id)
    try:
        raw = await client.workflow_service.describe_schedule(request, retry=True, timeout=_WITHIN)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise ResourceNotFoundError.of("schedule", schedule_id, namespace=client.namespace) from error
    return await snapshot_of(client, schedule_id, raw)


async def snapshot_of(client: Client, schedule_id: str, raw: DescribeScheduleResponse) -> ScheduleSnapshot:
    """Decode an answer of the server."""
    start = raw.schedule.action.start_workflow
    own = await decoded(client.data_converter, raw.memo.fields, frozenset({OWNER_MEMO}))
    of_action = await decoded(action_converter(client, start.workflow_id), start.memo.fields, _OF_THE_ACTION)
    revisions = tuple(str(of_action.values.get(REVISION_MEMO) or "").split())
    claim = str(of_action.values.get(TRIGGER_MEMO) or "")
    return ScheduleSnapshot(_document(schedule_id, raw, own, of_action, revisions), raw, revisions, claim)


def _document(
    schedule_id: str, raw: DescribeScheduleResponse, own: ReadMemo, of_action: ReadMemo, revisions: tuple[str, ...]
) -> ScheduleDocument:
    kept = kept_of(of_action.values.get(APPLIED_MEMO))
    owner = own.values.get(OWNER_MEMO)
    return ScheduleDocument(
        id=schedule_id,
        etag=etag_of(raw),
        revision=revisions[0] if revisions else None,
        owner=None if owner is None else str(owner),
        description=kept.description,
        labels=kept.labels,
        runbook=kept.runbook,
        slo=kept.slo,
        backfill=kept.backfill,
        unreadable=(*own.unreadable, *of_action.unreadable),
        **_when(raw, of_action.values.get(CRON_MEMO)),
        **_how(raw),
        **_history(raw.info),
    )


def _when(raw: DescribeScheduleResponse, cron: Any) -> dict[str, Any]:
    spec = raw.schedule.spec
    return {
        "cron": cron_of(cron, spec),
        "intervals": tuple(map(interval_of, spec.interval)),
        "calendars": tuple(map(calendar_of, spec.structured_calendar)),
        "excluded_calendars": tuple(map(calendar_of, spec.exclude_structured_calendar)),
        "time_zone": spec.timezone_name or "UTC",
        "jitter": duration_of(spec.jitter),
        "start_at": moment_of(spec.start_time) if spec.HasField("start_time") else None,
        "end_at": moment_of(spec.end_time) if spec.HasField("end_time") else None,
    }


def _how(raw: DescribeScheduleResponse) -> dict[str, Any]:
    start, policies, state = raw.schedule.action.start_workflow, raw.schedule.policies, raw.schedule.state
    return {
        "workflow": start.workflow_type.name,
        "task_queue": start.task_queue.name,
        "overlap": overlap_name(policies.overlap_policy),
        "catchup_window": duration_of(policies.catchup_window),
        "pause_on_failure": policies.pause_on_failure,
        "note": state.notes,
        "paused": state.paused,
        "remaining_actions": state.remaining_actions if state.limited_actions else None,
    }


def _history(info: ScheduleInfo) -> dict[str, Any]:
    return {
        "next_fires": tuple(map(moment_of, info.future_action_times)),
        "recent_runs": tuple(map(run_of, info.recent_actions)),
        "running": tuple(RunDocument(workflow_id=one.workflow_id, run_id=one.run_id) for one in info.running_workflows),
        "counts": ScheduleCounts(
            actions=info.action_count,
            missed_catchup=info.missed_catchup_window,
            skipped_overlap=info.overlap_skipped,
            buffer_size=info.buffer_size,
            buffer_dropped=info.buffer_dropped,
        ),
        "invalid_reason": info.invalid_schedule_error,
        "created_at": moment_of(info.create_time) if info.HasField("create_time") else None,
        "updated_at": moment_of(info.update_time) if info.HasField("update_time") else None,
    }


def run_of(result: ScheduleActionResult) -> RunDocument:
    """Return one of the runs that the server remembers of a schedule."""
    name = WorkflowExecutionStatus.Name(result.start_workflow_status)
    return RunDocument(
        scheduled_at=moment_of(result.schedule_time),
        started_at=moment_of(result.actual_time),
        workflow_id=result.start_workflow_result.workflow_id,
        run_id=result.start_workflow_result.run_id,
        status=name.removeprefix("WORKFLOW_EXECUTION_STATUS_").lower(),
    )


def overlap_name(policy: ScheduleOverlapPolicy.ValueType) -> str:
    """Return a policy in lower case; what was never said is ``skip`` to the server."""
    name = ScheduleOverlapPolicy.Name(policy).removeprefix("SCHEDULE_OVERLAP_POLICY_").lower()
    return "skip" if name == "unspecified" else name
