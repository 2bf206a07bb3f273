"""One schedule, as its owner wants it."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.common import TypedSearchAttributes

from trenova_schedules._cron import require_unambiguous

OWNER_MEMO: Final = "trenova.owner"
"""Memo key of every schedule that this package creates; its value is :attr:`ScheduleDefinition.owner`."""

_SHORTEST_INTERVAL = timedelta(seconds=1)
_SHORTEST_CATCHUP = timedelta(seconds=10)
_LONGEST_SUMMARY: Final = 200  # the server takes 400 bytes after encoding (limit.userMetadataSummarySize)
_MACHINE_DEPENDENT_ZONES = frozenset({"localtime", "Local", "Factory", "posixrules"})


def _require_known_zone(name: str) -> str:
    try:
        zone = None if name in _MACHINE_DEPENDENT_ZONES else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = None
    if zone is None:
        raise ValueError(f"time zone {name!r} is not an IANA name; give one such as 'UTC' or 'America/New_York'")
    return name


def _require_interval(interval: timedelta) -> timedelta:
    if interval < _SHORTEST_INTERVAL or interval.microseconds:
        raise ValueError(f"interval must be whole seconds, at least one; got {interval.total_seconds()} s")
    return interval


def _require_catchup(window: timedelta) -> timedelta:
    if window < _SHORTEST_CATCHUP:
        got = window.total_seconds()
        raise ValueError(f"catchup_window must be at least 10 s, which Temporal takes less for; got {got} s")
    return window


def _require_not_negative(jitter: timedelta) -> timedelta:
    if jitter < timedelta(0):
        raise ValueError(f"jitter must not be negative; got {jitter.total_seconds()} s")
    return jitter


def _require_summary(text: str) -> str:
    if (length := len(text.encode())) > _LONGEST_SUMMARY:
        raise ValueError(f"has {length} bytes; with what a codec adds, the server takes about {_LONGEST_SUMMARY}")
    return text


class ScheduleDefinition(BaseModel):
    """When to start which workflow, and what to do about overlaps, outages and failures.

    Exactly one of ``cron``, ``interval`` and ``calendar`` says when. The definition is frozen and checked
    when it is made; ``pydantic.ValidationError`` says what was wrong.

    Attributes:
        id: Of the schedule, unique in its namespace, and the beginning of the ids of the runs it starts
            (``<id>-<nominal time, UTC>``).
        workflow: Wire name of the workflow, thus what ``@workflow.defn(name=...)`` says.
        task_queue: Where the runs are started.
        args: Arguments of the workflow, in order; the client's data converter turns them into payloads.
        cron: Five fields (minute, hour, day of month, month, day of week) or a shorthand such as ``@daily``.
        interval: Whole seconds; fires at multiples of it since 1970-01-01 00:00 UTC, whatever the time zone.
        calendar: For what cron cannot say: seconds, years, or days that match two conditions.
        time_zone: IANA name, in which ``cron`` and ``calendar`` are read.
        overlap: What happens when the previous run has not ended.
        catchup_window: How late a run that was missed while the server was down may still start; at least 10
            seconds. Has no default: Temporal's own is a year, which floods the queue after a long outage.
        jitter: Every start is delayed by up to this much, the same for the same nominal time.
        pause_on_failure: Whether a run that fails pauses the schedule.
        note: For operators. Neither encrypted nor compressed, so nothing secret belongs here.
        owner: Who answers for the schedule, as a name of a service; becomes the memo :data:`OWNER_MEMO`.
        paused: Whether it is created paused.
        run_summary: What each run does, in one line of at most 200 bytes, for people who look at it.
        run_details: The same at length; Markdown.
        run_memo: Memo of each run; the data converter turns the values into payloads.
        run_search_attributes: Of each run; never encrypted. They have to be registered before a run starts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, arbitrary_types_allowed=True)

    id: str = Field(min_length=1, max_length=900)
    workflow: str = Field(min_length=1, max_length=1000)
    task_queue: str = Field(min_length=1, max_length=1000)
    args: tuple[Any, ...] = ()
    cron: Annotated[str, AfterValidator(require_unambiguous)] | None = None
    interval: Annotated[timedelta, AfterValidator(_require_interval)] | None = None
    calendar: ScheduleCalendarSpec | None = None
    time_zone: Annotated[str, AfterValidator(_require_known_zone)] = "UTC"
    overlap: ScheduleOverlapPolicy = ScheduleOverlapPolicy.SKIP
    catchup_window: Annotated[timedelta, AfterValidator(_require_catchup)]
    jitter: Annotated[timedelta, AfterValidator(_require_not_negative)] = timedelta(0)
    pause_on_failure: bool = False
    note: str = Field(default="", max_length=1000)
    owner: str = Field(min_length=1, max_length=200)
    paused: bool = False
    run_summary: Annotated[str, AfterValidator(_require_summary)] = ""
    run_details: str = Field(default="", max_length=8_000)
    run_memo: Mapping[str, Any] = Field(default_factory=dict)
    run_search_attributes: TypedSearchAttributes = TypedSearchAttributes.empty

    @model_validator(mode="after")
    def _say_when_exactly_once(self) -> Self:
        given = [name for name in ("cron", "interval", "calendar") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"schedule {self.id!r} needs exactly one of cron, interval and calendar; "
                f"got {' and '.join(given) or 'none'}"
            )
        return self

    @property
    def memo(self) -> Mapping[str, Any]:
        """The ownership mark, to be given to ``client.create_schedule`` beside :meth:`to_schedule`."""
        return MappingProxyType({OWNER_MEMO: self.owner})

    def to_schedule(self) -> Schedule:
        """Return what ``client.create_schedule(definition.id, ...)`` takes; a new object at every call."""
        return Schedule(
            action=ScheduleActionStartWorkflow(
                self.workflow,
                args=list(self.args),
                id=self.id,
                task_queue=self.task_queue,
                memo=dict(self.run_memo) or None,
                typed_search_attributes=self.run_search_attributes,
                static_summary=self.run_summary or None,
                static_details=self.run_details or None,
            ),
            spec=ScheduleSpec(
                cron_expressions=[] if self.cron is None else [self.cron],
                intervals=[] if self.interval is None else [ScheduleIntervalSpec(every=self.interval)],
                calendars=[] if self.calendar is None else [self.calendar],
                time_zone_name=self.time_zone,
                jitter=self.jitter or None,
            ),
            policy=SchedulePolicy(
                overlap=self.overlap,
                catchup_window=self.catchup_window,
                pause_on_failure=self.pause_on_failure,
            ),
            state=ScheduleState(
                note=self.note or None,  # trenova: clear - whoever writes one is told so above
                paused=self.paused,
            ),
        )
