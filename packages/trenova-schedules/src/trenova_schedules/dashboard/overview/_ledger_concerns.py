"""What the ledger says is wrong: missed, late, failing and slower than they say."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from trenova_schedules._tick import Tick, TickClass
from trenova_schedules.dashboard._looks import look_of
from trenova_schedules.dashboard._words import duration_in_words, plural
from trenova_schedules.dashboard.overview._concern import Concern, Kind
from trenova_schedules.dashboard.schedule._durations import durations_of
from trenova_schedules.store import AlertState, ScheduleStore, TickSpan

LOOKED_BACK: Final = timedelta(hours=24)
"""How far back ticks count as news."""
_MISSING: Final = (TickClass.REAL_MISS, TickClass.MISSED_CATCHUP, TickClass.DROPPED_BUFFER)
_RECENT: Final = 24
_CANDIDATES: Final = 200
_SECOND: Final = timedelta(seconds=1)

Spans = Mapping[str, Mapping[TickClass, TickSpan]]


async def ledger_concerns(
    store: ScheduleStore, known: Sequence[str], now: datetime
) -> tuple[list[Concern], dict[str, AlertState]]:
    """Return what is wrong with schedules, and which of them miss their objective, by id.

    Args:
        store: Of the ledger.
        known: Ids of those that the caller may look at.
        now: The present.

    Raises:
        UnavailableError: The store cannot be reached.
    """
    ids = frozenset(known)
    since = now - LOOKED_BACK
    failing = {one.schedule_id: one for one in await store.alerts.failing() if one.schedule_id in ids}
    missing = await store.ticks.spans(since, now, states=_MISSING)
    skipped = await store.ticks.spans(since, now, states=[TickClass.SKIPPED_OVERLAP])
    ran = await store.ticks.spans(since, now, states=[TickClass.LATE, TickClass.DELAYED_OVERLAP], ran=True)
    slow = sorted(ids & (skipped.keys() | {one for one, of in ran.items() if TickClass.DELAYED_OVERLAP in of}))
    ticks = await store.ticks.latest(slow[:_CANDIDATES], before=now, count=_RECENT) if slow else {}
    found = [
        *(_missed(one, of) for one, of in missing.items()),
        *map(_failing, failing.values()),
        *(_late(one, of[TickClass.LATE]) for one, of in ran.items() if TickClass.LATE in of),
        *(_behind(one, skipped, ran, ticks.get(one, ())) for one in slow),
    ]
    return [one for one in found if one.schedule_id in ids], failing


def _missed(schedule_id: str, of: Mapping[TickClass, TickSpan]) -> Concern:
    first, last = min(span.first for span in of.values()), max(span.last for span in of.values())
    told = [f"{plural(of[state].count, 'tick')} {look_of(state).word}" for state in _MISSING if state in of]
    return Concern(
        kind=Kind.MISSED,
        ids=(schedule_id,),
        text=", ".join(told),
        since=first,
        start=first,
        end=last + _SECOND,
    )


def _failing(state: AlertState) -> Concern:
    text = f"misses its objective, {plural(state.bad, 'bad tick')} in a row" if state.bad else "misses its objective"
    return Concern(kind=Kind.FAILING, ids=(state.schedule_id,), text=text, since=state.failing_since)


def _late(schedule_id: str, span: TickSpan) -> Concern:
    worst = f", up to {duration_in_words(span.delay)}" if span.delay is not None else ""
    return Concern(
        kind=Kind.LATE,
        ids=(schedule_id,),
        text=f"{plural(span.count, 'tick')} late in 24 hours{worst}",
        since=span.first,
        start=span.first,
        end=span.last + _SECOND,
    )


def _behind(schedule_id: str, skipped: Spans, ran: Spans, ticks: Sequence[Tick]) -> Concern:
    """Say that runs are in each other's way, by the cadence that they really have where that is known."""
    spans = [*skipped.get(schedule_id, {}).values()]
    spans += [span for state, span in ran.get(schedule_id, {}).items() if state is TickClass.DELAYED_OVERLAP]
    measured = durations_of(ticks, None)
    told = []
    if (cadence := measured.cadence) is not None:
        real, said = duration_in_words(cadence.effective), duration_in_words(cadence.configured)
        told.append(f"runs every {real} instead of every {said}")
    if measured.outlasts and measured.took is not None and measured.interval is not None:
        half, interval = duration_in_words(measured.took.half), duration_in_words(measured.interval)
        told.append(f"half of its runs take {half} or more, and the next is due after {interval}")
    count = sum(span.count for span in spans)
    told.append(f"{plural(count, 'tick')} skipped or delayed by the run before in 24 hours")
    return Concern(
        kind=Kind.BEHIND,
        ids=(schedule_id,),
        text="; ".join(told),
        since=min(span.first for span in spans),
        start=min(span.first for span in spans),
        end=max(span.last for span in spans) + _SECOND,
    )
