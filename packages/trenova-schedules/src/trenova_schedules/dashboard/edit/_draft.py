"""What somebody types into the form of a schedule; every field as text, as the form has it."""

from datetime import datetime
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from trenova_errors import InvalidInputError
from trenova_schedules._reading import ScheduleDocument
from trenova_schedules.dashboard._local_time import typed_of
from trenova_schedules.dashboard.edit._typed_calendars import typed_calendars
from trenova_schedules.dashboard.edit._typed_lengths import typed_length

Way = Literal["cron", "interval", "calendars", "keep"]

LABELS: Final = {
    "cron": "Cron expression",
    "every": "Interval",
    "calendars": "Calendars",
    "time_zone": "Time zone",
    "start": "Not before",
    "end": "Not after",
    "overlap": "If a run is under way",
    "catchup": "Catch-up window",
    "jitter": "Jitter",
    "pause_on_failure": "Pause when a run fails",
    "remaining": "Starts left",
    "workflow": "Workflow",
    "task_queue": "Task queue",
    "note": "Note",
}
"""Fields that have a place for what is wrong with them, in the order of the form."""
WHEN: Final = {"cron": "cron", "interval": "every", "calendars": "calendars", "keep": "cron"}
"""The field in which each way to fire is typed."""


class Draft(BaseModel):
    """A schedule as it is typed; how long its texts may be is the server's to say.

    Attributes:
        when: Which of the next three says when it fires; ``keep``: what it has, which no form can say.
        cron: Five fields or a shorthand.
        every: A duration.
        calendars: A line each.
        time_zone: IANA name.
        start: Local time, as a field of the type ``datetime-local`` has it; empty for none.
        end: Likewise.
        overlap: Name of a policy.
        catchup: A duration.
        jitter: A duration; empty for none.
        pause_on_failure: Whether a failed run pauses it.
        remaining: A number; empty for no limit.
        workflow: Wire name.
        task_queue: Where runs start.
        note: For operators.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    when: Way = "cron"
    cron: str = ""
    every: str = ""
    calendars: str = ""
    time_zone: str = ""
    start: str = ""
    end: str = ""
    overlap: str = "skip"
    catchup: str = ""
    jitter: str = ""
    pause_on_failure: bool = False
    remaining: str = ""
    workflow: str = ""
    task_queue: str = ""
    note: str = ""

    @field_validator("cron", "every", "time_zone", "catchup", "jitter", "remaining", "workflow", "task_queue")
    @classmethod
    def _trim(cls, text: str) -> str:
        return text.strip()

    @field_validator("calendars", "note")
    @classmethod
    def _as_one_line_end(cls, text: str) -> str:
        return text.replace("\r\n", "\n").replace("\r", "\n")  # a browser sends other line ends than it was given

    @field_validator("start", "end")
    @classmethod
    def _with_seconds(cls, text: str) -> str:
        try:
            return datetime.fromisoformat(text).isoformat(timespec="seconds")  # a browser leaves out 00 seconds
        except ValueError:
            return text.strip()

    @property
    def fires(self) -> tuple[str, str]:
        """Which way it fires, and what is typed for that."""
        return self.when, "" if self.when == "keep" else str(getattr(self, WHEN[self.when]))


class Began(BaseModel):
    """What a form was filled with; it travels with the form, so that what others change meanwhile is seen.

    Attributes:
        etag: Of the schedule as it was then.
        zone: In which the form has the start and the end.
        draft: What the form had.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    etag: Annotated[str, Field(min_length=1, max_length=200)]
    zone: str
    draft: Draft

    @classmethod
    def of(cls, document: ScheduleDocument, zone: str | None = None) -> Self:
        """Begin with a schedule as it is; ``zone`` where a form has another one than the schedule has now."""
        zone = zone or document.time_zone
        return cls(etag=document.etag, zone=zone, draft=draft_of(document, zone))

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what a form sends back.

        Raises:
            InvalidInputError: It is not that.
        """
        return cls.model_validate_json(_sent(cls, text))


def draft_of(document: ScheduleDocument, zone: str) -> Draft:
    """Return a schedule as its form has it, with start and end in a zone."""
    return Draft(
        when=_way(document),
        cron=document.cron or "",
        every=typed_length(document.intervals[0].every) if document.intervals else "",
        calendars="" if document.cron else typed_calendars(document.calendars),
        time_zone=document.time_zone,
        start=typed_of(document.start_at, zone) if document.start_at else "",
        end=typed_of(document.end_at, zone) if document.end_at else "",
        overlap=document.overlap,
        catchup=typed_length(document.catchup_window),
        jitter=typed_length(document.jitter),
        pause_on_failure=document.pause_on_failure,
        remaining="" if document.remaining_actions is None else str(document.remaining_actions),
        workflow=document.workflow,
        task_queue=document.task_queue,
        note=document.note,
    )


def draft_sent(text: str) -> Draft:
    """Read a draft that a dialog sends back.

    Raises:
        InvalidInputError: It is not that.
    """
    return Draft.model_validate_json(_sent(Draft, text))


def _sent(model: type[BaseModel], text: str) -> str:
    try:
        model.model_validate_json(text)
    except ValidationError:
        raise InvalidInputError("The form is not what this page sent. Open it again. Nothing was changed.") from None
    return text


def _way(document: ScheduleDocument) -> Way:
    intervals, calendars = document.intervals, document.calendars
    if document.cron and not intervals:
        return "cron"
    if len(intervals) == 1 and not calendars and not intervals[0].offset:
        return "interval"
    return "calendars" if calendars and not intervals else "keep"
