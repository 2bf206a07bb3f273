"""The tick ledger: what became of every time at which a schedule should have fired.

:func:`classify` is a pure function.
"""

from trenova_schedules._tick import Tick, TickClass
from trenova_schedules.ledger._classify import SHORTEST_MARGIN_S, Verdict, classify
from trenova_schedules.ledger._evidence import Evidence, Look, Outage, Overlap, Pause, Run, VersionInForce

__all__ = [
    "SHORTEST_MARGIN_S",
    "Evidence",
    "Look",
    "Outage",
    "Overlap",
    "Pause",
    "Run",
    "Tick",
    "TickClass",
    "Verdict",
    "VersionInForce",
    "classify",
]
