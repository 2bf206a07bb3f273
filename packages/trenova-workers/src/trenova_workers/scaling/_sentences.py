"""Why, in one plain sentence."""

from collections.abc import Mapping
from typing import Final

from trenova_workers.scaling._bounds import Bounded
from trenova_workers.scaling._decision import Clamp, Held
from trenova_workers.scaling._demand import Demand
from trenova_workers.scaling._faults import Fault, seconds
from trenova_workers.scaling._look import Look
from trenova_workers.scaling._override import Override
from trenova_workers.scaling._regret import is_fresh

_CLAMPS: Final[Mapping[Clamp, str]] = {
    "minimum": "the policy allows no fewer",
    "maximum": "the policy allows no more",
    "step-up": "no more are added at once",
    "step-down": "no more are taken away at once",
    "version": "its version must not be without a worker",
}


def held_by_fault(before: int, fault: Fault) -> str:
    """Return why an observation changes nothing."""
    return f"Stays at {before}: {fault.said}."


def moved_by_bounds(before: int, result: Bounded) -> str:
    """Return why a number is moved without regard to the load."""
    return f"{_moved(before, result.number)}: {_CLAMPS[result.clamp] if result.clamp else 'the bounds say so'}."


def overridden(before: int, result: Bounded, override: Override) -> str:
    """Return who told what, and until when."""
    limit = f" ({override.count} were asked for, but {_CLAMPS[result.clamp]})" if result.clamp else ""
    until = f"{override.until:%Y-%m-%d %H:%M:%S} {override.until:%Z}"
    said = override.reason.rstrip(".")
    return f"{_moved(before, result.number)}: {override.by} set it until {until}{limit}, because {said}."


def up(load: Demand, before: int, result: Bounded) -> str:
    """Return why workers are added."""
    return f"{_moved(before, result.number)}: {_asked(load)}{_limit(load.wanted, result)}."


def at_rest(load: Demand, before: int, count: int) -> str:
    """Return why all leave that may."""
    polls = load.look.policy.zero_polls
    return f"{_moved(before, count)}: there was nothing to do in {polls} observations in a row."


def heap_done(load: Demand, before: int, count: int) -> str:
    """Return why those leave together that came for a heap of work."""
    return f"{_moved(before, count)}: what waited is done, and {_load(load.look)}."


def down(load: Demand, before: int, result: Bounded) -> str:
    """Return why workers are taken away."""
    policy = load.look.policy
    calm = f"no work has waited for over {policy.calm_wait_s:g} s in the last {policy.quiet_s:g} s"
    return f"{_moved(before, result.number)}: {_load(load.look)}, and {calm}{_limit(load.kept, result)}."


def settled(load: Demand, before: int) -> str:
    """Return why the number fits."""
    if load.wanted == before or load.look.rho is None:
        return f"Stays at {before}: {_load(load.look)}."
    return f"Stays at {before}: {_load(load.look)}; {load.wanted} might do, which is too close to tell."


def not_up(load: Demand, before: int, held: Held) -> str:
    """Return why no workers are added although the load asks for them."""
    reasons: Mapping[str, str] = {
        "dependency-down": f"{_down(load.look)} down, and more workers would only fail more",
        "rate-limited": "the server holds the queue to its rate limit, which more workers do not change",
        "settled": "the policy allows no more",
        "cool-down": "the last change was made only just now",
    }
    return f"Stays at {before}: {load.wanted} are asked for because {_asked(load)}, but {reasons[held]}."


def not_down(load: Demand, before: int, held: Held, forbidden: str) -> str:
    """Return why none are taken away although fewer would do."""
    look = load.look
    pressed = look.learnt.pressed_at
    ago = seconds(look.observation.at, pressed) if pressed else 0.0
    reasons: Mapping[str, str] = {
        "starting": f"{look.workers.starting} of them are still starting",
        "not-quiet": f"work waited {ago:.0f} s ago, and that is too short a calm",
        "cool-down": f"the last change was less than {look.policy.down_cooldown_s:g} s ago",
        "regretted": f"{look.learnt.regretted} were too few for about this load{_when(look)}",
        "not-idle": forbidden or "the policy allows no fewer",
    }
    return f"Stays at {before}: {load.kept} would do, but {reasons[held]}."


def _when(look: Look) -> str:
    return " not long ago" if is_fresh(look) else ", which has not fallen since"


def _asked(load: Demand) -> str:
    look = load.look
    observation, policy = look.observation, look.policy
    said = {
        "calendar": _fires(look),
        "slot-use": f"{observation.slots_used or 0:.0f} of {observation.slots or 0:.0f} slots are in use",
        "age": f"the oldest task has waited {observation.backlog_age_s or 0:.0f} s, {policy.wait_target_s:g} s are the "
        "target, and the rest will wait for longer",
        "unmatched": f"{_waiting(look)} and nobody is free to take them",
        "backlog": f"{_load(look)}, and {_waiting(look)}",
        "schedule-to-start": f"{_load(look)}, and waits over {policy.wait_target_s:g} s raised the headroom to "
        f"{look.headroom:g}",
    }
    return said.get(load.trigger) or _load(look)


def _fires(look: Look) -> str:
    due = look.due(look.policy.lead_s)
    if not due:
        return ""
    names = ", ".join(dict.fromkeys(one.name for one in due if one.name)) or "a schedule"
    return f"{names} at {due[0].at:%H:%M:%S} brings about {sum(one.tasks or 0.0 for one in due):.0f} tasks"


def _down(look: Look) -> str:
    names = look.observation.dependencies_down or ("what the tasks need",)
    return f"{' and '.join(names)} {'are' if len(names) > 1 else 'is'}"


def _load(look: Look) -> str:
    if look.rate <= 0:
        return "no tasks come"
    if look.rho is None or look.capacity is None:
        return f"{look.rate:.3g} tasks/s come and nobody knows yet how many one worker does"
    busy = f"keeps {look.rho:.2f} workers busy"
    return f"{look.rate:.3g} tasks/s come and one worker does {look.capacity:.3g}/s, which {busy}"


def _waiting(look: Look) -> str:
    return f"{look.observation.backlog or look.observation.unmatched or 0:.0f} tasks wait"


def _limit(wanted: int, result: Bounded) -> str:
    return f"; {wanted} would fit, but {_CLAMPS[result.clamp]}" if result.clamp else ""


def _moved(before: int, count: int) -> str:
    if count == before:
        return f"Stays at {before}"
    return f"{'Up' if count > before else 'Down'} from {before} to {count}"
