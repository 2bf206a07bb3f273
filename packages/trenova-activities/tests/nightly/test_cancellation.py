import sqlite3
from contextlib import closing

import pytest
from world import CHANGED, DAY, NOW, World, opened

from trenova_activities.database._cancellation import REASON

pytestmark = pytest.mark.integration

OLD = NOW - 31 * DAY


async def test_a_stale_shipment_is_canceled_with_everything_below_it_that_is_not_completed(world: World):
    [tenant] = await world.tenants(1)
    [shipment] = await world.shipments(tenant, [OLD], moves=["Completed", "New", "InTransit", "Canceled"])

    progress = await world.run()

    row = (await world.rows("shipments"))[shipment]
    assert (row.status, row.version, row.canceled_at, row.cancel_reason) == ("Canceled", 4, NOW, REASON)
    assert row.canceled_by_id is None
    moves = [(row.status, row.version) for row in (await world.rows("shipment_moves", tenant)).values()]
    assert moves == [("Completed", 5), ("Canceled", 6), ("Canceled", 6), ("Canceled", 5)]
    stops = [(row.status, row.version) for row in (await world.rows("stops", tenant)).values()]
    assert stops == [("Completed", 5), ("Canceled", 6), ("Canceled", 5)] * 4
    drivers = [(row.status, row.version) for row in (await world.rows("assignments", tenant)).values()]
    assert drivers == [("Canceled", 6)] * 4
    assert progress.result.total_cancelled == 1
    [processed] = [one for one in progress.result.processed_orgs if one.organization_id == tenant.organization_id]
    assert processed.cancelled_pro_nums == [row.pro_number]
    assert "1 shipment was canceled" in progress.result.result


async def test_each_shipment_has_one_audit_entry_of_the_system(world: World):
    [tenant] = await world.tenants(1)
    shipments = await world.shipments(tenant, [OLD, OLD - 5])

    await world.run(run_id="night")

    entries = list((await world.rows("audit_entries", tenant)).values())
    assert sorted(entry.resource_id for entry in entries) == sorted(shipments)
    for entry in entries:
        assert (entry.resource, entry.operation, entry.timestamp) == ("shipment", "cancel", NOW)
        assert (entry.user_id, getattr(entry, "principal_type", "system")) == (None, "system")
        assert entry.correlation_id == "cancel-shipments/night"
        assert entry.metadata["runId"] == "night"
        assert (entry.previous_state["status"], entry.current_state["status"]) == ("New", "Canceled")


async def test_the_system_user_of_the_tenant_is_named(world: World):
    tenant, other = await world.tenants(2)
    user = await world.system_user(tenant)
    await world.shipments(tenant, [OLD])
    await world.shipments(other, [OLD])

    await world.run()

    [mine] = (await world.rows("shipments", tenant)).values()
    [others] = (await world.rows("shipments", other)).values()
    assert (mine.canceled_by_id, others.canceled_by_id) == (user, None)


async def test_a_threshold_out_of_range_skips_the_organization_and_never_becomes_another_one(world: World):
    expected = {}
    for threshold in (None, 0, -1, 91, 128, 255, 256, 257, 286, 32_767):
        [tenant] = await world.tenants(1, threshold=threshold)
        await world.shipments(tenant, [OLD, NOW - 400 * DAY, 0])
        expected[tenant.organization_id] = (
            f"is {'NULL' if threshold is None else threshold}; it must be a whole number of days from 1 to 90"
        )
    before = await world.everything()

    progress = await world.run()

    assert await world.everything() == before
    reasons = {one.organization_id: one.reason for one in progress.result.skipped_orgs}
    assert all(reason in reasons[organization] for organization, reason in expected.items())


@pytest.mark.parametrize("threshold", ["thirty", 30.5, "", b"30"])
async def test_a_threshold_that_is_no_number_skips_the_organization(embedded_sqlite_url, threshold):
    async with opened(embedded_sqlite_url) as world:
        [tenant] = await world.tenants(1)
        table = "UPDATE shipment_controls SET auto_cancel_shipments_threshold = ?"
        async with world.database.write() as connection:
            await connection.exec_driver_sql(table, (threshold,))
        await world.shipments(tenant, [OLD])

        progress = await world.run()

        assert progress.result.total_cancelled == 0
        assert len(progress.result.skipped_orgs) == 1


