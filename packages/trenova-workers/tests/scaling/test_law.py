from datetime import UTC, datetime, timedelta

import pytest

from trenova_workers.scaling import (
    Decision,
    ExpectedArrivals,
    Override,
    ScalingPolicy,
    ScalingState,
    WorkerCounts,
    decide,
)

POLICY = ScalingPolicy(min_workers=0, max_workers=20)
NO_TASKS = ExpectedArrivals(at=datetime(2026, 3, 2, 8, 6, tzinfo=UTC), tasks=None, name="billing")


def test_a_pool_is_sized_from_the_rates(seen, history):
    state = history(POLICY)[-1].state

    decision = decide(seen(300, rate=60.0, slots_used=40.0), state, POLICY)

    assert decision.rho is not None
    assert decision.mu == pytest.approx(5, rel=0.05)
    assert decision.candidates.by_utilization is not None
    assert decision.candidates.by_square_root is not None
    assert (decision.action, decision.trigger) == ("up", "load")
    assert decision.why.startswith(f"Up from 4 to {decision.desired}: ")
    assert "tasks/s come and one worker does 5/s" in decision.why


def test_a_decision_survives_its_wire_format(history):
    decision = history(POLICY)[-1]

    text = decision.model_dump_json()

    assert Decision.model_validate_json(text) == decision
    assert '"heldBecause":"settled"' in text
    assert '"arrivalRate":16.0' in text


def test_tasks_that_wait_are_worked_off_within_the_target(seen, history):
    state = history(POLICY)[-1].state

    decision = decide(seen(300, backlog=900.0, backlog_age_s=20.0, slots_used=40.0), state, POLICY)

    assert (decision.action, decision.trigger) == ("up", "backlog")
    # 900 less what 4 workers do in 7.5 s, in 30 s at 5 tasks/s: 5 workers, and the load's own 4.
    assert decision.desired == 9
    assert "900 tasks wait" in decision.why


def test_a_task_that_finds_no_worker_starts_one_at_once(seen):
    decision = decide(
        seen(0, workers=0, rate=0.0, backlog=1.0, unmatched=1.0, slots_used=None, slots=0), ScalingState(), POLICY
    )

    assert (decision.desired, decision.trigger) == (1, "unmatched")
    assert decision.why == "Up from 0 to 1: 1 tasks wait and nobody is free to take them."


def test_where_nobody_knows_what_a_worker_does_a_pool_grows_by_steps(seen):
    waiting = {"slots_used": None, "backlog": 500.0, "backlog_age_s": 9.0, "dispatch_rate": 0.0}

    decision = decide(seen(0, workers=2, **waiting), ScalingState(), POLICY)

    assert (decision.desired, decision.trigger, decision.mu) == (6, "unmatched", None)


def test_an_old_task_asks_for_one_more_although_the_rates_say_enough(seen, history):
    # Its capacity is believed to be far more than it is, so by the rates the backlog is nothing.
    policy = POLICY.model_copy(update={"first_capacity": 1000.0})
    seed = history(policy, polls=3, slots_used=None, backlog=6000.0, backlog_age_s=5.0, dispatch_rate=0.0)[-1].state

    decision = decide(seen(30, slots_used=None, backlog=9000.0, backlog_age_s=20.0, dispatch_rate=0.0), seed, policy)

    assert decision.candidates.by_age == 5


def test_slots_that_are_all_in_use_ask_for_more_although_no_task_comes(seen, history):
    policy = ScalingPolicy(min_workers=1, max_workers=20, first_capacity=5)
    busy = {"rate": 0.0, "slots_used": 40.0, "open_workflows": 40.0}
    state = history(policy, polls=4, **busy)[-1].state

    decision = decide(seen(40, **busy), state, policy)

    assert (decision.action, decision.trigger, decision.desired) == ("up", "slot-use", 5)
    assert decision.why == "Up from 4 to 5: 40 of 40 slots are in use."


def test_waits_over_the_target_raise_the_headroom_from_the_second_window_on(history):
    waits = {"wait_p95_s": 45.0, "backlog": 1.0, "backlog_age_s": 45.0}

    enough = history(POLICY, polls=20, workers=8, slots_used=32.0, **waits)
    few = history(POLICY, polls=40, workers=5, slots_used=32.0, **waits)

    assert [one.headroom for one in enough] == [0.5] * 12 + [0.75] * 6 + [1.0] * 2
    raised = next(one for one in few[4:] if one.action == "up")
    assert (raised.desired, raised.trigger) == (6, "schedule-to-start")
    assert raised.why.endswith("and waits over 30 s raised the headroom to 1.")


