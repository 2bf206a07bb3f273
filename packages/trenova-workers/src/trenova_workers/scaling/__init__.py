"""How many workers a pool shall have: one pure function, what goes into it and what comes out."""

from trenova_workers.scaling._calendar import FireCalendar
from trenova_workers.scaling._decision import Action, Candidates, Clamp, Decision, Held, Trigger
from trenova_workers.scaling._law import decide
from trenova_workers.scaling._observation import ExpectedArrivals, Observation, VersionState, WorkerCounts
from trenova_workers.scaling._override import Override
from trenova_workers.scaling._policy import ScalingPolicy
from trenova_workers.scaling._state import ScalingState

__all__ = [
    "Action",
    "Candidates",
    "Clamp",
    "Decision",
    "ExpectedArrivals",
    "FireCalendar",
    "Held",
    "Observation",
    "Override",
    "ScalingPolicy",
    "ScalingState",
    "Trigger",
    "VersionState",
    "WorkerCounts",
    "decide",
]
