"""Thousands of schedules through the store: every page, filter and order, without asking a server."""

from datetime import UTC, datetime

import pytest

from trenova_schedules import ScheduleFilter, ScheduleService, ScheduleSort
from trenova_schedules.store import RegisteredSchedule


@pytest.mark.parametrize("many", [2_500, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
async def test_thousands_are_listed_filtered_sorted_and_paged_through_the_store(store, many):
    now = datetime.now(UTC)
    known = [
        RegisteredSchedule(
            schedule_id=f"s-{n:05}",
            owner=f"owner-{n % 7}",
            workflow=f"W{n % 3}",
            task_queue=f"q{n % 5}",
            paused=n % 11 == 0,
            labels={"team": f"t{n % 13}"},
            first_seen_at=now,
            seen_at=now,
        )
        for n in range(many)
    ]
    for begin in range(0, many, 1000):
        await store.registry.seen(known[begin : begin + 1000])
    service = ScheduleService(client=None, registry=store.registry)  # nobody asks the server here

    async def ids(wanted=None, **options):
        found, cursor = [], None
        while True:
            page = await service.list(wanted, live=False, limit=1000, cursor=cursor, **options)
            found += [line.id for line in page.schedules]
            cursor = page.next_cursor
            if cursor is None:
                assert page.total == len(found)
                return found

    assert await ids() == [one.schedule_id for one in known]
    wanted = ScheduleFilter(labels={"team": "t4"}, task_queue="q2", paused=False)
    right = [n for n in range(many) if n % 13 == 4 and n % 5 == 2 and n % 11]
    assert await ids(wanted) == [f"s-{n:05}" for n in right]
    assert await ids(ScheduleFilter(search="S-0199")) == [f"s-0199{n}" for n in range(10)]
    by_owner = await ids(sort=ScheduleSort.OWNER, descending=True)
    assert by_owner == [f"s-{n:05}" for n in sorted(range(many), key=lambda n: (n % 7, n), reverse=True)]