def test_waits_well_within_the_target_lower_the_headroom_slowly_and_not_below_its_bound(history):
    decisions = history(POLICY, polls=100)

    assert decisions[10].headroom == pytest.approx(0.4)
    assert decisions[-1].headroom == POLICY.headroom_min


def test_workers_for_a_fire_are_there_when_it_comes(seen, history):
    state = history(POLICY)[-1].state
    fire = ExpectedArrivals(at=seen(320).at, tasks=900, name="billing")

    early = decide(seen(290, upcoming=(fire,)), state, POLICY)
    decision = decide(seen(300, upcoming=(fire,)), early.state, POLICY)

    assert early.action == "hold"
    assert (decision.action, decision.trigger) == ("up", "calendar")
    assert decision.desired == decision.candidates.by_calendar == 4 + 8
    assert decision.why == "Up from 4 to 12: billing at 08:05:20 brings about 900 tasks."


def test_no_worker_is_taken_away_that_a_near_fire_needs(seen, history):
    state = history(POLICY, workers=12)[-1].state
    far = ExpectedArrivals(at=seen(300).at + timedelta(seconds=100), tasks=900)

    assert decide(seen(300, workers=12), state, POLICY).action == "down"
    assert decide(seen(300, workers=12, upcoming=(far,)), state, POLICY).action == "hold"


@pytest.mark.parametrize(
    ("flag", "held", "said"),
    [
        ("rate_limited", "rate-limited", "rate limit, which more workers do not change"),
        ("dependency_down", "dependency-down", "more workers would only fail more"),
    ],
)
def test_a_pool_never_grows_while_more_workers_cannot_help(seen, history, flag, held, said):
    state = history(POLICY)[-1].state

    decision = decide(seen(300, backlog=5000.0, backlog_age_s=60.0, slots_used=40.0, **{flag: True}), state, POLICY)

    assert (decision.action, decision.held_because) == ("hold", held)
    assert said in decision.why
    assert "5000 tasks wait" in decision.why


@pytest.mark.parametrize("flag", ["rate_limited", "dependency_down"])
def test_nothing_is_learnt_of_workers_that_are_held_back(history, flag):
    before = history(POLICY)[-1].state

    after = history(POLICY, polls=6, at_s=300, state=before, rate=2.0, slots_used=40.0, **{flag: True})[-1].state

    assert after.capacity == before.capacity


@pytest.mark.parametrize(
    ("changes", "held", "said"),
    [
        ({"backlog": None}, "missing-data", "backlog could not be read"),
        ({"arrival_rate": None, "dispatch_rate": None}, "missing-data", "arrival_rate, dispatch_rate could not be"),
        ({"workers": None}, "missing-data", "workers could not be read"),
        ({"backlog": float("nan")}, "nonsense-data", "backlog is nan, which cannot be"),
        ({"arrival_rate": float("inf")}, "nonsense-data", "arrival_rate is inf, which cannot be"),
        ({"backlog_age_s": -1.0}, "nonsense-data", "backlog_age_s is -1.0, which cannot be"),
        ({"upcoming": (NO_TASKS,)}, "nonsense-data", "upcoming 'billing' is nan, which cannot be"),
        ({"slots_used": -3.0}, "nonsense-data", "slots_used is -3.0, which cannot be"),
        ({"workers": WorkerCounts(running=-1, planned=4)}, "nonsense-data", "workers.running is -1, which cannot be"),
    ],
)
def test_figures_that_say_nothing_change_nothing(seen, history, changes, held, said):
    state = history(POLICY)[-1].state

    decision = decide(seen(300, **changes), state, POLICY)

    assert (decision.desired, decision.action, decision.held_because) == (4, "hold", held)
    assert said in decision.why
    assert decision.state.capacity == state.capacity
    assert decision.state.idle_polls == 0


def test_figures_that_are_too_old_change_nothing(seen, history):
    state = history(POLICY)[-1].state
    old = seen(300).at - timedelta(seconds=45)

    decision = decide(seen(300, read_at=old, backlog=9000.0), state, POLICY)

    assert decision.held_because == "stale-data"
    assert decision.why == "Stays at 4: the figures are 45 s old, and 30 s are allowed."


def test_after_a_gap_the_first_observation_only_begins_anew(seen, history):
    state = history(POLICY)[-1].state
    load = {"rate": 60.0, "backlog": 3000.0, "backlog_age_s": 50.0, "slots_used": 40.0}

    first = decide(seen(1500, **load), state, POLICY)
    second = decide(seen(1510, **load), first.state, POLICY)

    assert (first.held_because, first.desired) == ("gap", 4)
    assert second.action == "up"
    assert second.mu == state.capacity


