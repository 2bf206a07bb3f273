import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trenova_errors import ConfigurationError
from trenova_workers.scaling import ScalingPolicy
from trenova_workers.simulate import Fire, FixedLaw, Outage, PlannedLaw, Span, Trace, load_trace, oracle, run
from trenova_workers.simulate._pool import Pool
from trenova_workers.simulate._server import Server


def steady(rate=10, seconds=300, **changes):
    return Trace(arrivals=(rate,) * seconds, service_noise=0, **changes)


def test_a_pool_that_is_large_enough_makes_nobody_wait():
    came = run(steady(), FixedLaw("fixed", 3), wait_target_s=1, workers=3)

    assert (came.wait_p95_s, came.wait_max_s, came.late_share) == (0, 0, 0)
    assert came.worker_seconds == 3 * 300


def test_a_pool_that_is_too_small_falls_behind_as_arithmetic_says():
    # 1 worker of 10 slots and 2 s does 5 tasks/s, so after 300 s at 10 tasks/s 1500 wait, the oldest for 150 s.
    came = run(steady(), FixedLaw("fixed", 1), wait_target_s=30, workers=1)

    assert came.backlog[-1] == pytest.approx(1500, abs=15)
    assert came.wait_max_s == pytest.approx(150, abs=3)
    assert not came.held


def test_a_worker_costs_from_its_start_on_and_works_from_when_it_is_ready():
    came = run(steady(start_s=20), PlannedLaw("plan", [2], 10), wait_target_s=30, workers=0)

    assert came.running[:21] == (0,) * 20 + (2,)
    assert came.worker_seconds == 2 * 300


def test_a_worker_that_drains_finishes_its_tasks_and_costs_until_then():
    trace = Trace(arrivals=(20,) + (0,) * 99, service_s=50, service_noise=0)
    pool = Pool(trace, workers=2)
    pool.step()

    pool.resize(1)

    assert pool.counts() == (1, 0, 1)
    assert pool.busy == 10
    for _ in range(60):
        pool.step()
    assert pool.counts() == (1, 0, 0)
    assert pool.busy == 0
    assert pool.worker_seconds == 61 + 1 + 49


def test_those_that_start_leave_before_those_that_work():
    pool = Pool(steady(), workers=2)
    pool.resize(5)

    pool.resize(3)
    assert pool.counts() == (2, 1, 0)
    pool.resize(1)
    assert pool.counts() == (1, 0, 0)


def test_tasks_take_longer_while_what_they_need_is_down():
    trace = steady(outages=(Outage(start=100, end=200, slowdown=4),))

    came = run(trace, FixedLaw("fixed", 3), wait_target_s=1, workers=3)

    assert max(came.backlog[:100]) == 0
    assert came.backlog[199] == pytest.approx(100 * (10 - 3 * 10 / 8), rel=0.1)


def test_figures_are_late_and_from_a_cache_and_sometimes_missing():
    trace = steady(metric_delay_s=12, gaps=(Span(start=60, end=70),))
    pool, server = Pool(trace, workers=1), Server(trace)
    told = {}
    for now in range(100):
        told[now] = server.observation(pool, 1, now)
        pool.step()
        server.saw(pool)

    assert told[44].read_at == told[42].read_at
    assert (told[44].at - told[44].read_at).total_seconds() == 14
    assert told[44].backlog == pytest.approx(30 * 5, abs=10)
    assert (told[60].backlog, told[60].arrival_rate, told[60].read_at) == (None, None, None)
    assert told[70].backlog is not None
    assert told[90].arrival_rate == 10
    assert told[90].dispatch_rate == pytest.approx(5, abs=0.2)
    assert told[90].workers.running == 1


def test_fires_are_announced_until_they_come():
    trace = steady(fires=(Fire(at=50, tasks=100, name="billing"),))
    pool, server = Pool(trace, workers=1), Server(trace)

    assert server.observation(pool, 1, 0).upcoming[0].name == "billing"
    for _ in range(51):
        pool.step()
        server.saw(pool)
    assert server.observation(pool, 1, 50).upcoming[0].name == "billing"
    assert server.observation(pool, 1, 51).upcoming == ()


