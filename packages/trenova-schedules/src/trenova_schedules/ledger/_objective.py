"""Whether a schedule keeps what its owner expects of it: failures and recoveries, each once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from trenova_schedules._slo import ScheduleSlo
from trenova_schedules._tick import Tick, TickClass

_BAD_STATES: Final = frozenset(
    {TickClass.REAL_MISS, TickClass.MISSED_CATCHUP, TickClass.DROPPED_BUFFER, TickClass.LATE}
)
_BAD_STATUSES: Final = frozenset({"FAILED", "TIMED_OUT", "TERMINATED"})
_JUDGED_WITHIN: Final = timedelta(hours=1)
"""How long a run without a maximum run time is waited for before it counts as good."""


class AlertKind(StrEnum):
    """What is told."""

    FAILURE = "failure"
    RECOVERY = "recovery"


class ScheduleAlert(BaseModel):
    """Something that people want to be told; camelCase on the wire.

    Attributes:
        key: The same for the same event, however often it is told; who delivers alerts drops a repeated one.
        kind: A failure or a recovery.
        schedule_id: Of which schedule.
        since: The tick that made it failing.
        at: The tick that decided.
        ticks: How many ticks in a row were bad, or good.
        message: In a sentence.
        owner: Who answers for the schedule; None for one that is not ours.
        runbook: What to do; empty where nothing was said.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    key: str
    kind: AlertKind
    schedule_id: str
    since: AwareDatetime
    at: AwareDatetime
    ticks: int
    message: str
    owner: str | None = None
    runbook: str = ""


class Notifier(Protocol):
    """Tells people; services hand one in."""

    async def notify(self, alert: ScheduleAlert) -> None:
        """Tell one alert; the same key may come again after a crash, and is to be told once."""
        ...


class Standing(BaseModel):
    """Where a schedule stands against its objective.

    Attributes:
        bad: Bad ticks in a row up to ``judged_to``.
        good: Good ticks in a row up to there.
        judged_to: The last tick that was judged.
        failing_since: The tick that made it failing; None while it is healthy.
    """

    model_config = ConfigDict(frozen=True)

    bad: int = 0
    good: int = 0
    judged_to: AwareDatetime
    failing_since: AwareDatetime | None = None


def judge(
    schedule_id: str, standing: Standing, ticks: Sequence[Tick], slo: ScheduleSlo, now: datetime
) -> tuple[Standing, list[ScheduleAlert]]:
    """Judge the ticks after those that were judged before, up to the first that is not decided yet.

    Bad is a tick that has no run for which nothing but trouble is the reason, one that began later than the margin,
    and one whose run failed or took too long. Pauses, overlaps and what is inconclusive count neither way.

    Args:
        schedule_id: Of which schedule.
        standing: Where it stood.
        ticks: In order of time; those that were judged before are passed over.
        slo: What is expected.
        now: When the ticks were classified.

    Returns:
        Where it stands now, and what is to be told, in order.
    """
    alerts: list[ScheduleAlert] = []
    for tick in ticks:
        if tick.at <= standing.judged_to:
            continue
        if _is_open(tick, slo, now):
            break
        complaint = _complaint(tick, slo, now)
        standing = standing.model_copy(update={"judged_to": tick.at, **_counted(standing, complaint)})
        if alert := _alert(schedule_id, standing, tick, slo, complaint):
            alerts.append(alert)
            since = alert.since if alert.kind is AlertKind.FAILURE else None
            standing = standing.model_copy(update={"failing_since": since})
    return standing, alerts


def _counted(standing: Standing, complaint: str | None) -> dict[str, int]:
    if complaint is None:
        return {}
    return {"bad": standing.bad + 1, "good": 0} if complaint else {"bad": 0, "good": standing.good + 1}


def _alert(
    schedule_id: str, standing: Standing, tick: Tick, slo: ScheduleSlo, complaint: str | None
) -> ScheduleAlert | None:
    failing = standing.failing_since
    if failing is None and complaint and standing.bad >= slo.failure_threshold:
        kind, since, ticks = AlertKind.FAILURE, tick.at, standing.bad
        message = f"Schedule {schedule_id!r} is failing: {complaint} at {tick.at.isoformat()}."
    elif failing is not None and complaint == "" and standing.good >= slo.recovery_threshold:
        kind, since, ticks = AlertKind.RECOVERY, failing, standing.good
        message = f"Schedule {schedule_id!r} has recovered; it was failing since {failing.isoformat()}."
    else:
        return None
    return ScheduleAlert(
        key=f"{schedule_id}/{kind}/{int(since.timestamp())}",
        kind=kind,
        schedule_id=schedule_id,
        since=since,
        at=tick.at,
        ticks=ticks,
        message=message,
    )


def _is_open(tick: Tick, slo: ScheduleSlo, now: datetime) -> bool:
    if tick.state is TickClass.PENDING:
        return True
    if tick.started_at is None or tick.closed_at is not None:
        return False
    return now - tick.started_at <= (slo.max_run_time or _JUDGED_WITHIN)


def _complaint(tick: Tick, slo: ScheduleSlo, now: datetime) -> str | None:
    """Return what is wrong, an empty text where nothing is, and None where a tick counts neither way."""
    if tick.state in _BAD_STATES:
        return f"{tick.state.replace('_', ' ')} ({tick.reason})" if tick.reason else tick.state.replace("_", " ")
    if tick.started_at is None:
        return None
    if tick.state is TickClass.DELAYED_OVERLAP and tick.delay is not None and tick.delay > slo.margin:
        return tick.reason
    if tick.status in _BAD_STATUSES:
        return f"its run {tick.status.lower().replace('_', ' ')}"
    lasted = (tick.closed_at or now) - tick.started_at
    if slo.max_run_time is not None and lasted > slo.max_run_time:
        return f"its run took {lasted.total_seconds():.0f} s, longer than {slo.max_run_time.total_seconds():.0f} s"
    return ""