def test_a_clock_that_goes_back_holds_once_and_then_goes_on(seen, history):
    state = history(POLICY)[-1].state

    first = decide(seen(-3600), state, POLICY)
    later = history(POLICY, polls=3, at_s=-3590, state=first.state, rate=60.0, slots_used=40.0)

    assert first.held_because == "clock"
    assert first.why == "Stays at 4: the clock went back by 3890 s."
    assert later[-1].action == "up"


def test_figures_of_the_future_change_nothing(seen, history):
    state = history(POLICY)[-1].state

    decision = decide(seen(300, read_at=seen(400).at), state, POLICY)

    assert decision.held_because == "clock"


def test_a_pool_shrinks_by_a_step_after_quiet_and_a_cool_down(seen, history):
    state = history(POLICY, workers=12)[-1].state

    first = decide(seen(300, workers=12), state, POLICY)
    second = decide(seen(310, workers=9), first.state, POLICY)
    third = decide(seen(360, workers=9), second.state, POLICY)

    assert (first.before, first.desired, first.clamp) == (12, 9, "step-down")
    assert (second.action, second.held_because) == ("hold", "cool-down")
    assert (third.before, third.desired) == (9, 7)


def test_a_pool_does_not_shrink_while_work_waited_lately(seen, history):
    waited = history(POLICY, polls=6, workers=12, backlog=700.0, backlog_age_s=12.0, wait_p95_s=12.0)[-1].state

    decision = decide(seen(60, workers=12), waited, POLICY)

    assert decision.held_because == "not-quiet"
    assert decision.why.endswith("would do, but work waited 10 s ago, and that is too short a calm.")


def test_a_pool_does_not_shrink_while_workers_start(seen, history):
    state = history(POLICY, workers=12)[-1].state

    decision = decide(seen(300, workers=10, starting=2), state, POLICY)

    assert decision.held_because == "starting"


def test_those_that_came_for_a_heap_leave_together_when_it_is_done(seen, history):
    state = history(POLICY)[-1].state
    raised = decide(seen(300, backlog=2000.0, backlog_age_s=20.0, slots_used=40.0), state, POLICY)
    assert raised.trigger == "backlog"

    done = history(POLICY, polls=8, at_s=310, state=raised.state, workers=raised.desired)
    left = next(one for one in done if one.action == "down")

    assert left.at - raised.at == timedelta(seconds=POLICY.down_cooldown_s)
    assert left.desired <= 5
    assert "what waited is done" in left.why


def test_a_number_that_proved_too_small_is_not_tried_again_soon(seen, history):
    state = history(POLICY, workers=5)[-1].state
    lowered = decide(seen(300, workers=5), state, POLICY)
    assert lowered.desired == 4
    raised = decide(seen(310, workers=4, backlog=400.0, backlog_age_s=12.0, slots_used=40.0), lowered.state, POLICY)
    assert raised.desired > 4

    decisions = history(POLICY, polls=50, at_s=320, state=raised.state, workers=5)

    assert all(one.action == "hold" for one in decisions)
    assert decisions[-1].held_because == "regretted"
    assert "4 were too few for about this load not long ago" in decisions[-1].why


def test_a_number_that_proved_too_small_is_tried_again_when_the_load_has_fallen(seen, history):
    raised = too_small(seen, history)

    decisions = history(POLICY, polls=40, at_s=320, state=raised, workers=5)
    assert decisions[-1].held_because == "regretted"
    decisions = history(POLICY, polls=90, at_s=720, state=decisions[-1].state, workers=5)
    assert {one.held_because for one in decisions} == {"regretted"}
    assert decisions[-1].why.endswith("but 4 were too few for about this load, which has not fallen since.")

    decisions = history(POLICY, polls=20, at_s=1620, state=decisions[-1].state, workers=5, rate=8.0)
    assert "down" in {one.action for one in decisions}


@pytest.mark.parametrize("rate", [16.0, 0.0])
def test_a_number_that_proved_too_small_keeps_no_worker_of_a_pool_at_rest(seen, history, rate):
    state = too_small(seen, history).model_copy(update={"regretted_rate": rate})
    policy = POLICY.model_copy(update={"min_workers": 0})
    idle = {"rate": 0.0, "workers": 5, "slots_used": 0.0, "open_workflows": 0.0}

    decisions = history(policy, polls=60, at_s=320, state=state, **idle)

    assert decisions[-1].desired == 0


