"""What was decided, from what, and why."""

from typing import Literal

from pydantic import AwareDatetime

from trenova_workers.scaling._document import ScalingDocument
from trenova_workers.scaling._observation import Observation
from trenova_workers.scaling._state import ScalingState

Action = Literal["up", "down", "hold"]
"""What happens to the number of workers."""

Trigger = Literal[
    "none", "load", "backlog", "unmatched", "age", "schedule-to-start", "slot-use", "calendar", "override", "bounds"
]
"""What asked for a change, or what asks for as many as there are.

``load`` is the rate of arrivals alone; ``backlog`` what waits besides; ``unmatched`` tasks that found no worker;
``age`` the oldest that waits; ``schedule-to-start`` waits over the target, which raised the headroom; ``slot-use``
slots that are nearly all in use; ``bounds`` a number outside of what the policy or the version allows.
"""

Clamp = Literal["minimum", "maximum", "step-up", "step-down", "version"]
"""What kept the number from being what the load asked for."""

Held = Literal[
    "missing-data",
    "stale-data",
    "nonsense-data",
    "clock",
    "gap",
    "rate-limited",
    "dependency-down",
    "cool-down",
    "not-quiet",
    "starting",
    "regretted",
    "not-idle",
    "settled",
]
"""Why nothing changed although it might have; a wire contract, only added to.

``clock`` time went back or is ahead of ours; ``gap`` nothing was observed for too long; ``not-quiet`` work waited
lately; ``starting`` workers that start are awaited; ``regretted`` so few proved too few not long ago; ``not-idle``
something forbids zero; ``settled`` the number fits.
"""


class Candidates(ScalingDocument):
    """How many workers each rule asks for, before bounds and steps; None where a rule had nothing to go by.

    Attributes:
        by_utilization: ``ceil(rho / utilization)``.
        by_square_root: ``ceil(rho + headroom x sqrt(rho))``.
        by_unmatched: The fast path, when tasks found no worker.
        by_age: When the oldest task has waited for too long.
        by_slot_use: When slots are nearly all in use.
        by_calendar: For what calendars announce within the horizon.
    """

    by_utilization: int | None = None
    by_square_root: int | None = None
    by_unmatched: int | None = None
    by_age: int | None = None
    by_slot_use: int | None = None
    by_calendar: int | None = None


class Decision(ScalingDocument):
    """One decision, with all that it came from.

    Attributes:
        at: When it was taken.
        pool: For which pool.
        desired: Workers that there shall be.
        before: Workers that there were to be until now.
        action: What that comes to.
        trigger: What asked for it.
        rho: Offered load in workers: how many would be busy all the time. None where it is not known.
        mu: Tasks per second that one worker can do, as the decision took it. None where it is not known.
        headroom: That was in force.
        candidates: What each rule asked for.
        clamp: What kept the number from being that; None if nothing.
        held_because: Why nothing changed; None where something did.
        why: One plain sentence for people.
        observation: What was known.
        state: What the next decision takes.
    """

    at: AwareDatetime
    pool: str
    desired: int
    before: int
    action: Action
    trigger: Trigger
    rho: float | None
    mu: float | None
    headroom: float
    candidates: Candidates
    clamp: Clamp | None
    held_because: Held | None
    why: str
    observation: Observation
    state: ScalingState
