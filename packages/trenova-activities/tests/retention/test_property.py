"""No entry younger than its cut-off is ever touched, none of another tenant, and every older one is."""

import asyncio
import os
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
from auditlog import DAY, AuditLog, opened, past
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.integration

MOMENTS = [
    past(2024, 2, 29, 0, 0, 0),
    past(2024, 3, 1, 0, 0, 0),
    past(2023, 3, 1, 23, 59, 59),
    past(2000, 2, 29, 12, 0, 0),
    past(2025, 3, 9, 7, 0, 0),  # clocks change in New York
    past(2025, 11, 2, 6, 0, 0),
    past(2024, 3, 31, 1, 0, 0),  # and in Berlin
    past(2024, 10, 27, 1, 0, 0),
    past(2016, 12, 31, 23, 59, 59),  # a leap second
]
moments = st.one_of(st.sampled_from(MOMENTS), st.integers(past(2015, 1, 1), past(2025, 1, 1)))
sound = st.one_of(st.integers(1, 3650), st.sampled_from([1, 30, 120, 365, 366, 1461, 3650]))
nonsense = st.sampled_from([None, 0, -1, -30, -(2**31), 36_501, 2**31 - 1])
near = st.one_of(st.integers(-2, 2), st.integers(-DAY, DAY), st.integers(-4000 * DAY, 4000 * DAY))
times = st.one_of(near, near, near, st.sampled_from(["negative", "milliseconds", "epoch", "now"]))
unit_entries = st.lists(times, max_size=6)
organizations = st.tuples(st.one_of(sound, sound, sound, nonsense), unit_entries, unit_entries)
cases = st.tuples(moments, st.lists(organizations, min_size=1, max_size=4), st.integers(1, 5), st.integers(0, 2))
EXAMPLES = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


def entry_time(now: int, period: int | None, when: int | str) -> int:
    if isinstance(when, str):
        return {"negative": -now, "milliseconds": now * 1000, "epoch": 0, "now": now}[when]
    days = period if period in range(1, 3651) else 30
    return now - days * DAY + when


def has_outlived(now: int, period: int | None, at: int) -> bool:
    """Say by the calendar, not by the job's arithmetic."""
    if period not in range(1, 3651) or not 0 <= at <= now:
        return False
    return datetime.fromtimestamp(at, UTC) < datetime.fromtimestamp(now, UTC) - timedelta(days=period)


async def check(log: AuditLog, case) -> None:
    now, wanted, batch_size, outsiders = case
    log.now = now
    asked, expected = [], {}
    for position, (period, mine, theirs) in enumerate(wanted):
        own, other = await log.organization(period, units=2)
        is_asked = position >= outsiders
        if is_asked:
            asked.append(own.organization_id)
        for when in mine:
            at = entry_time(now, period, when)
            [entry] = await log.entries(own, [at])
            expected[entry] = is_asked and has_outlived(now, period, at)
        for entry in await log.entries(other, [entry_time(now, period, when) for when in theirs]):
            expected[entry] = False
    [rowless] = await log.organization(has_row=False)
    asked.append(rowless.organization_id)
    expected |= dict.fromkeys(await log.entries(rowless, [0, 1, now - 5000 * DAY]), False)
    before = await log.rows()

    counted = await log.run(dry_run=True, organization_ids=asked, batch_size=batch_size)
    assert await log.rows() == before
    done = await log.run(organization_ids=asked, batch_size=batch_size)

    after = await log.rows()
    assert {entry for entry in before if entry not in after} == {entry for entry, goes in expected.items() if goes}
    assert all(after[entry] == before[entry] for entry in after)
    assert counted.result.total_deleted == done.result.total_deleted == len(before) - len(after)
    assert counted.result.organizations == done.result.organizations
    assert counted.result.skipped_orgs == done.result.skipped_orgs


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_exactly_the_entries_that_have_outlived_their_period_are_deleted(log_url, zone, monkeypatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        log = runner.run(stack.enter_async_context(opened(log_url)))
        name = log_url.rpartition("/")[2]
        if log.database.options.is_sqlite is False:
            runner.run(log.execute(f"ALTER DATABASE {name} SET timezone = '{zone}'"))
            runner.run(log.execute("ALTER TABLE data_retention ALTER audit_retention_period DROP NOT NULL"))

        @EXAMPLES
        @given(cases)
        def examples(case) -> None:
            runner.run(check(log, case))

        try:
            examples()
        finally:
            runner.run(stack.aclose())
            os.environ.pop("TZ")
            time.tzset()


@pytest.mark.parametrize(
    "start", [1, *(pytest.param(start, marks=pytest.mark.slow) for start in (731, 1461, 2191)), 2921]
)
async def test_every_period_is_exact_to_the_second(embedded_sqlite_url, start):
    async with opened(embedded_sqlite_url) as log:
        log.now = past(2024, 2, 29, 0, 0, 0)
        old, young = [], []
        for period in range(start, start + 730, 7):
            [tenant] = await log.organization(period)
            edge = log.now - period * DAY
            old += await log.entries(tenant, [edge - 1])
            young += await log.entries(tenant, [edge])

        await log.run()

        assert sorted(await log.rows()) == sorted(young)
