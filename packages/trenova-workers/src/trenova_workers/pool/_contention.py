"""Another writer: what changed and none of ours did it. The pool is then left alone, longer each time. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from trenova_workers.pool._options import ContentionOptions
from trenova_workers.pool._worker import PoolView
from trenova_workers.pool.store._documents import PoolDocument


class ContentionState(PoolDocument):
    """What is carried from one look to the next.

    Attributes:
        until: The pool is left alone until then; None while it is not.
        times: How often another writer was seen without a quiet while between.
        why: What was seen.
    """

    until: AwareDatetime | None = None
    times: int = 0
    why: str = ""


@dataclass(frozen=True)
class ContentionVerdict:
    """Whether a pool is left alone, why in one sentence, and what the next look takes."""

    contended: bool
    why: str
    state: ContentionState


def judge_contention(
    seen: str, state: ContentionState, options: ContentionOptions, *, now: datetime
) -> ContentionVerdict:
    """Say whether a pool is left alone.

    Args:
        seen: What another writer did or does, as a sentence without its end; empty if nothing.
        state: Of the look before.
        options: For how long.
        now: By any clock that is the same each time.
    """
    if seen and (state.until is None or now >= state.until):
        times = state.times + 1
        lasts = min(options.longest_s, options.first_s * 2.0 ** (times - 1))
        state = ContentionState(until=now + timedelta(seconds=lasts), times=times, why=seen)
    elif state.until is not None and not seen and now >= state.until + timedelta(seconds=options.longest_s):
        state = ContentionState()
    if state.until is None or now >= state.until:
        return ContentionVerdict(contended=False, why="", state=state)
    left = (state.until - now).total_seconds()
    why = f"{state.why}. Two writers would undo each other, so the pool is left alone for {left:.0f} s more"
    return ContentionVerdict(contended=True, why=why, state=state)


def unexplained(written: int, observed: int, crashed: int) -> str:
    """Say what nobody of ours has done; empty if nothing.

    Args:
        written: Workers that the manager left, drains apart.
        observed: Those that are there now, drains apart.
        crashed: How many have crashed since.
    """
    expected = written - crashed
    if observed == expected:
        return ""
    return f"There are {observed} workers where this manager left {expected}, and it changed nothing meanwhile"


def another_writer(view: PoolView, written: int | None, strangers: tuple[str, Sequence[str]]) -> str:
    """Say what somebody else did or does; empty if nothing.

    Args:
        view: The workers as they are now.
        written: Workers that the manager left, drains apart; None if it does not know.
        strangers: The service, and the identities of its workers on our queues that are not meant to be there.
    """
    if view.contended:
        return view.contended
    crashed = sum(end.crashed for end in view.ends)
    seen = "" if written is None else unexplained(written, view.there, crashed)
    service, foreign = strangers
    if seen or not foreign:
        return seen
    what = f"{len(foreign)} workers of {service} that this manager did not start poll its queues"
    return f"{what} ({', '.join(foreign[:3])})"
