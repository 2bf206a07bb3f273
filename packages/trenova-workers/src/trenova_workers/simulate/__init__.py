"""A pool under a law, second by second, without a server: what a policy would come to."""

from trenova_workers.simulate._canonical import Case, case, cases, names
from trenova_workers.simulate._compare import Comparison, compare
from trenova_workers.simulate._file import load_trace
from trenova_workers.simulate._laws import FixedLaw, KedaLaw, Law, OwnLaw, PlannedLaw, RateLaw
from trenova_workers.simulate._oracle import Plan, oracle, work_seconds
from trenova_workers.simulate._run import Run, run
from trenova_workers.simulate._trace import Fire, Outage, Span, Trace

__all__ = [
    "Case",
    "Comparison",
    "Fire",
    "FixedLaw",
    "KedaLaw",
    "Law",
    "Outage",
    "OwnLaw",
    "Plan",
    "PlannedLaw",
    "RateLaw",
    "Run",
    "Span",
    "Trace",
    "case",
    "cases",
    "compare",
    "load_trace",
    "names",
    "oracle",
    "run",
    "work_seconds",
]
