"""When schedules fire, what daylight saving does to them, and what a change of times changes."""

from trenova_schedules._previewing._difference import DayOfRuns, FireDiff, MovedFire, fire_diff
from trenova_schedules._previewing._hazard import Fix, Hazard, HazardKind, Severity
from trenova_schedules._previewing._lint import LintFinding, fixed, lint
from trenova_schedules._previewing._preview import Fire, Preview, preview
from trenova_schedules._previewing._times import matching_times
from trenova_schedules._previewing._unsaved import SpecLike, fires_of, sweep

__all__ = [
    "DayOfRuns",
    "Fire",
    "FireDiff",
    "Fix",
    "Hazard",
    "HazardKind",
    "LintFinding",
    "MovedFire",
    "Preview",
    "Severity",
    "SpecLike",
    "fire_diff",
    "fires_of",
    "fixed",
    "lint",
    "matching_times",
    "preview",
    "sweep",
]
