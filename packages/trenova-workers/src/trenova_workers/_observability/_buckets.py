"""Buckets of histograms from the timeouts that activities declare.

A share such as "attempts that used up four fifths of their timeout" is exact only where a bucket ends there, and a
quantile is worth no more than the buckets around it.
"""

from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Final

from trenova_workers._limits import WorkLimits

_FINEST_S: Final = 0.005
_STEPS: Final = (1.0, 2.5, 5.0)
_NEAR: Final = 0.8
_WORKFLOW_TASK_S: Final = 10.0
"""The server's time-out of a workflow task, unless a caller says otherwise."""
_REQUEST_S: Final = 10.0
_WAIT_S: Final = 600.0
"""The longest wait for a worker that is told apart; the alerts begin at seconds."""

_ATTEMPTS: Final = ("activity_execution_latency", "local_activity_execution_latency")
_WITH_RETRIES: Final = ("activity_succeed_endtoend_latency", "local_activity_succeed_endtoend_latency")
_WAITS: Final = ("activity_schedule_to_start_latency", "workflow_task_schedule_to_start_latency")
_TASKS: Final = ("workflow_task_execution_latency", "workflow_task_replay_latency")


def ladder(longest_s: float, timeouts_s: Iterable[float] = ()) -> tuple[float, ...]:
    """Return bounds from 5 ms to ``longest_s``, each about twice the last, and among them each timeout and 80 % of it.

    Args:
        longest_s: The last bound.
        timeouts_s: Bounds that must be there.
    """
    decades = (_rounded(step * 10.0**power) for power in range(-3, 7) for step in _STEPS)
    steps = takewhile(lambda bound: bound < longest_s, (bound for bound in decades if bound >= _FINEST_S))
    exact = [_rounded(share * timeout) for timeout in timeouts_s for share in (_NEAR, 1.0)]
    return tuple(sorted({*steps, *exact, longest_s}))


def derived_buckets(limits: WorkLimits) -> Mapping[str, tuple[float, ...]]:
    """Return the bounds of the SDK's histograms, in seconds, by name without prefix and unit.

    Args:
        limits: Which timeouts activities have; without any the SDK's own bounds are left to their histograms.
    """
    fixed = {
        **dict.fromkeys(_WAITS, ladder(_WAIT_S)),
        **dict.fromkeys(_TASKS, ladder(_WORKFLOW_TASK_S, [_WORKFLOW_TASK_S])),
        "request_latency": ladder(_REQUEST_S),
    }
    longest = limits.longest_start_to_close_s
    timeouts = limits.start_to_close_s or (() if longest is None else (longest,))
    if not timeouts:
        return fixed
    most = max(timeouts)
    return {
        **fixed,
        **dict.fromkeys(_ATTEMPTS, ladder(most, timeouts)),
        **dict.fromkeys(_WITH_RETRIES, ladder(10 * most, timeouts)),
    }


def _rounded(bound: float) -> float:
    return float(f"{bound:.6g}")
