"""What a backfill would do, as a page shows it: tick by tick, what follows from it, and how long it takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from statistics import median
from typing import Final

from trenova_errors import ApplicationError
from trenova_schedules._reading import ScheduleDocument
from trenova_schedules._slo import BackfillPolicy
from trenova_schedules._tick import Tick
from trenova_schedules.backfill import BackfillPreview, BackfillRequest, list_backfills, preview_backfill
from trenova_schedules.dashboard._local_time import doubled
from trenova_schedules.dashboard._words import duration_in_words, plural
from trenova_schedules.server._api import Api
from trenova_schedules.store import ScheduleStore

SHOWN: Final = 50
"""Ticks of one page."""
_MOST: Final = 2_000
_OTHERS: Final = 20
_SPANS: Final = (timedelta(days=1), timedelta(days=7), timedelta(days=30))
_DUE: Final = {"each": "is run", "collapse": "one run stands for all such"}
_SKIPPED: Final = {
    "missing": "left alone: it has a run",
    "missing_and_failed": "left alone: a run of it completed or is under way",
    "all": "left alone: it has a run",
}


@dataclass(frozen=True, kw_only=True)
class TickRow:
    """One tick.

    Attributes:
        at: Its nominal time.
        tick: What the ledger has of it; None where it has nothing.
        runs: Whether it is run.
        becomes: What becomes of it, and why.
    """

    at: datetime
    tick: Tick | None
    runs: bool
    becomes: str


@dataclass(frozen=True, kw_only=True)
class PreviewView:
    """A preview.

    Attributes:
        request: What is asked.
        preview: What it would do.
        rows: One page of its ticks.
        skip: Ticks before these.
        takes: How long it takes, as far as can be said.
        follows: What follows from it, a sentence each.
        others: Backfills of the schedule that are under way, of the last ones.
        doubled: Ends of the range that clocks show twice, a sentence each.
        trouble: Why the ledger could not be read; empty where it could or there is none.
    """

    request: BackfillRequest
    preview: BackfillPreview
    rows: Sequence[TickRow]
    skip: int
    takes: str
    follows: Sequence[str]
    others: int
    doubled: Sequence[str]
    trouble: str = ""

    @property
    def after(self) -> int:
        """Where the next page begins; 0 where there is none."""
        end = self.skip + len(self.rows)
        return end if end < self.preview.planned else 0


async def preview_view(api: Api, document: ScheduleDocument, request: BackfillRequest, *, skip: int = 0) -> PreviewView:
    """Say what a backfill would do, by the function that plans it.

    Args:
        api: Of the application.
        document: The schedule.
        request: What is asked.
        skip: Ticks before the page that is shown.

    Raises:
        ConflictError: As :func:`~trenova_schedules.backfill.preview_backfill`.
        InvalidInputError: Likewise.
    """
    preview = await preview_backfill(api.client, request, ledger=api.run_ledger, show=SHOWN, skip=skip)
    ticks, lengths, trouble = dict[datetime, Tick](), list[float](), ""
    if api.store is not None:
        try:
            ticks = await _ticks(api.store, document, preview.times)
            lengths = await _lengths(api.store, document.id)
        except ApplicationError as error:
            trouble = error.message
    listed = list_backfills(api.client, schedule_id=document.id, limit=_OTHERS)
    zone = document.time_zone
    return PreviewView(
        request=request,
        preview=preview,
        rows=[
            TickRow(at=at, tick=ticks.get(at), runs=becomes == "due", becomes=_words(preview, request, becomes))
            for at, becomes in zip(preview.times, preview.becomes, strict=True)
        ],
        skip=skip,
        takes=takes(preview, lengths),
        follows=follows(document, preview, request),
        others=len([one async for one in listed if one.closed_at is None]),
        doubled=[*doubled(request.start_at, zone, edge="start"), *doubled(request.end_at, zone, edge="end")],
        trouble=trouble,
    )


def takes(preview: BackfillPreview, lengths: Sequence[float]) -> str:
    """Say how long a backfill takes at least, and about, where it is known how long runs take.

    Args:
        preview: Of the backfill.
        lengths: Seconds that runs took lately.
    """
    starts = preview.judged.due if preview.mode == "each" else min(1, preview.judged.due)
    if not starts:
        return ""
    least = "Starting them takes less than a second"
    if preview.seconds:
        least = f"Starting them takes {plural(preview.seconds, 'second')} at least"
    if not lengths:
        return f"{least}; how long runs take is not known, so neither is the end."
    usual = median(lengths)
    whole = preview.seconds + usual
    if preview.concurrency:
        whole = max(preview.seconds, usual * ceil(starts / preview.concurrency))
    each = duration_in_words(timedelta(seconds=round(usual)))
    lately = f"the last one took {each}"
    if len(lengths) > 1:
        lately = f"half of the last {len(lengths):,} took {each} or less"
    about = duration_in_words(timedelta(seconds=round(whole)))
    return f"{least}; all of it takes about {about} with its runs, of which {lately}."


def follows(document: ScheduleDocument, preview: BackfillPreview, request: BackfillRequest) -> list[str]:
    """Say what a backfill means for the schedule's own ticks and the other way round, a sentence each."""
    said = [_allowed(document)]
    if preview.concurrency == 1:
        said.append("One run at a time; one of the schedule's own that is under way takes the place.")
    elif preview.concurrency:
        said.append(f"{preview.concurrency:,} runs at a time, those of the schedule itself included.")
    else:
        said.append("Any number of its runs may be open at once.")
    if document.paused:
        said.append("The schedule is paused; this runs all the same, and does not resume it.")
    elif document.overlap != "allow_all":
        said.append(
            f"The overlap policy ({document.overlap.replace('_', ' ')}) does not see these runs: the schedule's next "
            "tick may begin beside one. Pause the schedule first if that must not be."
        )
    window = duration_in_words(document.catchup_window)
    said.append(f"The catch-up window ({window}) does not hold here: ticks of any age are run.")
    if request.policy == "all":
        said.append("Ticks whose run completed are run a second time.")
    elif request.older == "run":
        said.append("Ticks that are older than runs are kept are run, perhaps a second time.")
    said.append("Its runs have the lowest priority, so that live work goes first.")
    return said


