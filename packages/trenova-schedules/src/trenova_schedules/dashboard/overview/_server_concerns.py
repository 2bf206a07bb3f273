"""What the server says is wrong: failed, invalid, running too long, waiting, over and paused."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from trenova_schedules._managing._listed import ListedSchedule
from trenova_schedules._reading._document import RunDocument
from trenova_schedules.dashboard._words import duration_in_words, plural
from trenova_schedules.dashboard.overview._concern import Concern, Kind, Severity
from trenova_schedules.dashboard.overview._described import Described
from trenova_schedules.dashboard.overview._unserved import Unserved
from trenova_schedules.store import PauseInterval

_RUN_FAILED: Final = frozenset({"failed", "timed_out", "terminated"})
_BY_SERVER: Final = "paused due to workflow failure"
"""How the note begins that the server leaves where ``pause_on_failure`` has paused a schedule."""
_MAY_OVERLAP: Final = "allow_all"


def server_concerns(
    lines: Sequence[ListedSchedule], looks: Mapping[str, Described], failing: Iterable[str], now: datetime
) -> list[Concern]:
    """Return what is wrong with schedules by the server's list and by looks at them.

    Args:
        lines: Those that the caller may look at.
        looks: At some of them, by id.
        failing: Ids of those whose failed runs are told by their objective.
        now: The present.
    """
    told = frozenset(failing)
    found: list[Concern | None] = []
    for line in lines:
        look = looks.get(line.id)
        found += [
            None if line.id in told else _failed(line),
            _invalid(look),
            _stuck(line, look, now),
            _behind(line, look, now),
            _over(line, look),
        ]
    return [one for one in found if one is not None]


def pause_concerns(
    lines: Iterable[ListedSchedule], looks: Mapping[str, Described], pauses: Mapping[str, PauseInterval]
) -> list[Concern]:
    """Return who has paused what, why and since when; what the server has paused itself is worse.

    Args:
        lines: Those that the caller may look at.
        looks: At some of them, by id: they know when we paused one.
        pauses: What the ledger knows of pauses of other tools, by id.
    """
    found = []
    for line in lines:
        if not line.paused:
            continue
        since = looks[line.id].paused_since if line.id in looks else None
        if since is None and line.id in pauses:
            since = pauses[line.id].from_at
        failed = line.note.casefold().startswith(_BY_SERVER)
        found.append(
            Concern(
                kind=Kind.PAUSED,
                ids=(line.id,),
                text=line.note or "nobody has said who paused it, or why",
                since=since,
                severity=Severity.BROKEN if failed else None,
            )
        )
    return found


def worker_concerns(unserved: Iterable[Unserved]) -> list[Concern]:
    """Return the queues whose runs nobody would take."""
    return [
        Concern(
            kind=Kind.UNSERVED,
            ids=one.ids,
            text=f"{one.why}; {plural(len(one.ids), 'schedule starts', 'schedules start')} runs there",
            queue=one.queue,
        )
        for one in unserved
    ]


def running_of(line: ListedSchedule) -> RunDocument | None:
    """Return the run that has gone on for longest among the last ones; None where none goes on."""
    return next((run for run in line.recent_runs if run.status == "running"), None)


def _failed(line: ListedSchedule) -> Concern | None:
    last = line.recent_runs[-1] if line.recent_runs else None
    if last is None or last.status not in _RUN_FAILED:
        return None
    since = last.started_at or last.scheduled_at
    text = f"its last run {last.status.replace('_', ' ')}"
    return Concern(kind=Kind.FAILED, ids=(line.id,), text=text, since=since, run=last)


def _invalid(look: Described | None) -> Concern | None:
    if look is None or not look.document.invalid_reason:
        return None
    text = f"the server cannot work with it: {look.document.invalid_reason}"
    return Concern(kind=Kind.INVALID, ids=(look.document.id,), text=text)


def _stuck(line: ListedSchedule, look: Described | None, now: datetime) -> Concern | None:
    run = running_of(line)
    limit = look.document.slo.max_run_time if look is not None and look.document.slo is not None else None
    if run is None or run.started_at is None or limit is None or now - run.started_at <= limit:
        return None
    text = f"a run goes on for {duration_in_words(now - run.started_at)}; its limit is {duration_in_words(limit)}"
    return Concern(kind=Kind.STUCK, ids=(line.id,), text=text, since=run.started_at + limit, run=run)


def _behind(line: ListedSchedule, look: Described | None, now: datetime) -> Concern | None:
    told, run = [], running_of(line)
    overlaps = look is not None and look.document.overlap == _MAY_OVERLAP
    gap = min((after - before for before, after in pairwise(line.next_fires)), default=timedelta(0))
    outlasts = run is not None and run.started_at is not None and now - run.started_at > gap > timedelta(0)
    if run is not None and run.started_at is not None and outlasts and not overlaps and not line.paused:
        taken = duration_in_words(now - run.started_at)
        told.append(f"a run goes on for {taken}, and the next is due every {duration_in_words(gap)}")
    if look is not None and (waiting := look.document.counts.buffer_size):
        told.append(f"{plural(waiting, 'start waits', 'starts wait')} for a run to end")
    if not told:
        return None
    since = run.started_at if run is not None and outlasts else None
    return Concern(kind=Kind.BEHIND, ids=(line.id,), text="; ".join(told), since=since, run=run)


def _over(line: ListedSchedule, look: Described | None) -> Concern | None:
    if look is None or line.paused or look.document.paused or look.document.invalid_reason:
        return None
    document = look.document
    if document.remaining_actions == 0:
        return Concern(kind=Kind.OVER, ids=(line.id,), text="it has started as many runs as it was told to")
    if document.next_fires:
        return None
    ended = document.end_at is not None and document.end_at <= look.at
    text = "its end has passed" if ended else "no time to come fits what it says"
    return Concern(kind=Kind.OVER, ids=(line.id,), text=text, since=document.end_at if ended else None)
