import math
import random

import pytest

from trenova_workers.routing import LoadOptions, QueueView, Reading, choose
from trenova_workers.routing._choice import spills
from trenova_workers.routing._rules import Overflow

OPTIONS = LoadOptions()


def view(queue, wait, *, at=0.0, served=True):
    """A queue whose first task has waited so long; nothing is known of it where that is None."""
    if wait is None:
        return QueueView(queue)
    return QueueView(queue).read(Reading(at, 10 * wait, wait, 10.0, 10.0, served), OPTIONS)


def share(views, *, behind=frozenset(), options=OPTIONS, now=0.0, starts=400):
    """How much of the starts goes to the first queue, nobody counting them."""
    chance = random.Random(5)
    chosen = [choose(views, now, options, behind=behind, random=chance.random).queue for _ in range(starts)]
    return chosen.count(views[0].queue) / starts


def test_a_queue_that_is_behind_gets_nothing_and_level_ones_are_left_to_chance():
    assert share([view("a", 0.1), view("b", 10.0)]) == 1
    assert share([view("a", 10.0), view("b", 0.1)]) == 0
    assert 0.4 < share([view("a", 0.1), view("b", 0.9)]) < 0.6


def test_one_that_fell_behind_comes_back_only_within_half_of_the_margin():
    views = [view("a", 4.0), view("b", 5.5)]  # the margin is 1 s and a quarter of 4 s
    assert 0.4 < share(views) < 0.6
    assert share(views, behind=frozenset({"b"})) == 1
    closer = [view("a", 4.0), view("b", 4.9)]
    assert 0.4 < share(closer, behind=frozenset({"b"})) < 0.6


def test_two_of_many_are_compared_so_that_the_best_is_not_overrun():
    views = [view("best", 0.0), *(view(f"q{number}", 30.0) for number in range(3))]
    assert 0.4 < share(views) < 0.6  # it is in half of the pairs


def test_stale_and_missing_readings_say_nothing():
    stale = [view("a", 0.0), view("b", 60.0)]
    assert share(stale, now=14) == 1
    assert 0.4 < share(stale, now=16) < 0.6
    assert 0.4 < share([view("a", None), view("b", 60.0)]) < 0.6
    assert share([view("a", None), view("b", 60.0)], options=LoadOptions(unknown="primary")) == 1


def test_a_queue_that_nobody_polls_is_avoided_unless_all_are_so():
    dead = view("dead", 0.0, served=False)
    assert share([dead, view("b", 60.0)]) == 0
    assert share([dead, view("b", None)]) == 0
    assert 0.4 < share([dead, view("dead too", 0.0, served=False)]) < 0.6


@pytest.mark.parametrize("number", [math.nan, math.inf, -1.0])
@pytest.mark.parametrize("place", range(4))
def test_a_number_that_is_none_or_negative_is_no_reading(number, place):
    numbers = [1.0, 1.0, 1.0, 1.0]
    assert Reading.of(0, *numbers) is not None
    numbers[place] = number
    assert Reading.of(0, *numbers) is None


def test_a_queue_that_takes_nothing_though_work_waits_is_worse_than_its_age():
    assert Reading(0, 5, 2.0, 1.0, 0.0).wait_s == 150
    assert Reading(0, 5, 2.0, 1.0, 5.0).wait_s == 2
    assert Reading(0, 0, 0.0, 0.0, 0.0).wait_s == 0


def test_wait_is_worked_off_and_own_starts_add_to_it_at_the_speed_shown_under_load():
    seen = view("a", 5.0)  # 50 waiting, 10 taken each second
    assert seen.wait_s(2.0, OPTIONS) == pytest.approx(3.0)
    for _ in range(40):
        seen.count()
    assert seen.wait_s(2.0, OPTIONS) == pytest.approx(7.0, abs=0.1)


def test_an_answer_that_the_server_repeats_does_not_forget_own_starts():
    seen = view("a", 5.0)
    seen.count()
    again = seen.read(Reading(5.0, 50, 5.0, 10.0, 10.0), OPTIONS)
    assert (again.sent, again.reading.at) == (1, 0.0)
    third = again.read(Reading(10.0, 50, 5.0, 10.0, 10.0), OPTIONS)
    assert (third.sent, third.reading.at) == (0, 10.0)


def test_overflow_begins_above_one_threshold_and_ends_below_another():
    overflow = Overflow(queue="spill", above_wait_s=10)

    def goes(first, there=0.0, *, spilling):
        return spills(there, first, overflow, spilling=spilling).over

    assert not goes(9, spilling=False)
    assert goes(11, spilling=False)
    assert goes(9, spilling=True)
    assert not goes(5, spilling=True)
    assert not goes(None, spilling=True)
    assert goes(11, None, spilling=False)
    assert not goes(11, 12, spilling=False)
    assert goes(math.inf, 12, spilling=False)