def test_a_version_that_has_drained_goes_at_once_whatever_was_too_small_for_it(seen, history):
    policy = POLICY.model_copy(update={"min_workers": 0})
    idle = {"rate": 0.0, "workers": 5, "slots_used": 0.0, "open_workflows": 0.0, "version_state": "drained"}

    decisions = history(policy, polls=policy.zero_polls, at_s=320, state=too_small(seen, history), **idle)

    assert decisions[-1].desired == 0


def test_a_person_who_lowers_a_number_has_it_forgotten_that_it_was_too_small(seen, history):
    told = Override(count=4, until=seen(340).at, by="kim", reason="the release is faster")
    lowered = decide(seen(330, workers=5, override=told), too_small(seen, history), POLICY)

    assert (lowered.desired, lowered.state.regretted) == (4, None)


def too_small(seen, history):
    """Return the state of a pool that was lowered from 5 to 4 and raised again, since work waited."""
    state = history(POLICY, workers=5)[-1].state
    lowered = decide(seen(300, workers=5), state, POLICY)
    late = {"backlog": 400.0, "backlog_age_s": 12.0, "slots_used": 40.0}
    return decide(seen(310, workers=4, **late), lowered.state, POLICY).state


def test_what_was_just_taken_away_is_not_given_back_while_nothing_waits(seen, history):
    lowered = decide(seen(300, workers=5), history(POLICY, workers=5)[-1].state, POLICY)
    assert lowered.desired == 4
    more = {"workers": 4, "arrival_rate": 32.0, "slots_used": 38.0}

    calm = decide(seen(310, **more), lowered.state, POLICY)
    waits = decide(seen(310, backlog=300.0, backlog_age_s=12.0, **more), lowered.state, POLICY)
    later = history(POLICY, polls=10, at_s=310, state=lowered.state, **more)

    assert (calm.desired, calm.held_because) == (4, "cool-down")
    assert calm.why.endswith("but the last change was made only just now.")
    assert waits.action == "up"
    assert [one.action for one in later] == ["hold"] * 8 + ["up"] * 2


def test_a_number_is_not_too_small_because_a_fire_needed_more(seen, history):
    lowered = decide(seen(300, workers=5), history(POLICY, workers=5)[-1].state, POLICY)
    fire = ExpectedArrivals(at=seen(330).at, tasks=900)
    raised = decide(seen(310, workers=4, upcoming=(fire,)), lowered.state, POLICY)
    assert (raised.trigger, raised.action) == ("calendar", "up")

    decisions = history(POLICY, polls=15, at_s=320, state=raised.state, workers=raised.desired)

    assert min(one.desired for one in decisions) == 4
    assert raised.state.regretted is None


def test_what_a_person_tells_holds_until_its_end(seen, history):
    state = history(POLICY)[-1].state
    told = Override(count=9, until=seen(320).at, by="kim", reason="a customer moves in.")

    first = decide(seen(300, override=told), state, POLICY)
    second = decide(seen(310, workers=9, override=told), first.state, POLICY)
    third = decide(seen(320, workers=9, override=told), second.state, POLICY)

    assert (first.desired, first.trigger) == (9, "override")
    assert first.why == "Up from 4 to 9: kim set it until 2026-03-02 08:05:20 UTC, because a customer moves in."
    assert (second.desired, second.held_because) == (9, "settled")
    assert third.trigger != "override"


def test_what_a_person_tells_holds_also_without_figures_but_not_beyond_the_bounds(seen):
    told = Override(count=90, until=seen(60).at, by="kim", reason="peak")

    decision = decide(seen(0, backlog=None, override=told), ScalingState(), POLICY)

    assert (decision.desired, decision.clamp) == (20, "maximum")
    assert "(90 were asked for, but the policy allows no more)" in decision.why


def test_bounds_hold_at_once_and_without_figures(seen):
    policy = ScalingPolicy(min_workers=2, max_workers=8)

    assert decide(seen(0, workers=0, backlog=None), ScalingState(), policy).desired == 2
    over = decide(seen(0, workers=12), ScalingState(), policy)
    assert (over.desired, over.trigger, over.clamp) == (8, "bounds", "maximum")


@pytest.mark.parametrize("version", ["created", "inactive", "current", "ramping", "draining"])
def test_a_version_that_needs_a_worker_is_never_without(seen, history, version):
    state = history(POLICY, polls=40, rate=0.0, open_workflows=0.0)[-1].state
    idle = {"rate": 0.0, "open_workflows": 0.0, "version_state": version}
    told = Override(count=0, until=seen(900).at, by="kim", reason="night")

    assert decide(seen(400, workers=1, **idle), state, POLICY).desired == 1
    assert decide(seen(400, workers=0, **idle), state, POLICY).desired == 1
    assert decide(seen(400, workers=1, override=told, **idle), state, POLICY).desired == 1