async def test_an_organization_that_does_not_want_it_is_not_touched_and_only_mentioned_if_asked_for(world: World):
    [off] = await world.tenants(1, enabled=False)
    [on] = await world.tenants(1)
    await world.shipments(off, [OLD])
    await world.shipments(on, [OLD])

    everybody = await world.run()
    asked = await world.run(organization_ids=[off.organization_id, "org_nowhere"])

    assert off.organization_id not in {one.organization_id for one in everybody.result.skipped_orgs}
    assert everybody.result.total_cancelled == 1
    assert {one.organization_id: one.reason for one in asked.result.skipped_orgs} == {
        off.organization_id: "shipment_controls.auto_cancel_shipments is not true.",
        "org_nowhere": "There are no settings of this organization, so nothing says what it wants.",
    }
    assert {row.status for row in (await world.rows("shipments", off)).values()} == {"New"}


async def test_only_the_organizations_that_were_asked_for_are_touched(world: World):
    asked, other = await world.tenants(2)
    await world.shipments(asked, [OLD])
    await world.shipments(other, [OLD])

    await world.run(organization_ids=[asked.organization_id])

    assert {row.status for row in (await world.rows("shipments", asked)).values()} == {"Canceled"}
    assert {row.status for row in (await world.rows("shipments", other)).values()} == {"New"}


async def test_times_that_make_no_sense_are_counted_and_left_alone(world: World):
    [tenant] = await world.tenants(1)
    odd = await world.shipments(tenant, [None, -1, -OLD, OLD * 1000])
    fine = await world.shipments(tenant, [OLD, 0])
    await world.shipments(tenant, [None, OLD], status="Assigned")

    progress = await world.run()

    rows = await world.rows("shipments", tenant)
    assert {rows[id_].status for id_ in odd} == {"New"}
    assert {rows[id_].status for id_ in fine} == {"Canceled"}
    assert progress.result.data["oddRows"] == 4


async def test_every_status_but_new_stays(world: World):
    [tenant] = await world.tenants(1)
    for status in ("PartiallyAssigned", "Assigned", "InTransit", "Delayed", "Completed", "Canceled"):
        await world.shipments(tenant, [OLD], status=status)
    before = await world.everything()

    await world.run()

    assert await world.everything() == before


async def test_two_rows_of_settings_contradict_each_other_and_skip_the_tenant(embedded_sqlite_url):
    async with opened(embedded_sqlite_url) as world:
        [tenant] = await world.tenants(1, threshold=90)
        async with world.database.write() as connection:
            await connection.exec_driver_sql("DROP INDEX ux_shipment_controls_organization_id")
        row = {"id": "sctl_second", **tenant.values, "auto_cancel_shipments": True}
        await world.insert({"shipment_controls": [{**row, "auto_cancel_shipments_threshold": 1}]})
        await world.shipments(tenant, [OLD])

        progress = await world.run()

        assert progress.result.total_cancelled == 0
        assert "more than one row" in progress.result.skipped_orgs[0].reason


async def test_a_tenant_is_an_organization_and_a_business_unit(embedded_sqlite_url):
    """Rows of the same organization under another business unit belong to somebody else."""
    async with opened(embedded_sqlite_url) as world:
        mine, other = await world.tenants(2)
        [theirs] = await world.shipments(other, [OLD])
        path = embedded_sqlite_url.partition("///")[2]
        with closing(sqlite3.connect(path)) as plain, plain:  # foreign keys are off by default
            plain.execute("UPDATE shipments SET organization_id = ? WHERE id = ?", (mine.organization_id, theirs))

        progress = await world.run(organization_ids=[mine.organization_id])

        assert progress.result.total_cancelled == 0


async def test_nothing_else_of_the_tenant_changes(world: World):
    [tenant] = await world.tenants(1)
    young = await world.shipments(tenant, [NOW - 30 * DAY + 1, NOW, NOW + DAY], moves=["New"])
    before = await world.everything()
    await world.shipments(tenant, [OLD], moves=["New"])

    await world.run()

    after = await world.everything()
    for table in CHANGED:
        assert {id_: after[table][id_] for id_ in before[table]} == before[table], table
    assert len(young) == 3


async def test_a_log_that_demands_a_user_gets_the_only_system_user_there_is(current_tms_url):
    async with opened(current_tms_url) as world:
        home, other = await world.tenants(2)
        user = await world.system_user(home)
        async with world.database.write() as connection:
            for statement in (
                "ALTER TABLE audit_entries DISABLE TRIGGER audit_entries_append_only",
                "DELETE FROM audit_entries WHERE user_id IS NULL",
                "ALTER TABLE audit_entries ALTER user_id SET NOT NULL",
            ):
                await connection.exec_driver_sql(statement)
        await world.shipments(other, [OLD])

        async with opened(current_tms_url) as fresh:
            await fresh.run()
            [entry] = (await fresh.rows("audit_entries", other)).values()
            [shipment] = (await fresh.rows("shipments", other)).values()

        assert (entry.user_id, entry.principal_type, entry.principal_id) == (user, "session_user", user)
        assert shipment.canceled_by_id is None
