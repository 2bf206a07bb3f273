"""Numbers that proved too small: what is remembered of them, and for how long they are not tried again.

A load that is constant on average may come in batches that are larger than the free slots of a small pool. Each batch
waits, and between two of them fewer workers would do; a law that only looks at the moment turns with each.
"""

from datetime import datetime
from typing import Final

from trenova_workers.scaling._decision import Trigger
from trenova_workers.scaling._faults import seconds
from trenova_workers.scaling._look import Look
from trenova_workers.scaling._state import ScalingState
from trenova_workers.scaling._usual import has_fallen

_NOT_OF_LOAD: Final = frozenset({"calendar", "override", "bounds"})
_RISES_S: Final = 180.0
"""After a raise the usual load takes so long to become that which was raised for."""


def regrets(look: Look, state: ScalingState, before: int, desired: int, trigger: Trigger) -> dict[str, object]:
    """Return what to remember of a decision, as changes of the state.

    A raise by the load says that the number before it was too small, if that was one which the pool had settled at, or
    had just been lowered to. A person who lowers it, by an override or the policy, has it forgotten.

    Args:
        look: That it was taken by.
        state: After the observation, before the decision.
        before: Workers that there were to be.
        desired: Workers that there shall be.
        trigger: Of the decision.
    """
    now, changed = look.observation.at, _last_change(state)
    if desired < before and trigger in _NOT_OF_LOAD:
        return {"regretted": None, "regretted_at": None, "given_back": None}
    if desired > before > 0 and trigger not in _NOT_OF_LOAD:
        turned = state.lowered_at is not None and changed is not None and state.lowered_at >= changed
        if turned or changed is None or seconds(now, changed) >= look.policy.quiet_s:
            return {
                "regretted": before,
                "regretted_rate": state.usual_rate or 0.0,
                "regretted_at": now,
                # What was added for a heap beyond a step may leave when it is done.
                "given_back": min(desired, before + look.policy.up_step) if turned else None,
            }
    changes: dict[str, object] = {}
    if state.regretted_at is not None and seconds(now, state.regretted_at) <= _RISES_S:
        changes["regretted_rate"] = max(state.regretted_rate, state.usual_rate or 0.0)
    if desired > before and is_fresh(look) and state.given_back is not None and trigger not in _NOT_OF_LOAD:
        changes["given_back"] = max(state.given_back, min(desired, (state.regretted or 0) + look.policy.up_step))
    return changes


def least_by_regret(look: Look) -> int:
    """Return the workers below which a pool is not lowered at about this load; 0 if nothing is known of that.

    One more than proved too few, for as long as the load has not fallen; what was given back just after it had been
    taken away stays for ``regret_s``.
    """
    learnt = look.learnt
    if learnt.regretted is None or learnt.regretted_at is None or has_fallen(learnt, learnt.regretted_rate):
        return 0
    return max(learnt.regretted + 1, learnt.given_back or 0 if is_fresh(look) else 0)


def is_fresh(look: Look) -> bool:
    """Whether workers were given back within ``regret_s``."""
    learnt = look.learnt
    if learnt.given_back is None or learnt.regretted_at is None:
        return False
    return seconds(look.observation.at, learnt.regretted_at) < look.policy.regret_s


def _last_change(state: ScalingState) -> datetime | None:
    changes = [one for one in (state.raised_at, state.lowered_at) if one is not None]
    return max(changes, default=None)
