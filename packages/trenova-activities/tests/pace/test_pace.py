"""The law that steers the size of batches: no clock, no database."""

from hypothesis import given
from hypothesis import strategies as st

from trenova_activities.database._pace import SMALLEST, Pace

TARGET = 0.05
SIZES = st.integers(1, 10_000)
SECONDS = st.floats(0, 10, allow_nan=False)
OUTCOMES = st.lists(st.one_of(st.none(), st.tuples(SECONDS, st.floats(0, 1))), max_size=200)


def begun(size: int, limit: int = 10_000) -> Pace:
    return Pace.begin(size, limit=limit, target_s=TARGET)


@given(SIZES, SIZES, OUTCOMES)
def test_whatever_happens_the_size_stays_in_its_bounds(size, limit, outcomes):
    pace = begun(size, limit)
    for outcome in outcomes:
        assert min(SMALLEST, limit) <= pace.size <= limit
        pace = pace.refused() if outcome is None else pace.after(outcome[0], int(outcome[1] * pace.size))
    assert min(SMALLEST, limit) <= pace.size <= limit


@given(st.integers(200, 10_000), st.floats(2 * TARGET, 10, exclude_min=True), SIZES)
def test_a_batch_of_more_than_twice_the_target_is_halved_full_or_not(size, seconds, rows):
    assert begun(size).after(seconds, rows).size == size // 2


@given(st.integers(200, 10_000))
def test_a_batch_that_was_turned_away_is_halved(size):
    assert begun(size).refused().size == size // 2


@given(st.integers(200, 10_000), st.floats(TARGET, 2 * TARGET, exclude_min=True), SIZES)
def test_a_batch_of_more_than_the_target_gets_a_tenth_less(size, seconds, rows):
    assert begun(size).after(seconds, rows).size == size - size // 10


@given(SIZES, st.floats(TARGET, 10, exclude_min=True), st.floats(0, 0.5, exclude_max=True))
def test_a_batch_that_was_long_for_another_reason_than_its_rows_keeps_its_size(size, seconds, share):
    pace = begun(size)
    assert pace.after(seconds, size, work_s=share * seconds) == pace
    assert pace.after(seconds, size, work_s=seconds * 0.6).size < size or size <= SMALLEST


@given(st.integers(100, 9_000), st.floats(0, TARGET / 2, exclude_max=True))
def test_a_full_batch_that_was_short_gets_a_tenth_more(size, seconds):
    assert begun(size).after(seconds, size).size == size + size // 10


@given(SIZES, st.floats(TARGET / 2, TARGET))
def test_between_half_the_target_and_the_target_nothing_changes(size, seconds):
    pace = begun(size)
    assert pace.after(seconds, size) == pace


@given(st.integers(101, 10_000), st.floats(0, TARGET))
def test_the_end_of_a_tenant_says_nothing_about_larger_batches(size, seconds):
    pace = begun(size)
    assert pace.after(seconds, size - 1) == pace


@given(SIZES, st.floats(1e-6, 1e-3), st.floats(0, 0.005))
def test_it_settles_where_a_batch_lasts_between_half_the_target_and_the_target(size, per_row, overhead):
    """Whatever a row costs, as long as the bounds leave room for a batch of that length."""
    pace = begun(size)
    for _ in range(200):
        pace = pace.after(overhead + per_row * pace.size, pace.size)
    seconds = overhead + per_row * pace.size
    assert seconds <= TARGET or pace.size == SMALLEST
    assert seconds >= TARGET / 2 or pace.size == 10_000


@given(st.integers(1, SMALLEST), OUTCOMES)
def test_a_limit_below_the_smallest_batch_is_kept_as_it_is(limit, outcomes):
    pace = begun(10_000, limit)
    for outcome in outcomes:
        pace = pace.refused() if outcome is None else pace.after(outcome[0], pace.size)
        assert pace.size == limit
