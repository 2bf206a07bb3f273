"""How many workers a pool shall have: one pure function, what goes into it and what comes out."""

from trenova_workers.scaling._budget import Allocation, Budget, BusinessClass, PoolDemand, arbitrate
from trenova_workers.scaling._calendar import FireCalendar
from trenova_workers.scaling._decision import Action, Candidates, Clamp, Decision, Held, Trigger
from trenova_workers.scaling._file import load_policy
from trenova_workers.scaling._law import decide
from trenova_workers.scaling._observation import ExpectedArrivals, Observation, VersionState, WorkerCounts
from trenova_workers.scaling._override import Override
from trenova_workers.scaling._policy import ScalingPolicy
from trenova_workers.scaling._state import ScalingState, SlotsSeen

__all__ = [
    "Action",
    "Allocation",
    "Budget",
    "BusinessClass",
    "Candidates",
    "Clamp",
    "Decision",
    "ExpectedArrivals",
    "FireCalendar",
    "Held",
    "Observation",
    "Override",
    "PoolDemand",
    "ScalingPolicy",
    "ScalingState",
    "SlotsSeen",
    "Trigger",
    "VersionState",
    "WorkerCounts",
    "arbitrate",
    "decide",
    "load_policy",
]
