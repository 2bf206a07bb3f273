from datetime import UTC, datetime, timedelta

import pytest

from trenova_workers.pool._contention import ContentionState, judge_contention, unexplained
from trenova_workers.pool._crashes import CrashState, judge_crashes
from trenova_workers.pool._options import ContentionOptions, CrashOptions
from trenova_workers.pool._plan import plan, victims
from trenova_workers.pool._worker import PoolWorker, WorkerPhase

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def worker(name, phase="running", *, age=60, build="two", used=0, worn=""):
    return PoolWorker(
        id=name,
        pool="p",
        phase=WorkerPhase(phase),
        started_at=NOW - timedelta(seconds=age),
        build=build,
        slots_used=used,
        slots=10,
        worn=worn,
    )


def drained(found):
    return [drain.worker_id for drain in found.drains]


def test_what_starts_goes_before_what_is_idle_and_the_youngest_of_the_idle_before_the_busy():
    workers = [
        worker("busy", used=5),
        worker("less-busy", used=2),
        worker("idle-old", age=500),
        worker("idle-young", age=5),
        worker("unknown").model_copy(update={"slots_used": None}),
        worker("starting", "starting", age=1),
    ]
    order = [one.id for one in victims(workers, 6)]
    assert order == ["starting", "idle-young", "idle-old", "less-busy", "busy", "unknown"]


def test_workers_are_started_and_taken_away_by_number_and_drains_do_not_count():
    there = [worker("a"), worker("b", used=1), worker("c", "draining")]
    assert plan(4, there, "two").start == 2
    assert plan(4, there, "two", may_start=1).start == 1
    assert plan(2, there, "two") == plan(2, there[:2], "two")
    assert drained(plan(1, there, "two")) == ["a"]
    assert drained(plan(0, there, "two")) == ["a", "b"]


def test_a_lost_worker_is_drained_and_made_up_for():
    found = plan(2, [worker("a"), worker("b", "lost")], "two")
    assert (found.start, drained(found)) == (1, ["b"])


def test_a_new_build_replaces_one_after_the_other_with_one_more_meanwhile():
    old = [worker("a", build="one"), worker("b", build="one", used=3)]
    assert plan(2, old, "two").start == 1
    surge = [*old, worker("c", "starting")]
    waiting = plan(2, surge, "two")
    assert (waiting.start, waiting.drains) == (0, ())
    ready = [*old, worker("c")]
    assert drained(plan(2, ready, "two")) == ["a"]
    leaving = [worker("a", "draining", build="one"), old[1], worker("c")]
    assert plan(2, leaving, "two").start == 0
    assert plan(2, [old[1], worker("c")], "two").start == 1
    assert drained(plan(2, [old[1], worker("c"), worker("d")], "two")) == ["b"]
    done = plan(2, [worker("c"), worker("d")], "two")
    assert (done.start, done.drains, done.why) == (0, (), "")


def test_a_pool_that_shrinks_in_the_middle_of_a_replacement_gives_up_the_old():
    mixed = [worker("a", build="one", used=5), worker("b", build="one"), worker("c"), worker("d")]
    assert drained(plan(2, mixed, "two")) == ["b", "a"]
    assert drained(plan(0, [worker("a", build="one")], "two")) == ["a"]
    assert drained(plan(1, [worker("a", build="one"), worker("b", build="one", used=1)], "two")) == ["a"]


def test_a_worn_worker_is_replaced_like_one_of_an_old_build_and_its_reason_is_told():
    there = [worker("a", worn="it uses 600 MiB of memory, and 500 are allowed"), worker("b")]
    assert plan(2, there, "two").start == 1
    found = plan(2, [*there, worker("c")], "two")
    assert [drain.why for drain in found.drains] == ["it uses 600 MiB of memory, and 500 are allowed"]


OPTIONS = CrashOptions(first_delay_s=1, longest_delay_s=8, crashes=4, window_s=100, recover_s=50, stable_s=20)


def judged(ages, state=None, *, since=(), build="one"):
    crashes = [NOW - timedelta(seconds=age) for age in ages]
    started = [NOW - timedelta(seconds=age) for age in since]
    return judge_crashes(crashes, state or CrashState(build="one"), OPTIONS, now=NOW, build=build, since=started)


@pytest.mark.parametrize(
    ("ages", "may_start"),
    [([], None), ([0.5], 0), ([1.5], None), ([9, 1], 0), ([9, 2.5], None), ([500, 300, 1.5], None)],
)
def test_delays_double_while_crashes_follow_each_other(ages, may_start):
    found = judged(ages)
    assert (found.may_start, found.looping) == (may_start, False)


def test_a_pool_that_only_crashes_is_given_up_tried_after_a_while_and_recovers():
    loop = judged([30, 20, 10, 1])
    assert (loop.may_start, loop.looping) == (0, True)
    assert "crash again and again" in loop.why
    assert "tried in 49 s" in loop.why
    later = judged([70, 65, 60, 51], loop.state)
    assert (later.may_start, later.looping) == (1, True)
    tried = judged([70, 65, 60, 51], loop.state, since=[5])
    assert (tried.may_start, tried.looping) == (0, True)
    again = judged([75, 71, 66, 61, 2], loop.state)
    assert (again.may_start, again.looping) == (0, True)
    well = judged([99, 98, 97, 71], loop.state, since=[20])
    assert (well.may_start, well.looping) == (None, False)
    assert judged([99, 98, 97, 71], well.state).may_start is None


def test_a_new_build_is_given_a_new_chance():
    loop = judged([30, 20, 10, 1])
    found = judged([30, 20, 10, 1], loop.state, build="two")
    assert (found.may_start, found.looping) == (None, False)


def test_what_nobody_of_ours_did_leaves_the_pool_alone_for_longer_each_time():
    options = ContentionOptions(first_s=10, longest_s=30)
    assert unexplained(3, 3, 0) == unexplained(3, 2, 1) == ""
    seen = unexplained(3, 2, 0)
    assert seen == "There are 2 workers where this manager left 3, and it changed nothing meanwhile"
    first = judge_contention(seen, ContentionState(), options, now=NOW)
    assert first.contended
    assert "left alone for 10 s more" in first.why
    later = NOW + timedelta(seconds=10)
    assert not judge_contention("", first.state, options, now=later).contended
    second = judge_contention(seen, first.state, options, now=later)
    assert second.state.until - later == timedelta(seconds=20)
    third = judge_contention(seen, second.state, options, now=later + timedelta(seconds=20))
    assert third.state.until - (later + timedelta(seconds=20)) == timedelta(seconds=30)
    quiet = judge_contention("", third.state, options, now=third.state.until + timedelta(seconds=30))
    assert quiet.state == ContentionState()
