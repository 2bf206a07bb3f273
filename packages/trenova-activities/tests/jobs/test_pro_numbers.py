import asyncio
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tms import Tms

from trenova_activities.database import ProNumberFormat, ProNumberOptions, reserve_sequence

NOVEMBER = int(datetime(2026, 11, 5, tzinfo=UTC).timestamp())


def test_a_number_is_made_of_month_location_sequence_and_chance():
    assert re.fullmatch(r"S2611120042\d{6}", ProNumberFormat().number(42, NOVEMBER))


def test_after_9999_the_sequence_takes_a_fifth_digit():
    assert re.fullmatch(r"S26111210000\d{6}", ProNumberFormat().number(10_000, NOVEMBER))


@given(sequence=st.integers(1, 10**9), location=st.integers(0, 99))
def test_a_number_always_has_its_sequence_in_its_place(sequence, location):
    number = ProNumberFormat(location_code=f"{location:02}").number(sequence, NOVEMBER)

    assert number.startswith(f"S2611{location:02}{sequence:04}")
    assert len(number) == 7 + max(4, len(str(sequence))) + 6


def test_one_random_digit_is_random_although_no_width_is_written():
    form = ProNumberFormat(pattern="{sequence}-{random}")

    assert {form.number(1, NOVEMBER) for _ in range(200)} > {"1-0"}


def test_an_organization_may_have_a_pattern_of_its_own():
    options = ProNumberOptions(organizations={"org_a": ProNumberFormat(pattern="A-{sequence:06}")})

    assert options.format_of("org_a").number(7, NOVEMBER) == "A-000007"
    assert options.format_of("org_b") == ProNumberFormat()


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("S{yy}{mm}{random:06}", "has no {sequence}"),
        ("S{sequence:04}{year}", "unknown fields"),
        ("S{sequence", "is not a pattern"),
        ("S{sequence:x}", "is not a pattern"),
        ("S{yy!r}{sequence}", "has a conversion"),
        ("S{sequence:04}{random:20}", "random digits"),
        ("S" * 95 + "{sequence:04}", "characters"),
    ],
)
def test_a_pattern_that_cannot_work_is_refused_with_the_reason(pattern, said):
    with pytest.raises(ValidationError, match=re.escape(said)):
        ProNumberFormat(pattern=pattern)


async def test_a_batch_gets_consecutive_positions_and_the_next_batch_the_following(tms: Tms):
    future = int(datetime(2031, 2, 1, tzinfo=UTC).timestamp())

    async def reserve(count):
        async with tms.database.write() as connection:
            return await reserve_sequence(connection, tms.catalog["sequences"], tms.tenant, count=count, at=future)

    assert await reserve(3) == range(1, 4)
    assert await reserve(2) == range(4, 6)
    together = await asyncio.gather(*(reserve(10) for _ in range(5)))
    assert sorted(position for batch in together for position in batch) == list(range(6, 56))
