"""What the load asks for: the most of all rules, how sure that is, and which rule it was."""

import math
from typing import Final, NamedTuple

from trenova_workers.scaling._decision import Candidates, Trigger
from trenova_workers.scaling._learning import busy_workers
from trenova_workers.scaling._look import Look, whole
from trenova_workers.scaling._policy_checks import RATE_WINDOW_S
from trenova_workers.scaling._rules import candidates, catch_up, heap, in_use

_ERRORS: Final = 2.0
"""A counted rate is off by more than so many standard errors once in 20 looks."""
_ORDER: Final[tuple[tuple[str, Trigger], ...]] = (
    ("by_calendar", "calendar"),
    ("by_slot_use", "slot-use"),
    ("by_unmatched", "unmatched"),
    ("by_age", "age"),
)


class Demand(NamedTuple):
    """Numbers of workers, before bounds and steps."""

    look: Look
    candidates: Candidates
    trigger: Trigger
    wanted: int
    """What is asked for."""
    sure: int
    """What would be asked for if the rates were a little lower than they look; ``wanted`` where work waits."""
    kept: int
    """What would be asked for if they were a little higher, or for a fire that is not far away."""


def demand(look: Look) -> Demand:
    """Return what the load asks for."""
    asked = candidates(look)
    wanted = max((value for _, value in asked if value is not None), default=0)
    return Demand(
        look,
        asked,
        _trigger(look, asked, wanted),
        wanted,
        min(wanted, _sure(look, asked, wanted)),
        max(wanted, _kept(look)),
    )


def _sure(look: Look, asked: Candidates, wanted: int) -> int:
    if look.wait_s > look.policy.calm_wait_s or look.capacity is None:
        return wanted
    events = max(asked.by_calendar or 0, asked.by_unmatched or 0, asked.by_age or 0)
    load = look.sized(max(0.0, look.rate - _error(look.rate)))
    if not asked.by_slot_use:
        return max(events, load)
    used = (busy_workers(look.learnt) or 0.0) * (look.observation.slots or 0.0) / max(1, look.workers.running)
    return max(events, load, whole(in_use(look, max(0.0, used - math.sqrt(used))) / look.utilization))


def _kept(look: Look) -> int:
    load = look.sized(look.rate + _error(look.rate))
    used = look.observation.slots_used or 0.0
    return max(load, whole(in_use(look, used + math.sqrt(used))), heap(look, look.policy.horizon_s) or 0)


def _error(rate: float) -> float:
    return _ERRORS * math.sqrt(rate / RATE_WINDOW_S)


def _trigger(look: Look, asked: Candidates, wanted: int) -> Trigger:
    if not wanted:
        return "none"
    if wanted not in {asked.by_utilization, asked.by_square_root}:
        return next(trigger for name, trigger in _ORDER if getattr(asked, name) == wanted)
    if catch_up(look) and look.sized(look.rate) < wanted:
        return "backlog"
    if look.headroom > look.policy.headroom:
        usual = look._replace(headroom=look.policy.headroom)
        return "schedule-to-start" if usual.sized(look.rate) < wanted else "load"
    return "load"
