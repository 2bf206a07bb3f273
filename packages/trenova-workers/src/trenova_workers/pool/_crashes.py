"""When a worker that ended by itself is started again, and when a pool is given up for a while. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import AwareDatetime

from trenova_workers.pool._options import CrashOptions
from trenova_workers.pool.store._documents import PoolDocument


class CrashState(PoolDocument):
    """What is carried from one look to the next.

    Attributes:
        looping_since: When the pool was given up; None while it is not.
        forgiven_at: Crashes until then count no more.
        build: That crashed.
    """

    looping_since: AwareDatetime | None = None
    forgiven_at: AwareDatetime | None = None
    build: str = ""


@dataclass(frozen=True)
class CrashVerdict:
    """What a pool may do.

    Attributes:
        may_start: Workers that may be started now; None is no limit.
        looping: Whether it is given up.
        why: Why not, in one sentence; empty without a limit.
        state: What the next look takes.
    """

    may_start: int | None
    looping: bool
    why: str
    state: CrashState


def gravest(verdicts: Mapping[str, CrashVerdict]) -> CrashVerdict:
    """Return the verdict of several versions that somebody has to do something about; any where nobody has."""
    calm = CrashVerdict(None, looping=False, why="", state=CrashState())
    return max(verdicts.values(), key=lambda one: (one.looping, bool(one.why)), default=calm)


def judge_crashes(
    crashes: Sequence[datetime],
    state: CrashState,
    options: CrashOptions,
    *,
    now: datetime,
    build: str,
    since: Sequence[datetime] = (),
) -> CrashVerdict:
    """Say what may be started after these crashes.

    Args:
        crashes: When workers ended by themselves, in order.
        state: Of the look before.
        options: What is allowed.
        now: By the same clock.
        build: What would be started; another than the one that crashed is given a new chance.
        since: When each worker that is there was started.
    """
    if state.build and build != state.build:
        state = CrashState(forgiven_at=now, build=build)
    counted = [at for at in crashes if _counts(at, state, options, now)]
    if state.looping_since is not None:
        return _in_the_loop(counted, state, options, now=now, since=since)
    if len(counted) >= options.crashes:
        looping = CrashState(looping_since=now, forgiven_at=state.forgiven_at, build=build)
        return _in_the_loop(counted, looping, options, now=now, since=since)
    if counted:
        delay = min(options.longest_delay_s, options.first_delay_s * 2.0 ** (len(counted) - 1))
        if (left := delay - (now - counted[-1]).total_seconds()) > 0:
            why = f"{len(counted)} crashes within {options.window_s:g} s; the next start is in {left:.0f} s"
            return CrashVerdict(0, looping=False, why=why, state=state.model_copy(update={"build": build}))
    return CrashVerdict(None, looping=False, why="", state=state.model_copy(update={"build": build}))


def _counts(at: datetime, state: CrashState, options: CrashOptions, now: datetime) -> bool:
    lasts = options.window_s if state.looping_since is None else max(options.window_s, 2 * options.recover_s)
    return at > (state.forgiven_at or at - timedelta(1)) and now - at <= timedelta(seconds=lasts)


def _in_the_loop(
    crashes: Sequence[datetime], state: CrashState, options: CrashOptions, *, now: datetime, since: Sequence[datetime]
) -> CrashVerdict:
    last = crashes[-1] if crashes else state.looping_since or now
    tried = [at for at in since if at > last]
    if any((now - at).total_seconds() >= options.stable_s for at in tried):
        return CrashVerdict(None, looping=False, why="", state=CrashState(forgiven_at=now, build=state.build))
    begun = state.looping_since or now
    said = f"workers of build {state.build} crash again and again (since {begun:%H:%M:%S} UTC)"
    if tried:
        why = f"{said}; one is tried, and has to run for {options.stable_s:g} s"
        return CrashVerdict(0, looping=True, why=why, state=state)
    left = options.recover_s - (now - last).total_seconds()
    if left > 0:
        why = f"{said}, so none is started; one is tried in {left:.0f} s, or at once after a resume or with a new build"
        return CrashVerdict(0, looping=True, why=why, state=state)
    return CrashVerdict(1, looping=True, why=f"{said}; one is tried now", state=state)
