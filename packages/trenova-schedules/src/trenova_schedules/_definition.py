"""One schedule, as its owner wants it."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator
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
from trenova_schedules._definition_checks import (
    require_catchup,
    require_interval,
    require_known_zone,
    require_labels,
    require_not_negative,
    require_summary,
    require_url,
    require_whole_seconds,
)
from trenova_schedules._slo import BackfillPolicy, ScheduleSlo

OWNER_MEMO: Final = "trenova.owner"
"""Memo key of every schedule that this package creates; its value is :attr:`ScheduleDefinition.owner`."""
REVISION_MEMO: Final = "trenova.revision"
"""Memo key of the runs: which write the schedule was as when it started them."""
APPLIED_MEMO: Final = "trenova.applied"
"""Memo key of the runs: the definition as it was last applied."""
CRON_MEMO: Final = "trenova.cron"
"""Memo key of the runs: the cron string of the schedule, which the server does not keep."""
OUR_MEMOS: Final = frozenset({OWNER_MEMO, REVISION_MEMO, APPLIED_MEMO, CRON_MEMO})


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
        start_at: No tick before this moment; whole seconds, with a time zone.
        end_at: No tick after this moment.
        overlap: What happens when the previous run has not ended.
        catchup_window: How late a run that was missed while the server was down may still start; at least 10
            seconds. Has no default: Temporal's own is a year, which floods the queue after a long outage.
        jitter: Every start is delayed by up to this much, the same for the same nominal time.
        pause_on_failure: Whether a run that fails pauses the schedule.
        note: For operators. Neither encrypted nor compressed, so nothing secret belongs here.
        owner: Who answers for the schedule, as a name of a service; becomes the memo :data:`OWNER_MEMO`.
        paused: Whether it is created paused. Afterwards pausing is the operators' alone.
        description: What the schedule is for, for people; Markdown.
        labels: By which schedules are found and permissions given; at most 20.
        runbook: Address of what to do when its runs fail.
        slo: When it counts as failing.
        backfill: What a backfill of several ticks starts.
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
    interval: Annotated[timedelta, AfterValidator(require_interval)] | None = None
    calendar: ScheduleCalendarSpec | None = None
    time_zone: Annotated[str, AfterValidator(require_known_zone)] = "UTC"
    start_at: Annotated[AwareDatetime, AfterValidator(require_whole_seconds)] | None = None
    end_at: Annotated[AwareDatetime, AfterValidator(require_whole_seconds)] | None = None
    overlap: ScheduleOverlapPolicy = ScheduleOverlapPolicy.SKIP
    catchup_window: Annotated[timedelta, AfterValidator(require_catchup)]
    jitter: Annotated[timedelta, AfterValidator(require_not_negative)] = timedelta(0)
    pause_on_failure: bool = False
    note: str = Field(default="", max_length=1000)
    owner: str = Field(min_length=1, max_length=200)
    paused: bool = False
    description: str = Field(default="", max_length=2_000)
    labels: Annotated[Mapping[str, str], AfterValidator(require_labels)] = Field(default_factory=dict)
    runbook: Annotated[str, AfterValidator(require_url)] = Field(default="", max_length=500)
    slo: ScheduleSlo = ScheduleSlo()
    backfill: BackfillPolicy = BackfillPolicy.EACH
    run_summary: Annotated[str, AfterValidator(require_summary)] = ""
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

    @model_validator(mode="after")
    def _end_after_the_start(self) -> Self:
        if self.start_at is not None and self.end_at is not None and self.end_at <= self.start_at:
            raise ValueError(
                f"schedule {self.id!r} ends at {self.end_at.isoformat()}, which is not after its start at "
                f"{self.start_at.isoformat()}; Temporal takes that and never fires"
            )
        return self

    @model_validator(mode="after")
    def _keep_our_memo_keys(self) -> Self:
        if ours := sorted(OUR_MEMOS.intersection(self.run_memo)):
            raise ValueError(f"schedule {self.id!r} sets {', '.join(ours)} in run_memo, which this package writes")
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
                start_at=self.start_at,
                end_at=self.end_at,
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
