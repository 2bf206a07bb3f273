from datetime import UTC, datetime, timedelta

import pytest

from trenova_workers.scaling import Observation, ScalingState, WorkerCounts, decide

BEGAN = datetime(2026, 3, 2, 8, tzinfo=UTC)
POLL_S = 10
MU = 5.0
SLOTS = 10


def an_observation(at_s=0.0, *, workers=4, starting=0, rate=16.0, **changes):
    """Return a pool that keeps up with its load: 4 workers of 5 tasks/s each, 16 tasks/s, nothing waits."""
    at = BEGAN + timedelta(seconds=at_s)
    running = workers if isinstance(workers, int) else 4
    counts = WorkerCounts(running=running, starting=starting, planned=running + starting)
    figures = {
        "pool": "shipments",
        "at": at,
        "read_at": at,
        "backlog": 0.0,
        "backlog_age_s": 0.0,
        "arrival_rate": rate,
        "dispatch_rate": rate,
        "wait_p95_s": 0.0,
        "unmatched": 0.0,
        "workers": counts if isinstance(workers, int) else workers,
        "slots_used": min(rate / MU, running) * SLOTS,
        "slots": float(running * SLOTS),
        "open_workflows": 5.0,
    }
    return Observation(**(figures | changes))


def a_history(policy, *, polls=30, at_s=0.0, state=None, **figures):
    """Return the decisions of so many polls with the same figures, whatever they say: nobody follows them."""
    state, decisions = state or ScalingState(), []
    for number in range(polls):
        decision = decide(an_observation(at_s + number * POLL_S, **figures), state, policy)
        state = decision.state
        decisions.append(decision)
    return decisions


@pytest.fixture
def seen():
    return an_observation


@pytest.fixture
def history():
    return a_history
