"""Ticks that are final, and that a backfill has run since."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from trenova_schedules._tick import Tick
from trenova_schedules.ledger._evidence import Run
from trenova_schedules.ledger._words import MADE_UP
from trenova_schedules.store import ScheduleStore

_MOST: Final = 100_000
_SECOND: Final = timedelta(seconds=1)


async def made_up(
    store: ScheduleStore, schedule_id: str, runs: Sequence[Run], *, until: datetime, jitter: timedelta, now: datetime
) -> list[Tick]:
    """Give ticks that were classified before the runs that backfills have started for them; return those ticks.

    Args:
        store: Of the ledger.
        schedule_id: Of which schedule.
        runs: Runs of the schedule, of which those of backfills are taken.
        until: Up to when ticks are final; later ones are classified with their runs.
        jitter: By how much a tick may be later than its nominal time.
        now: When the runs were read.
    """
    wanted = sorted((run for run in runs if run.backfilled and run.nominal <= until.timestamp()), key=_nominal)
    if not wanted:
        return []
    start, end = _at(wanted[0].nominal), min(_at(wanted[-1].nominal) + jitter, until) + _SECOND
    ticks = await store.ticks.read(schedule_id, start, end, limit=_MOST)
    times = [int(tick.at.timestamp()) for tick in ticks]
    found: dict[int, Tick] = {}
    for run in wanted:
        place = bisect_left(times, run.nominal)
        if place < len(times) and times[place] - run.nominal <= jitter.total_seconds():
            tick = found.get(place, ticks[place])
            if tick.started_at is None or tick.run_id == run.run_id:
                found[place] = _with_run(tick, run, now)
    await store.ticks.upsert(list(found.values()))
    return list(found.values())


def _with_run(tick: Tick, run: Run, now: datetime) -> Tick:
    reason = tick.reason if tick.reason.endswith(MADE_UP) else "; ".join(filter(None, (tick.reason, MADE_UP)))
    facts = {
        "reason": reason,
        "nominal_at": _at(run.nominal),
        "started_at": _at(run.started),
        "closed_at": None if run.closed is None else _at(run.closed),
        "workflow_id": run.workflow_id,
        "run_id": run.run_id,
        "status": run.status,
        "observed_at": now.replace(microsecond=0),
    }
    return tick.model_copy(update=facts)


def _nominal(run: Run) -> int:
    return run.nominal


def _at(second: float) -> datetime:
    return datetime.fromtimestamp(int(second), UTC)
