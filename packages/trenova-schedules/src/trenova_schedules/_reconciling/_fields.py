"""The fields of a schedule that its definition manages, each as a JSON value and as a part of the server's message.

Not among them: whether it is paused, its note, how many actions remain, its priority and headers. Operators and
plugins own those, so nothing here reads or writes them.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.schedule.v1 import Schedule
from temporalio.client import Client

from trenova_schedules._definition import OUR_MEMOS
from trenova_schedules._managing._pausing import CATCH_UP_MEMO, PAUSED_MEMO
from trenova_schedules._reading._etag import TRIGGER_MEMO
from trenova_schedules._reading._memo import action_converter
from trenova_schedules._reconciling._plain import Json, clear_fields, plain_fields, plain_values
from trenova_schedules._reconciling._when import duration_text, when_of

_NOT_THEIRS: Final = OUR_MEMOS | {TRIGGER_MEMO, PAUSED_MEMO, CATCH_UP_MEMO}

Fields: TypeAlias = Mapping[str, Json]
"""JSON values by the names in :data:`SERVER_FIELDS`."""


async def fields_of(client: Client, schedule: Schedule, *, cron: str | None) -> dict[str, Json]:
    """Return the managed fields of a schedule that is on the server, or about to be sent there.

    Args:
        client: Its data converter decodes arguments, memo, summary and details.
        schedule: The server's message.
        cron: The string of which the calendars were made, where that is known.
    """
    start, spec, policies = schedule.action.start_workflow, schedule.spec, schedule.policies
    converter = action_converter(client, start.workflow_id)
    said = start.user_metadata
    texts = [one for one in (said.summary, said.details) if one.metadata]
    read = iter(await plain_values(converter, texts))
    return {
        "workflow": start.workflow_type.name,
        "taskQueue": start.task_queue.name,
        "args": await plain_values(converter, start.input.payloads),
        "when": when_of(spec, cron),
        "timeZone": spec.timezone_name or "UTC",
        "jitter": duration_text(spec.jitter),
        "startAt": _moment(spec.start_time) if spec.HasField("start_time") else None,
        "endAt": _moment(spec.end_time) if spec.HasField("end_time") else None,
        "overlap": ScheduleOverlapPolicy.Name(policies.overlap_policy).removeprefix("SCHEDULE_OVERLAP_POLICY_").lower(),
        "catchupWindow": duration_text(policies.catchup_window),
        "pauseOnFailure": policies.pause_on_failure,
        "runSummary": next(read) if said.summary.metadata else "",
        "runDetails": next(read) if said.details.metadata else "",
        "runMemo": await plain_fields(converter, _others(start.memo.fields)),
        "runSearchAttributes": clear_fields(start.search_attributes.indexed_fields),
    }


def copy_field(name: str, source: Schedule, to: Schedule) -> None:
    """Make one managed field of a schedule what it is in another, and leave everything else."""
    _COPIES[name](source, to)


def _moment(at: Timestamp) -> str:
    return at.ToJsonString()


def _others(fields: Mapping[str, Payload]) -> dict[str, Payload]:
    return {name: payload for name, payload in fields.items() if name not in _NOT_THEIRS}


def _workflow(source: Schedule, to: Schedule) -> None:
    to.action.start_workflow.workflow_type.CopyFrom(source.action.start_workflow.workflow_type)


def _queue(source: Schedule, to: Schedule) -> None:
    to.action.start_workflow.task_queue.name = source.action.start_workflow.task_queue.name


def _args(source: Schedule, to: Schedule) -> None:
    to.action.start_workflow.input.CopyFrom(source.action.start_workflow.input)


def _when(source: Schedule, to: Schedule) -> None:
    for part in (
        "structured_calendar",
        "cron_string",
        "calendar",
        "interval",
        "exclude_calendar",
        "exclude_structured_calendar",
    ):
        to.spec.ClearField(part)
        getattr(to.spec, part).extend(getattr(source.spec, part))


def _zone(source: Schedule, to: Schedule) -> None:
    to.spec.timezone_name = source.spec.timezone_name
    to.spec.timezone_data = source.spec.timezone_data


def _spec_part(part: str) -> Callable[[Schedule, Schedule], None]:
    def copy(source: Schedule, to: Schedule) -> None:
        to.spec.ClearField(part)  # type: ignore[arg-type]
        if source.spec.HasField(part):  # type: ignore[arg-type]
            getattr(to.spec, part).CopyFrom(getattr(source.spec, part))

    return copy


def _overlap(source: Schedule, to: Schedule) -> None:
    to.policies.overlap_policy = source.policies.overlap_policy


def _catchup(source: Schedule, to: Schedule) -> None:
    to.policies.catchup_window.CopyFrom(source.policies.catchup_window)


def _pause_on_failure(source: Schedule, to: Schedule) -> None:
    to.policies.pause_on_failure = source.policies.pause_on_failure


def _summary(source: Schedule, to: Schedule) -> None:
    to.action.start_workflow.user_metadata.summary.CopyFrom(source.action.start_workflow.user_metadata.summary)


def _details(source: Schedule, to: Schedule) -> None:
    to.action.start_workflow.user_metadata.details.CopyFrom(source.action.start_workflow.user_metadata.details)


def _memo(source: Schedule, to: Schedule) -> None:
    fields = to.action.start_workflow.memo.fields
    for name in _others(fields):
        del fields[name]
    for name, payload in _others(source.action.start_workflow.memo.fields).items():
        fields[name].CopyFrom(payload)


def _attributes(source: Schedule, to: Schedule) -> None:
    to.action.start_workflow.search_attributes.CopyFrom(source.action.start_workflow.search_attributes)


_COPIES: Final[Mapping[str, Callable[[Schedule, Schedule], None]]] = {
    "workflow": _workflow,
    "taskQueue": _queue,
    "args": _args,
    "when": _when,
    "timeZone": _zone,
    "jitter": _spec_part("jitter"),
    "startAt": _spec_part("start_time"),
    "endAt": _spec_part("end_time"),
    "overlap": _overlap,
    "catchupWindow": _catchup,
    "pauseOnFailure": _pause_on_failure,
    "runSummary": _summary,
    "runDetails": _details,
    "runMemo": _memo,
    "runSearchAttributes": _attributes,
}

SERVER_FIELDS: Final = tuple(_COPIES)
"""Names of the fields that the server keeps, in the order in which they are shown."""
