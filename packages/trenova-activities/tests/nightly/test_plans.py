"""The cancellation takes plans as the purge does, and its manifest is chained the same way."""

import pytest
from world import DAY, NOW, World

from trenova_activities.database import PlanOptions, PlanRequiredError, approve_plan, make_plan, verify_manifest
from trenova_activities.database._plan import day_name

pytestmark = pytest.mark.integration


async def test_a_cancellation_above_the_limit_waits_for_its_plan_and_does_what_it_says(world: World):
    world.plans = PlanOptions(require_plan_above=4)
    one, other, stranger = await world.tenants(3)
    for tenant in (one, other, stranger):
        await world.shipments(tenant, [NOW - 30 * DAY, NOW - 31 * DAY, NOW - 29 * DAY])
    asked = [one.organization_id, other.organization_id]
    before = await world.everything()

    with pytest.raises(PlanRequiredError, match=r"More than 4 rows .* 'trenova-activities plan make cancel --by"):
        await world.run()
    assert await world.everything() == before
    plan = await make_plan(world.database, "cancel_shipments", made_by="ann", organization_ids=asked)
    await approve_plan(world.database, plan.hash, approved_by="bob")
    await world.shipments(one, [NOW - 29 * DAY])
    world.now = NOW + DAY  # a day more is old enough by its own rule, and not by the plan's
    done = await world.run(run_id="planned", plan_hash=plan.hash, batch_size=1)

    assert {part.tenant: len(part.days) for part in plan.plan.tenants} == {one: 2, other: 2}
    assert [day_name(day) for day, _ in plan.plan.tenants[0].days] == ["2026-01-29", "2026-01-30"]
    assert {row.organization_id: row.cancelled_count for row in done.result.processed_orgs} == dict.fromkeys(asked, 2)
    skipped = {row.organization_id: row.reason for row in done.result.skipped_orgs}  # and those of a TMS of others
    assert skipped[stranger.organization_id] == f"It is not in the plan {plan.hash}."
    found = await verify_manifest(world.database, "planned", seal=done.result.data["manifest"])
    assert (found.fits, found.rows, found.plan_hash) == (True, 4, plan.hash)
