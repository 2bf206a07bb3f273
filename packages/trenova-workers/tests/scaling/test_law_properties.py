import json
import math
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trenova_workers.scaling import (
    Decision,
    ExpectedArrivals,
    Override,
    ScalingPolicy,
    ScalingState,
    WorkerCounts,
    decide,
)

PROFILE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SOUND = st.floats(0, 1e6)
ANY = st.one_of(st.none(), st.floats(), SOUND)
VERSIONS = st.sampled_from(["unversioned", "created", "inactive", "current", "ramping", "draining", "drained"])


@st.composite
def policies(draw):
    least = draw(st.integers(0, 5))
    return ScalingPolicy(
        min_workers=least,
        max_workers=draw(st.integers(max(least, 1), 60)),
        utilization=draw(st.floats(0.5, 0.95)),
        first_capacity=draw(st.none() | st.floats(0.1, 100)),
        down_share=draw(st.floats(0, 0.5)),
    )


@st.composite
def looks(draw):
    """Return what may go wrong with one observation, and how long after the last one it comes."""
    passed = draw(st.one_of(st.just(10.0), st.floats(-7200, 7200)))
    counts = st.integers(-2, 80)
    return (
        passed,
        {
            "backlog": draw(ANY),
            "backlog_age_s": draw(ANY),
            "arrival_rate": draw(ANY),
            "dispatch_rate": draw(ANY),
            "wait_p95_s": draw(ANY),
            "unmatched": draw(ANY),
            "slots_used": draw(ANY),
            "slots": draw(ANY),
            "open_workflows": draw(ANY),
            "version_state": draw(VERSIONS),
            "rate_limited": draw(st.booleans()),
            "dependency_down": draw(st.booleans()),
            "workers": draw(
                st.none() | st.builds(WorkerCounts, running=counts, starting=counts, draining=counts, planned=counts)
            ),
        },
        draw(st.floats(-300, 300)),
        draw(st.none() | st.tuples(st.integers(0, 99), st.floats(-100, 100))),
    )


@PROFILE
@given(policy=policies(), story=st.lists(looks(), min_size=1, max_size=12))
def test_whatever_is_observed_the_number_is_within_its_bounds_and_explained(seen, policy, story):
    state, at_s = ScalingState(), 0.0
    for passed, figures, lag_s, told in story:
        at_s += passed
        observation = seen(at_s, **figures)
        changes = {"read_at": observation.at - timedelta(seconds=lag_s)}
        if told is not None:
            until = observation.at + timedelta(seconds=told[1])
            changes["override"] = Override(count=told[0], until=until, by="kim", reason="peak")
            changes["upcoming"] = (ExpectedArrivals(at=until, tasks=told[0]),)

        decision = decide(observation.model_copy(update=changes), state, policy)

        assert policy.min_workers <= decision.desired <= policy.max_workers
        assert decision.why.endswith(".")
        assert decision.why.count("\n") == 0
        assert (decision.held_because is not None) == (decision.action == "hold")
        assert policy.headroom_min <= decision.headroom <= policy.headroom_max
        state = type(decision.state).model_validate_json(decision.state.model_dump_json())
        assert state == decision.state
        kept = json.dumps(decision.model_dump(mode="json"), allow_nan=False)
        assert Decision.model_validate_json(kept).why == decision.why


@PROFILE
@given(
    policy=policies(),
    rates=st.tuples(st.floats(0, 400), st.floats(0, 400)),
    backlog=st.floats(0, 5000),
    workers=st.integers(1, 40),
)
def test_a_higher_rate_never_asks_for_fewer(seen, history, *, policy, rates, backlog, workers):
    state = history(policy, polls=3, workers=workers)[-1].state
    low, high = sorted(rates)
    same = {"workers": workers, "backlog": backlog, "backlog_age_s": 3.0, "dispatch_rate": 16.0, "slots_used": 8.0}

    fewer = decide(seen(30, arrival_rate=low, **same), state, policy)
    more = decide(seen(30, arrival_rate=high, **same), state, policy)

    assert fewer.desired <= more.desired


@PROFILE
@given(
    policy=policies(),
    waiting=st.tuples(st.floats(0, 20_000), st.floats(0, 20_000)),
    workers=st.integers(0, 40),
    rate=st.floats(0, 100),
)
def test_a_longer_queue_never_asks_for_fewer(seen, history, *, policy, waiting, workers, rate):
    state = history(policy, polls=3, workers=workers, rate=rate)[-1].state
    low, high = sorted(waiting)
    same = {"workers": workers, "rate": rate, "backlog_age_s": 3.0}

    fewer = decide(seen(30, backlog=low, **same), state, policy)
    more = decide(seen(30, backlog=high, **same), state, policy)

    assert fewer.desired <= more.desired


@PROFILE
@given(field=st.sampled_from(["backlog", "backlog_age_s", "arrival_rate", "dispatch_rate", "slots_used", "unmatched"]))
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0])
def test_one_figure_that_cannot_be_changes_nothing(seen, history, field, value):
    policy = ScalingPolicy(min_workers=0, max_workers=20)
    state = history(policy, polls=30, workers=12)[-1].state

    decision = decide(seen(300, workers=12, **{field: value}), state, policy)

    assert (decision.desired, decision.held_because) == (12, "nonsense-data")
    assert decision.state.arrival_rate == state.arrival_rate


@PROFILE
@given(jump_s=st.floats(-1e7, 1e7), rate=st.floats(0, 200))
def test_after_any_jump_of_the_clock_a_pool_is_scaled_again_within_a_minute(seen, history, jump_s, rate):
    policy = ScalingPolicy(min_workers=1, max_workers=60)
    state = history(policy, polls=10)[-1].state

    decisions = history(policy, polls=6, at_s=100 + jump_s, state=state, rate=rate)

    assert decisions[-1].held_because not in {"clock", "gap", "stale-data"}
    assert decisions[-1].rho == pytest.approx(rate / decisions[-1].mu, rel=0.35, abs=0.6)


@PROFILE
@given(count=st.integers(0, 99), lasts_s=st.floats(0.1, 500), polls=st.integers(1, 60))
def test_an_override_counts_until_its_end_and_not_after(seen, history, count, lasts_s, polls):
    policy = ScalingPolicy(min_workers=1, max_workers=60)
    told = Override(count=count, until=seen(lasts_s).at, by="kim", reason="peak")

    for number, decision in enumerate(history(policy, polls=polls, override=told)):
        assert (decision.trigger == "override") == (number * 10 < lasts_s)
