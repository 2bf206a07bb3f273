"""When schedules fire, what daylight saving does to them, and what a change of times changes."""

from trenova_schedules._previewing._difference import DayOfRuns, FireDiff, MovedFire, fire_diff
from trenova_schedules._previewing._times import matching_times
from trenova_schedules._previewing._unsaved import SpecLike, fires_of, sweep

__all__ = [
    "DayOfRuns",
    "FireDiff",
    "MovedFire",
    "SpecLike",
    "fire_diff",
    "fires_of",
    "matching_times",
    "sweep",
]
