"""What callers send."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from temporalio.client import ScheduleIntervalSpec, ScheduleOverlapPolicy, ScheduleSpec

from trenova_schedules._calendar_text import calendar_spec, require_calendar
from trenova_schedules._cron import require_unambiguous
from trenova_schedules._definition import ScheduleDefinition
from trenova_schedules._definition_checks import (
    require_catchup,
    require_interval,
    require_known_zone,
    require_not_negative,
    require_whole_seconds,
)
from trenova_schedules._managing._changing import valid
from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._patch import SchedulePatch
from trenova_schedules._managing._pausing import CatchUp
from trenova_schedules._managing._results import BulkAction
from trenova_schedules._reading._document import CalendarDocument, WireDocument
from trenova_schedules._slo import BackfillPolicy, ScheduleSlo
from trenova_schedules.server._parameters import Moment

Cron = Annotated[str, Field(max_length=500, examples=["30 2 * * 1-5"]), AfterValidator(require_unambiguous)]
Zone = Annotated[str, Field(max_length=100, examples=["Europe/Berlin"]), AfterValidator(require_known_zone)]
Interval = Annotated[timedelta, AfterValidator(require_interval)]
Calendar = Annotated[CalendarDocument, AfterValidator(require_calendar)]
Why = Annotated[str, Field(min_length=1, max_length=500)]
Etag = Annotated[str, Field(min_length=1, max_length=200)]
Overlap = Literal["skip", "buffer_one", "buffer_all", "cancel_other", "terminate_other", "allow_all"]


class _Body(WireDocument):
    model_config = ConfigDict(extra="forbid")


class _Times(_Body):
    cron: Cron | None = None
    interval: Interval | None = None
    calendar: Calendar | None = None
    time_zone: Zone = "UTC"
    start_at: Annotated[Moment, AfterValidator(require_whole_seconds)] | None = None
    end_at: Annotated[Moment, AfterValidator(require_whole_seconds)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if sum(given is not None for given in (self.cron, self.interval, self.calendar)) != 1:
            raise ValueError("give one of cron, interval and calendar")
        return self


class NewSchedule(_Times):
    """A schedule to create; fields as in :class:`~trenova_schedules.ScheduleDefinition`.

    ``owner`` is ``api`` unless something else is said: a service that reconciles prunes what carries its name.
    """

    id: str = Field(min_length=1, max_length=900, pattern=r"^[^\x00-\x1f\x7f]+$")
    workflow: str = Field(min_length=1, max_length=1000)
    task_queue: str = Field(min_length=1, max_length=1000)
    args: tuple[Any, ...] = ()
    overlap: Overlap = "skip"
    catchup_window: Annotated[timedelta, AfterValidator(require_catchup)]
    jitter: Annotated[timedelta, AfterValidator(require_not_negative)] = timedelta(0)
    pause_on_failure: bool = False
    note: str = Field(default="", max_length=1000)
    owner: str = Field(default="api", min_length=1, max_length=200)
    paused: bool = False
    description: str = Field(default="", max_length=2_000)
    labels: Mapping[str, str] = Field(default_factory=dict)
    runbook: str = Field(default="", max_length=500)
    slo: ScheduleSlo = ScheduleSlo()
    backfill: BackfillPolicy = BackfillPolicy.EACH

    def definition(self) -> ScheduleDefinition:
        """Return the definition.

        Raises:
            InvalidInputError: It does not hold together.
        """
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        fields["calendar"] = None if self.calendar is None else calendar_spec(self.calendar)
        fields["overlap"] = ScheduleOverlapPolicy[self.overlap.upper()]
        return valid(ScheduleDefinition, fields, "The schedule")


class PauseBody(_Body):
    """Why a schedule is paused."""

    reason: Why


class ResumeBody(_Body):
    """Why a schedule is resumed, and what is started of the ticks that it has missed.

    Attributes:
        reason: Why.
        catch_up: ``none``, ``last`` or ``all``.
        confirmed: How many runs the caller was shown; another number by now is a conflict (409).
        since: Where the caller knows better since when it has been paused.
    """

    reason: Why
    catch_up: CatchUp = CatchUp.NONE
    confirmed: int | None = Field(default=None, ge=0)
    since: Moment | None = None


class TriggerBody(_Body):
    """A run by hand.

    Attributes:
        reason: Why; may be left out.
        overlap: Another policy than the schedule's, for this run.
    """

    reason: Why | None = None
    overlap: Overlap | None = None


class PreviewBody(_Times):
    """Times to look at before anything has them.

    Attributes:
        start: Where to begin; now by default.
        end: Where to end; a year after the start by default.
        limit: How many to name at most.
        viewer_zone: Zone of whoever looks.
    """

    start: Moment | None = None
    end: Moment | None = None
    limit: int = Field(default=50, ge=1, le=10_000)
    viewer_zone: Zone = "UTC"

    def spec(self) -> ScheduleSpec:
        """Return what the SDK takes."""
        return ScheduleSpec(
            cron_expressions=[] if self.cron is None else [self.cron],
            intervals=[] if self.interval is None else [ScheduleIntervalSpec(every=self.interval)],
            calendars=[] if self.calendar is None else [calendar_spec(self.calendar)],
            time_zone_name=self.time_zone,
            start_at=self.start_at,
            end_at=self.end_at,
        )


class BulkBody(_Body):
    """The same for every schedule that matches.

    Attributes:
        action: ``pause``, ``resume``, ``update``, ``trigger`` or ``delete``.
        filter: Which schedules.
        everything: Let an empty filter stand.
        dry_run: Only say what would be done.
        reason: Why.
        patch: Of an update.
        catch_up: Of a resume.
        most: Refuse to touch more than these.
        etags: Of what it was decided on, by id, as the items of a dry run have them; one that has another by now is a
            conflict and is left alone.
    """

    action: BulkAction
    filter: ScheduleFilter = ScheduleFilter()
    everything: bool = False
    dry_run: bool = True
    reason: Why
    patch: SchedulePatch | None = None
    catch_up: CatchUp = CatchUp.NONE
    most: int = Field(default=1000, ge=1, le=10_000)
    etags: Annotated[Mapping[str, Etag], Field(max_length=10_000)] = Field(default_factory=dict)


class UndoBody(_Body):
    """Why a bulk action is undone.

    Attributes:
        reason: Why.
        catch_up: What to start of the ticks that a pause, which is undone, has missed.
        dry_run: Only say what would become of each schedule.
    """

    reason: Why
    catch_up: CatchUp = CatchUp.NONE
    dry_run: bool = False
