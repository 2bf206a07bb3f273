"""A change to some fields of a schedule; what it does not name stays."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Self

from google.protobuf.duration_pb2 import Duration
from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, model_validator
from temporalio.api.enums.v1 import ScheduleOverlapPolicy
from temporalio.api.schedule.v1 import Schedule, ScheduleSpec

from trenova_schedules._calendar_text import calendar_message, require_calendar
from trenova_schedules._cron import require_unambiguous
from trenova_schedules._definition_checks import (
    require_catchup,
    require_interval,
    require_known_zone,
    require_not_negative,
    require_whole_seconds,
)
from trenova_schedules._reading._document import CalendarDocument, WireDocument

_OVERLAPS: Final = ("skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other", "allow_all")
_WHEN: Final = frozenset({"cron", "interval", "calendars", "time_zone", "start_at", "end_at"})
_WAYS_BUT_ONE: Final = 2
_MAY_BE_NULL: Final = frozenset({"jitter", "start_at", "end_at", "note", "remaining_actions"})


def known_overlap(name: str) -> str:
    """Return the name of an overlap policy.

    Raises:
        ValueError: There is no such policy.
    """
    if name not in _OVERLAPS:
        raise ValueError(f"overlap must be one of {', '.join(_OVERLAPS)}; got {name[:50]!r}")
    return name


class SchedulePatch(WireDocument):
    """A JSON merge patch (RFC 7396) of a schedule: fields that are absent stay, null takes one away.

    On the wire in camelCase, durations in ISO 8601 or seconds. An unknown field is an error. Whether a schedule is
    paused, and everything about its arguments and ownership, is not changed this way.

    Attributes:
        cron: Replaces every calendar and interval; five fields or a shorthand.
        interval: Replaces every calendar and interval.
        calendars: Replace every calendar and interval; it fires where any of them matches.
        time_zone: In which calendars are read.
        jitter: Null for none.
        start_at: Null for no beginning.
        end_at: Null for no end.
        overlap: As :class:`ScheduleDocument` names them.
        catchup_window: At least 10 seconds.
        pause_on_failure: Whether a failed run pauses it.
        note: Null for none; never encrypted.
        remaining_actions: How many more it starts by itself; null for no limit.
        workflow: Wire name.
        task_queue: Where runs start.
    """

    model_config = ConfigDict(extra="forbid")

    cron: Annotated[str, AfterValidator(require_unambiguous)] | None = None
    interval: Annotated[timedelta, AfterValidator(require_interval)] | None = None
    calendars: tuple[Annotated[CalendarDocument, AfterValidator(require_calendar)], ...] | None = Field(
        default=None, min_length=1, max_length=100
    )
    time_zone: Annotated[str, AfterValidator(require_known_zone)] | None = None
    jitter: Annotated[timedelta, AfterValidator(require_not_negative)] | None = None
    start_at: Annotated[AwareDatetime, AfterValidator(require_whole_seconds)] | None = None
    end_at: Annotated[AwareDatetime, AfterValidator(require_whole_seconds)] | None = None
    overlap: Annotated[str, AfterValidator(known_overlap)] | None = None
    catchup_window: Annotated[timedelta, AfterValidator(require_catchup)] | None = None
    pause_on_failure: bool | None = None
    note: str | None = Field(default=None, max_length=1000)
    remaining_actions: int | None = Field(default=None, ge=1, le=2**31)
    workflow: str | None = Field(default=None, min_length=1, max_length=1000)
    task_queue: str | None = Field(default=None, min_length=1, max_length=1000)

    @model_validator(mode="after")
    def _make_sense(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("the patch names no field; give at least one")
        null = [name for name in self.model_fields_set if getattr(self, name) is None and name not in _MAY_BE_NULL]
        if null:
            raise ValueError(f"{', '.join(sorted(null))} cannot be taken away; leave the field out or give a value")
        if [self.cron, self.interval, self.calendars].count(None) < _WAYS_BUT_ONE:
            raise ValueError("a schedule fires by cron, by interval or by calendars; give one of them")
        if self.start_at is not None and self.end_at is not None and self.end_at < self.start_at:
            raise ValueError(f"the end {self.end_at.isoformat()} is before the start {self.start_at.isoformat()}")
        return self

    @property
    def changes_when(self) -> bool:
        """Whether the times at which it fires may be others afterwards."""
        return bool(_WHEN.intersection(self.model_fields_set))

    @property
    def forgets_cron(self) -> bool:
        """Whether a cron string that made the calendars has nothing to say any more."""
        return self.interval is not None or self.calendars is not None

    def apply(self, schedule: Schedule) -> None:
        """Change the server's message in place; a cron string is left for the server to compile."""
        for name in sorted(self.model_fields_set):
            _APPLY[name](schedule, getattr(self, name))


def _cron(schedule: Schedule, value: str) -> None:
    _fires_no_more(schedule.spec)
    schedule.spec.cron_string.append(value)


def _interval(schedule: Schedule, value: timedelta) -> None:
    _fires_no_more(schedule.spec)
    schedule.spec.interval.add().interval.FromTimedelta(value)


def _calendars(schedule: Schedule, value: Iterable[CalendarDocument]) -> None:
    _fires_no_more(schedule.spec)
    schedule.spec.calendar.extend(map(calendar_message, value))


def _fires_no_more(spec: ScheduleSpec) -> None:
    for field in ("structured_calendar", "calendar", "cron_string", "interval"):
        spec.ClearField(field)


def _time_zone(schedule: Schedule, value: str) -> None:
    schedule.spec.timezone_name = value
    schedule.spec.ClearField("timezone_data")


def _overlap(schedule: Schedule, value: str) -> None:
    schedule.policies.overlap_policy = ScheduleOverlapPolicy.Value(f"SCHEDULE_OVERLAP_POLICY_{value.upper()}")


def _remaining(schedule: Schedule, value: int | None) -> None:
    schedule.state.limited_actions, schedule.state.remaining_actions = value is not None, value or 0


def _note(schedule: Schedule, value: str | None) -> None:
    schedule.state.notes = value or ""


def _pause_on_failure(schedule: Schedule, value: bool) -> None:  # noqa: FBT001 - as the field says
    schedule.policies.pause_on_failure = value


def _workflow(schedule: Schedule, value: str) -> None:
    schedule.action.start_workflow.workflow_type.name = value


def _task_queue(schedule: Schedule, value: str) -> None:
    schedule.action.start_workflow.task_queue.name = value


def _catchup(schedule: Schedule, value: timedelta) -> None:
    schedule.policies.catchup_window.FromTimedelta(value)


def _moment(field: str) -> Callable[[Schedule, Any], None]:
    def apply(schedule: Schedule, value: Any) -> None:
        schedule.spec.ClearField(field)  # type: ignore[arg-type]  # the name of a field, as everywhere here
        if value is not None:
            getattr(schedule.spec, field).FromDatetime(value)

    return apply


def _jitter(schedule: Schedule, value: timedelta | None) -> None:
    length = Duration()
    length.FromTimedelta(value or timedelta(0))
    schedule.spec.jitter.CopyFrom(length)


_APPLY: Final[Mapping[str, Callable[[Schedule, Any], None]]] = {
    "cron": _cron,
    "interval": _interval,
    "calendars": _calendars,
    "time_zone": _time_zone,
    "jitter": _jitter,
    "start_at": _moment("start_time"),
    "end_at": _moment("end_time"),
    "overlap": _overlap,
    "catchup_window": _catchup,
    "pause_on_failure": _pause_on_failure,
    "note": _note,
    "remaining_actions": _remaining,
    "workflow": _workflow,
    "task_queue": _task_queue,
}
