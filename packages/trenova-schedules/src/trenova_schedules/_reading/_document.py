"""What people and programs are told of a schedule; camelCase on the wire, durations in ISO 8601, times in UTC."""

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from trenova_schedules._slo import BackfillPolicy, ScheduleSlo


class WireDocument(BaseModel):
    """Frozen, camelCase on the wire, and forgiving about fields that a newer version added."""

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        hide_input_in_errors=True,
    )


class IntervalDocument(WireDocument):
    """Fires every ``every``, counted from 1970-01-01 00:00 UTC and moved by ``offset``."""

    every: timedelta
    offset: timedelta = timedelta(0)


class CalendarDocument(WireDocument):
    """Fires where all fields match; each is a list as in cron: ``*``, ``5``, ``1-5``, ``0-59/15``, joined by commas.

    ``day_of_week`` counts from 0, Sunday. ``*`` in ``year`` stands for any year.
    """

    second: str = "0"
    minute: str = "0"
    hour: str = "0"
    day_of_month: str = "*"
    month: str = "*"
    year: str = "*"
    day_of_week: str = "*"
    comment: str = ""


class RunDocument(WireDocument):
    """One run that the schedule started.

    Attributes:
        scheduled_at: Its nominal time; None for one that is only known to be running.
        started_at: When the server started it.
        workflow_id: Of the workflow.
        run_id: Of its first run.
        status: As the server last heard of it, e.g. ``running``, ``completed``, ``failed``.
    """

    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    workflow_id: str
    run_id: str = ""
    status: str = "running"


class ScheduleCounts(WireDocument):
    """What has happened since the schedule was created; the server's own counts, some of them late.

    Attributes:
        actions: Runs that were started.
        missed_catchup: Ticks that were missed for longer than the catch-up window.
        skipped_overlap: Ticks that found the previous run unfinished; approximate right after.
        buffer_size: Ticks that wait for a run to end.
        buffer_dropped: Ticks that were dropped because too many waited.
    """

    actions: int = 0
    missed_catchup: int = 0
    skipped_overlap: int = 0
    buffer_size: int = 0
    buffer_dropped: int = 0


class ScheduleDocument(WireDocument):
    """A schedule as the server has it now.

    Attributes:
        id: Of the schedule.
        etag: Changes with every write to the schedule and with no tick; to be given back with a change.
        revision: Which of our writes it was last changed by; None where there was none.
        owner: Who answers for it; None for a schedule that is not ours.
        description: What it is for.
        labels: By which it is found and permissions are given.
        runbook: Address of what to do when its runs fail.
        slo: When it counts as failing; None where nothing was said.
        backfill: What a backfill may make of its ticks; None where nothing was said.
        workflow: Wire name.
        task_queue: Where runs start.
        cron: The string of which the calendars were made; None where there was none, or where somebody has
            changed the calendars since.
        intervals: When it fires.
        calendars: When it fires, besides.
        excluded_calendars: When it does not fire although something else says so.
        time_zone: IANA name in which calendars are read.
        jitter: Every start is delayed by up to this much.
        start_at: Nothing fires before.
        end_at: Nothing fires after.
        overlap: ``skip``, ``buffer_one``, ``buffer_all``, ``cancel_other``, ``terminate_other`` or ``allow_all``.
        catchup_window: How late a missed tick may still start.
        pause_on_failure: Whether a failed run pauses it.
        note: Of operators and of the server.
        paused: Whether it is.
        remaining_actions: How many more it will start by itself; None for no limit.
        next_fires: The next ten at most, jitter included; also of a paused schedule.
        recent_runs: The last ten at most, oldest first.
        running: Runs that have not ended.
        counts: What has happened so far.
        invalid_reason: Why the server cannot work with it; empty where it can.
        created_at: When it was created.
        updated_at: When it was last updated; None if never.
        unreadable: Names of the parts that the data converter of this client could not decode.
    """

    id: str
    etag: str
    revision: str | None = None
    owner: str | None = None
    description: str = ""
    labels: dict[str, str] = {}
    runbook: str = ""
    slo: ScheduleSlo | None = None
    backfill: BackfillPolicy | None = None
    workflow: str
    task_queue: str
    cron: str | None = None
    intervals: tuple[IntervalDocument, ...] = ()
    calendars: tuple[CalendarDocument, ...] = ()
    excluded_calendars: tuple[CalendarDocument, ...] = ()
    time_zone: str = "UTC"
    jitter: timedelta = timedelta(0)
    start_at: datetime | None = None
    end_at: datetime | None = None
    overlap: str = "skip"
    catchup_window: timedelta
    pause_on_failure: bool = False
    note: str = ""
    paused: bool = False
    remaining_actions: int | None = None
    next_fires: tuple[datetime, ...] = ()
    recent_runs: tuple[RunDocument, ...] = ()
    running: tuple[RunDocument, ...] = ()
    counts: ScheduleCounts = ScheduleCounts()
    invalid_reason: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    unreadable: tuple[str, ...] = ()
