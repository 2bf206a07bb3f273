"""What a look at the database means, and what the brake makes of it: no database, and a clock of the test's own."""

import asyncio
import logging

import pytest
from pydantic import ValidationError

from trenova_activities.database import BrakeOptions
from trenova_activities.database._brake import Brake
from trenova_activities.database._health import FREE, BrakeReason, Health, Holder, Speed, duration, judge
from trenova_activities.database._health_postgresql import Sightings
from trenova_activities.database._nightly_pace import LOCKED, TIMED_OUT, RunPace
from trenova_activities.database._pace import Pace

OPTIONS = BrakeOptions()
SESSION = Holder("session", "psql", 4711, "idle in transaction", 2520, 90)


@pytest.mark.parametrize(
    ("health", "reason", "words"),
    [
        (
            Health(holder=SESSION),
            BrakeReason.OLD_SNAPSHOT,
            (
                "the session with pid 4711 (psql, idle in transaction) has kept an old snapshot for 42 min, so nothing "
                "that is deleted can be cleared"
            ),
        ),
        (
            Health(live_rows=100_000, dead_rows=1_900_000),
            BrakeReason.DEAD_ROWS,
            "95% of the table's rows are dead and not cleared yet",
        ),
        (Health(vacuumed=True), BrakeReason.VACUUM, "a vacuum works on the table"),
        (Health(transactions_per_s=1234), BrakeReason.PEOPLE, "others are at work, with 1,234 transactions a second"),
        (Health(lock_waits=5), BrakeReason.LOCK_WAITS, "5 sessions wait for locks"),
        (Health(lag_s=12), BrakeReason.REPLICATION_LAG, "a standby is 12 s behind"),
        (
            Health(slot="lost", slot_bytes=6 * 2**30),
            BrakeReason.SLOT,
            "the replication slot 'lost' keeps 6,144 MiB of WAL",
        ),
    ],
)
def test_each_threshold_slows_and_says_why(health, reason, words):
    verdict = judge(health, OPTIONS)
    assert (verdict.speed, verdict.reason, verdict.words) == (Speed.SLOW, reason, words)


def test_below_the_thresholds_a_run_is_free():
    health = Health(100, 999_999, lock_waits=4, holder=Holder("session", "", 1, "", 59, 10**9), lag_s=9, slot_bytes=1)
    assert judge(health, OPTIONS) is FREE


def test_a_threshold_of_none_is_never_reached():
    names = ("old_snapshot_s", "dead_share", "lock_waits", "replication_lag_s", "replication_lag_stop_s")
    off = BrakeOptions(**dict.fromkeys((*names, "slot_retained_bytes")), vacuum=False)
    grave = Health(0, 10**9, vacuumed=True, lock_waits=99, holder=SESSION, lag_s=1e6, slot="s", slot_bytes=10**15)
    assert judge(grave, off) is FREE


def test_a_standby_that_is_far_behind_stops_a_run_and_comes_before_all_else():
    verdict = judge(Health(holder=SESSION, lag_s=61), OPTIONS)
    assert (verdict.speed, verdict.reason) == (Speed.STOPPED, BrakeReason.REPLICATION_LAG)


def test_slow_is_not_beyond_stop():
    with pytest.raises(ValidationError, match=r"replication_lag_s \(90\) is more than replication_lag_stop_s \(60\)"):
        BrakeOptions(replication_lag_s=90)


def test_a_snapshot_whose_age_is_hidden_ages_from_when_it_was_first_met():
    clock = Clock()
    sightings = Sightings(clock)
    hidden = Holder("session", "psql", 1, "", None, 10, identity="1/700")
    ages = []
    for _ in range(3):
        ages.append(sightings.aged(hidden).age_s)
        clock.now += 40
    other = Holder("session", "psql", 1, "", None, 10, identity="1/800")
    assert [*ages, sightings.aged(other).age_s, sightings.aged(SESSION).age_s] == [0, 40, 80, 0, 2520]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7199, "120 min"), (93_700, "26 h 1 min")]
)
def test_durations_are_said_as_people_say_them(seconds, said):
    assert duration(seconds) == said


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Told:
    """A database that tells what a test says, and how often it was asked."""

    def __init__(self, health: Health | None) -> None:
        self.health = health
        self.asked = 0

    async def __call__(self) -> Health | None:
        self.asked += 1
        return self.health


def braking(told: Told, clock: Clock, *, braked: str = "", **options) -> Brake:
    return Brake(told, BrakeOptions(**options), job_type="job", braked=braked, now=clock)


async def test_the_database_is_asked_once_a_second_and_the_log_has_a_line_at_the_beginning_and_the_end(caplog):
    caplog.set_level(logging.INFO)
    clock, told = Clock(), Told(Health(vacuumed=True))
    brake = braking(told, clock)
    for _ in range(20):
        await brake.look()
        clock.now += 0.1
    assert told.asked == 2
    told.health = Health()
    clock.now += 1
    await brake.look()
    await brake.look()
    assert [record.message for record in caplog.records] == [
        "a nightly run is slowed down",
        "a nightly run is at full speed again",
    ]
    assert [record.reason for record in caplog.records] == ["vacuum", "vacuum"]


async def test_a_brake_that_goes_on_in_the_next_call_is_not_told_again(caplog):
    caplog.set_level(logging.INFO)
    await braking(Told(Health(vacuumed=True)), Clock(), braked="vacuum").look()
    assert caplog.records == []


async def test_a_slowed_run_works_for_its_share_of_the_time():
    brake = braking(Told(Health(vacuumed=True)), Clock(), slow_share=0.75)
    assert brake.pause_s(0.03) == 0
    await brake.look()
    assert brake.pause_s(0.03) == pytest.approx(0.01)


