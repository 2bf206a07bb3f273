"""How many workers each rule asks for."""

import math
from typing import Final

from trenova_workers.scaling._decision import Candidates
from trenova_workers.scaling._faults import seconds
from trenova_workers.scaling._learning import NEARLY_ALL, busy_workers
from trenova_workers.scaling._look import Look, whole

_EXPLAINED: Final = 1.5


def candidates(look: Look) -> Candidates:
    """Return what each rule asks for."""
    rho, more = look.rho, catch_up(look)
    return Candidates(
        by_utilization=None if rho is None else whole(rho / look.utilization + more),
        by_square_root=None if rho is None else whole(rho + look.headroom * math.sqrt(rho) + more),
        by_unmatched=_unmatched(look),
        by_age=_age(look),
        by_slot_use=_slot_use(look),
        by_calendar=heap(look, look.policy.lead_s),
    )


def catch_up(look: Look) -> float:
    """Return the workers that work off in time what waits for longer than is of no account."""
    if look.capacity is None:
        return 0.0
    calm = look.capacity * look.workers.planned * look.policy.calm_wait_s
    return max(0.0, (look.observation.backlog or 0.0) - calm) / (look.capacity * look.policy.catches_up_s)


def heap(look: Look, within_s: float) -> int | None:
    """Return what works off within the target what calendars announce, beside what comes anyway."""
    expected = math.fsum(one.tasks or 0.0 for one in look.due(within_s))
    if not expected or not look.policy.horizon_s:
        return None
    if look.capacity is None or look.rho is None:
        return 1
    time_s = look.policy.wait_target_s - look.policy.calm_wait_s
    return whole(look.rho / look.utilization + expected / (look.capacity * time_s))


def in_use(look: Look, used: float | None) -> float:
    """Return the workers whose slots so many tasks fill; 0 where slots are not known."""
    slots = look.observation.slots
    return used * look.workers.running / slots if slots and used and look.workers.running > 0 else 0.0


def _unmatched(look: Look) -> int | None:
    """Return one more than there are, or a step where nobody knows how much one can do."""
    backlog, planned = look.observation.backlog or 0.0, look.workers.planned
    if not backlog and not look.observation.unmatched:
        return None
    if not planned:
        return 1 if look.capacity is not None else max(1, min(look.policy.up_step, whole(backlog)))
    if look.workers.starting or look.wait_s <= look.policy.calm_wait_s:
        return None
    if look.capacity is None:
        return planned + look.policy.up_step
    return planned + 1 if look.growing else None


def _age(look: Look) -> int | None:
    """Return one more where the oldest task has waited for half of the target and the rest will wait for longer.

    That is seen, not worked out, so it is right also where what is known of the workers is wrong.
    """
    age = look.observation.backlog_age_s or 0.0
    if look.workers.starting or not (look.growing or look.late) or age <= look.policy.wait_target_s / 2:
        return None
    return look.workers.planned + 1


def _slot_use(look: Look) -> int | None:
    """Return what the slots ask for if nearly all are in use and the rates do not say why: long tasks come rarely.

    Slots that are all in use while a backlog is worked off say nothing.
    """
    busy = busy_workers(look.learnt)
    if busy is None or look.workers.running < 1 or not look.observation.slots:
        return None
    pressed = look.learnt.pressed_at
    lately = pressed is not None and seconds(look.observation.at, pressed) < look.policy.quiet_s
    if look.capacity is not None and (look.observation.backlog or lately):
        return None
    explained = look.rho is not None and busy <= _EXPLAINED * look.rho
    if explained or busy < NEARLY_ALL * look.workers.running:
        return None
    return whole(busy / look.utilization)