@pytest.mark.parametrize("version", ["unversioned", "drained"])
def test_the_last_worker_leaves_when_there_was_nothing_to_do_for_long_enough(history, version):
    decisions = history(POLICY, polls=5, workers=1, rate=0.0, open_workflows=0.0, version_state=version)

    assert [one.desired for one in decisions] == [1, 1, 0, 0, 0]
    assert decisions[2].why == "Down from 1 to 0: there was nothing to do in 3 observations in a row."


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"slots_used": 1.0}, "nothing was to do in 0 observations"),  # keda#7368: it works on a task
        ({"slots_used": None}, "nothing was to do in 0 observations"),
        ({"dispatch_rate": 0.03}, "nothing was to do in 0 observations"),
        ({"arrival_rate": 0.03}, "nothing was to do in 0 observations"),
        ({"open_workflows": 3.0}, "3 workflows are open"),  # keda#7459
        ({"open_workflows": None}, "nobody counted the workflows that are open"),
        ({"dependency_down": True}, "work is held back and will come"),
        ({"rate_limited": True}, "work is held back and will come"),
    ],
)
def test_the_last_worker_stays_for_anything_that_is_not_nothing(history, changes, said):
    idle = {"rate": 0.0, "open_workflows": 0.0}

    decisions = history(POLICY, polls=60, workers=1, **(idle | changes))

    assert {one.desired for one in decisions} == {1}
    assert any(said in one.why for one in decisions) or decisions[-1].held_because == "settled"


def test_the_last_worker_stays_for_a_fire_that_is_near(seen, history):
    fire = ExpectedArrivals(at=seen(150).at, tasks=5, name="purge")
    state = history(POLICY, polls=6, rate=0.0, workers=1, open_workflows=1.0)[-1].state

    decision = decide(seen(60, workers=1, rate=0.0, open_workflows=0.0, upcoming=(fire,)), state, POLICY)

    assert decision.desired == 1


def test_the_same_question_has_the_same_answer(seen, history):
    state = history(POLICY)[-1].state
    question = seen(300, rate=60.0, backlog=80.0, slots_used=40.0)

    assert decide(question, state, POLICY) == decide(question, state, POLICY)


def test_figures_from_the_servers_cache_teach_nothing_twice(seen, history):
    state = history(POLICY)[-1].state
    read_at = seen(300).at
    first = decide(seen(300, rate=40.0), state, POLICY)

    again = decide(seen(304, read_at=read_at, rate=40.0), first.state, POLICY)

    assert again.state.arrival_rate == first.state.arrival_rate
    assert again.state.capacity == first.state.capacity


def test_a_backlog_that_shrinks_too_slowly_asks_for_more_whatever_is_known_of_the_workers(seen, history):
    # A worker does 5 tasks/s, 1000 are believed; what waits would take 100 s more and the target is 30.
    policy = POLICY.model_copy(update={"first_capacity": 1000.0})
    figures = {"slots_used": None, "rate": 0.0, "dispatch_rate": 0.0, "backlog_age_s": 20.0}
    state = history(policy, polls=1, backlog=2200.0, **figures)[-1].state

    slow = decide(seen(10, backlog=2000.0, **figures), state, policy)
    fast = decide(seen(10, backlog=1200.0, **figures), state, policy)

    assert (slow.candidates.by_age, slow.trigger, slow.desired) == (5, "age", 5)
    assert "and the rest will wait for longer" in slow.why
    assert fast.candidates.by_age is None


def test_what_a_worker_does_is_believed_soon_while_all_are_busy_and_work_waits(seen, history):
    state = history(POLICY)[-1].state.model_copy(update={"capacity": 100.0})
    full = {"rate": 20.0, "slots_used": 40.0, "backlog": 900.0}

    busy = history(POLICY, polls=12, at_s=300, state=state, **full)[-1]
    idle = history(POLICY, polls=12, at_s=300, state=state, **full | {"backlog": 0.0})[-1]

    assert busy.state.capacity < 10
    assert idle.state.capacity > 30


def test_nothing_is_learnt_of_slots_that_are_told_for_too_short_a_time(history):
    assert [one.state.capacity for one in history(POLICY, polls=2)] == [None, None]
    assert history(POLICY, polls=3)[-1].state.capacity == pytest.approx(5)