def _allowed(document: ScheduleDocument) -> str:
    if document.backfill is BackfillPolicy.COLLAPSE:
        return "Its owner lets one run stand for all ticks that are due (backfill: collapse)."
    if document.backfill is BackfillPolicy.EACH:
        return "Its owner lets each tick be run by itself (backfill: each)."
    return "Nobody has said what a backfill may make of its ticks, so each is run by itself."


def _words(preview: BackfillPreview, request: BackfillRequest, becomes: str) -> str:
    if becomes == "due":
        return _DUE[preview.mode]
    return _SKIPPED[request.policy] if becomes == "had_run" else "left alone: nobody knows whether it ran"


async def _ticks(store: ScheduleStore, document: ScheduleDocument, times: Sequence[datetime]) -> dict[datetime, Tick]:
    if not times:
        return {}
    end = times[-1] + document.jitter + timedelta(seconds=1)
    found = await store.ticks.read(document.id, times[0], end, limit=_MOST)
    return {tick.nominal_at or tick.at: tick for tick in found}


async def _lengths(store: ScheduleStore, schedule_id: str) -> list[float]:
    """Return how many seconds runs took lately, in the shortest span that has some."""
    now = datetime.now(UTC)
    for span in _SPANS:
        found = await store.ticks.read(schedule_id, now - span, now, limit=_MOST)
        took = [
            (tick.closed_at - tick.started_at).total_seconds() for tick in found if tick.started_at and tick.closed_at
        ]
        if took:
            return took
    return []
