"""No row younger than its cut-off is ever touched, none of another tenant, and every older one is."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import DAY, World, opened

from trenova_activities.database import Tenant

pytestmark = pytest.mark.integration

MOMENTS = [
    (2024, 2, 29, 0, 0, 0),
    (2024, 3, 1, 0, 0, 0),
    (2023, 3, 1, 23, 59, 59),
    (2000, 2, 29, 12, 0, 0),
    (2025, 3, 9, 7, 0, 0),  # clocks change in New York
    (2026, 3, 29, 1, 0, 0),  # and in Berlin
    (2026, 10, 25, 1, 0, 0),
    (2027, 1, 1, 0, 0, 0),
    (2038, 1, 19, 3, 14, 8),  # 32 bits end
]
moments = st.sampled_from([int(datetime(*moment, tzinfo=UTC).timestamp()) for moment in MOMENTS])
sound = st.integers(1, 90)
nonsense = st.sampled_from([None, 0, -1, 91, 128, 255, 256, 257, 286, 32_767, -32_768])
thresholds = st.one_of(sound, sound, sound, nonsense)
near = st.one_of(st.integers(-2, 2), st.integers(-DAY, DAY), st.integers(-200 * DAY, 200 * DAY))
statuses = st.sampled_from(["New", "New", "New", "Assigned", "Canceled"])
times = st.one_of(near, near, near, st.sampled_from([None, "negative", "milliseconds", "epoch"]))
tenants = st.tuples(
    st.sampled_from([True, True, True, False]), thresholds, st.lists(st.tuples(times, statuses), max_size=6)
)
fleets = st.tuples(moments, st.lists(tenants, min_size=1, max_size=4), st.integers(1, 5), st.booleans())
EXAMPLES = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


def created_at(now: int, threshold, time) -> int | None:
    if not isinstance(time, int):
        return {None: None, "negative": -now, "milliseconds": now * 1000, "epoch": 0}[time]
    days = threshold if threshold in range(1, 91) else 30
    return now - days * DAY + time


async def built(world: World, fleet) -> list[Tenant]:
    made = []
    for enabled, threshold, shipments in fleet:
        [tenant] = await world.tenants(1, enabled=enabled, threshold=threshold)
        for time, status in shipments:
            await world.shipments(tenant, [created_at(world.now, threshold, time)], status=status, moves=["New"])
        made.append(tenant)
    return made


async def check(world: World, fleet) -> None:
    now, of_tenants, batch_size, only_these = fleet
    world.now = now
    tenants_made = await built(world, of_tenants)
    asked = [tenant.organization_id for tenant in tenants_made] if only_these else []
    before = await world.everything()
    controls = await world.rows("shipment_controls")
    expected = {
        id_
        for id_ in world.expected(before["shipments"], controls)
        if not asked or before["shipments"][id_].organization_id in asked
    }

    counted = await world.run(dry_run=True, organization_ids=asked, batch_size=batch_size)
    assert await world.everything() == before
    done = await world.run(organization_ids=asked, batch_size=batch_size)

    after = await world.everything()
    changed = {id_ for id_, row in after["shipments"].items() if row != before["shipments"][id_]}
    assert changed == expected
    assert {after["shipments"][id_].status for id_ in changed} <= {"Canceled"}
    assert {after["shipments"][id_].version - before["shipments"][id_].version for id_ in changed} <= {1}
    for child in ("shipment_moves", "stops", "assignments"):
        touched = {id_.split("_", 1)[1][:12] for id_, row in after[child].items() if row != before[child][id_]}
        assert touched <= {id_.removeprefix("shp_") for id_ in expected}, child
    added = [row.resource_id for id_, row in after["audit_entries"].items() if id_ not in before["audit_entries"]]
    assert sorted(added) == sorted(expected)
    assert counted.result.total_cancelled == done.result.total_cancelled == len(expected)
    assert counted.result.processed_orgs == done.result.processed_orgs
    assert counted.result.skipped_orgs == done.result.skipped_orgs


def test_exactly_the_shipments_that_are_old_enough_are_canceled(nightly_url):
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        world = runner.run(stack.enter_async_context(opened(nightly_url)))

        @EXAMPLES
        @given(fleets)
        def examples(fleet) -> None:
            runner.run(check(world, fleet))

        try:
            examples()
        finally:
            runner.run(stack.aclose())


async def test_every_threshold_is_exact_to_the_second(nightly_url):
    async with opened(nightly_url) as world:
        old, young = set(), set()
        for threshold in range(1, 91):
            [tenant] = await world.tenants(1, threshold=threshold)
            edge = world.now - threshold * DAY
            at_the_edge, a_second_younger = await world.shipments(tenant, [edge, edge + 1])
            old.add(at_the_edge)
            young.add(a_second_younger)

        await world.run()

        rows = await world.rows("shipments")
        assert {id_ for id_ in old | young if rows[id_].status == "Canceled"} == old