async def test_people_at_work_leave_a_run_less_of_the_time_whatever_else_slows_it():
    brake = braking(Told(Health(holder=SESSION, transactions_per_s=500)), Clock(), people_share=0.25)
    verdict = await brake.look()
    assert verdict.reason is BrakeReason.OLD_SNAPSHOT
    assert brake.pause_s(0.03) == pytest.approx(0.09)


def test_transactions_are_counted_from_look_to_look():
    clock = Clock()
    sightings = Sightings(clock)
    assert sightings.rate(1_000_000) is None
    clock.now += 2
    assert sightings.rate(1_000_500) == 250
    clock.now += 1
    assert sightings.rate(10) is None  # somebody has reset the statistics
    clock.now += 1
    assert sightings.rate(310) == 300


async def test_people_at_work_are_no_news(caplog):
    caplog.set_level(logging.INFO)
    await braking(Told(Health(transactions_per_s=500)), Clock()).look()
    await braking(Told(Health()), Clock(), braked="people").look()
    assert caplog.records == []


async def test_a_database_that_tells_nothing_brakes_nothing():
    told = Told(None)
    brake = braking(told, Clock())
    assert await brake.look() is FREE
    off = Told(Health(vacuumed=True))
    assert await braking(off, Clock(), enabled=False).look() is FREE
    assert (told.asked, off.asked) == (1, 0)


async def test_a_run_that_is_stopped_for_now_does_its_smallest_batch_now_and_then():
    brake = braking(Told(Health(lag_s=1000)), Clock(), stopped_batch_every_s=0.1)
    pace = RunPace(Pace.begin(5000, limit=10_000, target_s=0.025), brake)
    await asyncio.wait_for(pace.ready(lambda: False), 30)  # goes on although the standby stays behind
    assert (pace.size, pace.steered) == (100, 5000)
    pace.done(0.001, rows=100, seen=100)
    assert pace.steered == 5000  # small because it was stopped, so it says nothing of the size


async def test_a_wait_ends_when_the_call_should():
    brake = braking(Told(Health(lag_s=1000)), Clock(), stopped_batch_every_s=60)
    pace = RunPace(Pace.begin(100, limit=100, target_s=0.025), brake)
    await asyncio.wait_for(pace.ready(lambda: True), 30)


async def test_a_wait_of_a_minute_ends_when_the_call_is_asked_to_stop():
    brake = braking(Told(Health(lag_s=1000)), Clock(), stopped_batch_every_s=60)
    pace = RunPace(Pace.begin(100, limit=100, target_s=0.025), brake)
    asked = asyncio.Event()
    waiting = asyncio.create_task(pace.ready(asked.is_set))
    await asyncio.wait([waiting], timeout=0.5)
    assert not waiting.done()
    asked.set()
    await asyncio.wait_for(waiting, 30)


async def test_a_call_that_hands_over_waits_for_its_rate_unless_it_is_asked_to_stop():
    clock = Clock()
    pace = RunPace(Pace.begin(100, limit=100, target_s=1), braking(Told(None), clock), rows_per_second=2, now=clock)
    pace.done(0.0, rows=100, seen=100)  # fifty seconds' worth
    asked = asyncio.Event()
    waiting = asyncio.create_task(pace.settle(asked.is_set))
    await asyncio.wait([waiting], timeout=0.5)
    assert not waiting.done()
    asked.set()
    await asyncio.wait_for(waiting, 30)

    waiting = asyncio.create_task(pace.settle(lambda: False))
    await asyncio.wait([waiting], timeout=0.5)
    assert not waiting.done()
    clock.now += 10  # no wait is longer, so that a call ends in time
    await asyncio.wait_for(waiting, 30)


async def test_an_upper_bound_on_the_rate_is_kept_over_many_batches():
    clock = Clock()
    pace = RunPace(
        Pace.begin(1000, limit=10_000, target_s=0.025), braking(Told(None), clock), rows_per_second=400, now=clock
    )
    assert pace.size == 200  # half a second's worth
    for _ in range(10):
        clock.now = max(clock.now, pace._ready)
        pace.done(0.0, rows=200, seen=200)
    assert pace._ready - 100.0 == pytest.approx(10 * 200 / 400)
    assert pace.steered == 1000


async def test_a_share_of_the_time_is_left_to_others_and_a_brake_that_leaves_more_prevails(monkeypatch):
    clock, naps = Clock(), []

    async def nap(seconds: float) -> None:
        naps.append(seconds)
        clock.now += seconds

    monkeypatch.setattr("asyncio.sleep", nap)
    told = Told(None)
    pace = RunPace(
        Pace.begin(1000, limit=10_000, target_s=0.05), braking(told, clock, slow_share=0.5), work_share=0.8, now=clock
    )
    await pace.ready(lambda: False)
    assert naps == []  # nothing was done yet
    pace.done(0.04, rows=1000, seen=1000)
    await pace.ready(lambda: False)
    assert sum(naps) == pytest.approx(0.01)
    told.health = Health(vacuumed=True)
    clock.now += 60
    naps.clear()
    await pace.ready(lambda: False)
    assert sum(naps) == pytest.approx(0.04)


def test_the_smallest_batch_may_run_longer_each_time_it_does_not_get_through():
    pace = RunPace(Pace.begin(400, limit=10_000, target_s=0.025), braking(Told(None), Clock()))
    seen = []
    for _ in range(4):
        pace.refused(TIMED_OUT)
        seen.append((pace.size, pace.stretch))
    pace.refused(LOCKED)
    assert seen == [(200, 1), (100, 1), (100, 2), (100, 4)]
    assert (pace.stretch, pace.brake.reason) == (4, "locked")
