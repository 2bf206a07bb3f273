from datetime import UTC, datetime, timedelta

from trenova_workers._fleet._sightings import Sightings

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.s = 0.0

    def wall(self):
        return NOON + timedelta(seconds=self.s)

    def steady(self):
        return 1000 + self.s


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def sightings():
    clock = Clock()
    return clock, Sightings(clock.wall, clock.steady)


def test_the_first_look_trusts_the_clocks():
    clock, seen = sightings()
    clock.s = 20

    assert seen.age("w", at(5)) == 15
    assert seen.age("v", at(5), at(12)) == 8


def test_a_worker_whose_clock_is_behind_is_as_old_as_our_look_at_it():
    clock, seen = sightings()
    assert seen.age("w", at(-600)) == 600

    clock.s = 5
    assert seen.age("w", at(-595)) == 5
    clock.s = 12
    assert seen.age("w", at(-595)) == 12


def test_a_dead_worker_whose_clock_is_ahead_grows_old_while_it_is_watched():
    clock, seen = sightings()
    assert seen.age("w", at(600)) == 0

    clock.s = 16
    assert seen.age("w", at(600)) == 16


def test_a_change_is_no_younger_than_its_own_time_where_that_can_be():
    clock, seen = sightings()
    seen.age("w", at(0))

    clock.s = 60
    assert seen.age("w", at(20)) == 40
    clock.s = 70
    assert seen.age("w", at(20)) == 50


def test_a_poll_that_is_yet_to_come_tells_that_our_clock_is_behind():
    _, seen = sightings()
    seen.correct(at(30))

    assert seen.age("w", at(25)) == 5
    seen.correct(at(10))
    assert seen.told(at(30)) == 0


def test_who_is_not_listed_any_more_is_forgotten():
    clock, seen = sightings()
    seen.age("w", at(600))
    seen.forget_others({"v"})

    clock.s = 16
    assert seen.age("w", at(600)) == 0