@settings(max_examples=40, deadline=None)
@given(
    arrivals=st.lists(st.integers(0, 60), min_size=60, max_size=200),
    plan=st.lists(st.integers(0, 12), min_size=1, max_size=20),
    service_s=st.floats(1, 40),
    start_s=st.integers(0, 30),
)
def test_no_task_is_lost_or_doubled_and_no_slot_is_taken_twice(arrivals, plan, service_s, start_s):
    trace = Trace(arrivals=tuple(arrivals), service_s=service_s, start_s=start_s)
    pool = Pool(trace, workers=plan[0])
    started = 0.0
    for now in range(trace.seconds):
        if now % 10 == 0:
            pool.resize(plan[now // 10 % len(plan)])
        pool.step()
        started += sum(count for _, count in pool.waits)
        assert pool.busy <= pool.running * trace.slots + 1e-6
        assert sum(arrivals[: now + 1]) == pytest.approx(started + pool.backlog, abs=1e-4)
        assert pool.backlog == pytest.approx(math.fsum(count for _, count in pool.left()), abs=1e-4)


def test_the_oracle_holds_the_target_with_fewer_than_any_fixed_pool_does():
    trace = Trace(arrivals=(10,) * 600 + (40,) * 600 + (10,) * 600)
    policy = ScalingPolicy(min_workers=1, max_workers=20)

    plan = oracle(trace, least=1, most=20, wait_target_s=policy.wait_target_s)
    played = run(trace, PlannedLaw("oracle", plan.workers, 10), wait_target_s=policy.wait_target_s, workers=1)
    fixed = [
        run(trace, FixedLaw("fixed", count), wait_target_s=policy.wait_target_s, workers=count)
        for count in range(1, 10)
    ]

    assert plan.held
    assert played.held
    assert played.worker_seconds == plan.worker_seconds
    assert played.worker_seconds < min(one.worker_seconds for one in fixed if one.held)


def test_an_oracle_without_enough_workers_says_that_nothing_holds():
    assert not oracle(steady(rate=50), least=1, most=2, wait_target_s=30).held


def test_a_recorded_trace_may_be_a_table(tmp_path):
    path = tmp_path / "monday.csv"
    path.write_text("second,tasks\n0,3\n2,4\n2,1\n99,7\n")

    trace = load_trace(path)

    assert (trace.name, trace.seconds, trace.arrivals[:4], trace.arrivals[99]) == ("monday", 100, (3, 0, 5, 0), 7)


def test_a_recorded_trace_may_have_all_fields(tmp_path):
    path = tmp_path / "monday.json"
    path.write_text(steady(fires=(Fire(at=9, tasks=2),)).model_dump_json(exclude={"name"}))

    trace = load_trace(path)

    assert (trace.name, trace.fires[0].at, trace.service_noise) == ("monday", 9, 0)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "time,tasks\n0,1\n", "the first line has time, tasks. Write the columns second,tasks."),
        ("a.csv", "second,tasks\n0,many\n", "line 2 has '0' and 'many'. Write whole numbers"),
        ("a.csv", "second,tasks\n0,-1\n", "line 2 is negative. Count from 0."),
        ("a.csv", "second,tasks\n604800,1\n", "a week is the most"),
        ("a.csv", "second,tasks\n9,1\n", "'arrivals' is '10 s'"),
        ("a.yaml", "arivals: [1]\n", "Did you mean 'arrivals'?"),
        (
            "a.yaml",
            "gaps: [{start: 9, end: 3}]\narrivals: [" + "1," * 60 + "]\n",
            "'gaps' is '9 to 3': it ends before it starts",
        ),
        ("a.yaml", "arrivals: [-1" + ",1" * 60 + "]\n", "holds a negative number"),
    ],
)
def test_a_trace_that_does_not_hold_is_told_with_its_name(tmp_path, name, text, said):
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(ConfigurationError) as caught:
        load_trace(path)

    assert str(path) in caught.value.message
    assert said in caught.value.message
