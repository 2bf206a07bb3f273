"""Legal holds: laid and released by people, obeyed from the next batch on, and kept on record."""

import pytest
from auditlog import DAY, AuditLog
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import DBAPIError

from trenova_activities.database import HoldScope, list_holds, place_hold, release_hold
from trenova_activities.database._nightly import Budget
from trenova_errors import ApplicationError, ConflictError, InvalidInputError, ResourceNotFoundError

pytestmark = pytest.mark.integration


async def test_a_hold_laid_during_a_run_is_obeyed_from_the_next_batch_on(log: AuditLog):
    [tenant] = await log.organization(30)
    now = await log.time()
    ids = await log.entries(tenant, [now - (60 - age) * DAY for age in range(20)], resource_id="shp_suit")
    asked = {"organization_ids": [tenant.organization_id], "batch_size": 4}
    first = await log.call(run_id="held", budget=Budget(batches=1), **asked)

    scope = HoldScope(tenant.organization_id, resource="shipment", resource_id="shp_suit")
    hold = await place_hold(log.database, scope, reason="Suit 12/2026", placed_by="eve")
    done = await log.run(run_id="held", **asked)

    assert (first.rows, done.rows) == (4, 4)
    assert set(ids[4:]) <= set(await log.rows())
    assert (hold.business_unit_id, hold.created_by, hold.reason) == (tenant.business_unit_id, "eve", "Suit 12/2026")
    assert hold.from_at == 0
    assert hold.until_at is hold.released_at is None
    await release_hold(log.database, hold.id, reason="settled", released_by="adam")
    assert (await log.run(**asked)).rows == 16


async def test_a_released_hold_stays_on_record_and_is_released_once(log: AuditLog):
    [tenant] = await log.organization(30)
    hold = await place_hold(log.database, HoldScope(tenant.organization_id), reason="suit", placed_by="eve")
    other = await place_hold(log.database, HoldScope(tenant.organization_id), reason="claim", placed_by="eve")

    released = await release_hold(log.database, hold.id, reason="settled", released_by="adam")

    assert (released.released_by, released.release_reason) == ("adam", "settled")
    assert (released.created_by, released.reason) == ("eve", "suit")
    with pytest.raises(ConflictError, match=r"was released before by adam\."):
        await release_hold(log.database, hold.id, reason="again", released_by="eve")
    assert [row.id for row in await list_holds(log.database)] == [other.id]
    assert {row.id for row in await list_holds(log.database, released=True)} == {hold.id, other.id}
    assert await list_holds(log.database, organization_id="org_nobody", released=True) == []


@pytest.mark.parametrize("change", ["reason", "resource", "until_at", "released_at", "release_reason"])
async def test_the_database_lets_nobody_rewrite_or_delete_a_hold(log: AuditLog, change):
    [tenant] = await log.organization(30)
    hold = await place_hold(log.database, HoldScope(tenant.organization_id), reason="suit", placed_by="eve")
    table = log.database.jobs.legal_holds
    statements = [delete(table), update(table).values({change: {"until_at": 5, "released_at": None}.get(change, "x")})]
    if change in {"released_at", "release_reason"}:
        await release_hold(log.database, hold.id, reason="settled", released_by="adam")

    for statement in statements:
        with pytest.raises((ApplicationError, DBAPIError)):
            async with log.database.write() as connection:
                await connection.execute(statement)
    [kept] = await list_holds(log.database, released=True)
    assert (kept.reason, kept.resource, kept.until_at) == ("suit", None, None)


async def test_a_hold_that_would_keep_nothing_is_refused(log: AuditLog):
    mine, other = await log.organization(units=2, has_row=False)
    for tenant in (mine, other):
        await log.entries(tenant, [1000])
    whose = {"organization_id": mine.organization_id}
    for scope, error, words in (
        (HoldScope("org_misspelt"), ResourceNotFoundError, "No organization 'org_misspelt' has a retention period"),
        (HoldScope(**whose, business_unit_id="bu_wrong"), ResourceNotFoundError, "with business unit 'bu_wrong'"),
        (HoldScope(**whose), InvalidInputError, "has several business units: .* Name one"),
        (HoldScope(**whose, from_at=10, until_at=9), InvalidInputError, "ends before it begins"),
        (HoldScope(**whose, resource=" "), InvalidInputError, "empty or longer than 100"),
    ):
        with pytest.raises(error, match=words):
            await place_hold(log.database, scope, reason="suit", placed_by="eve")
    for reason, who, words in ((" ", "eve", "Say why"), ("suit", "", "Say who lays the hold")):
        with pytest.raises(InvalidInputError, match=words):
            await place_hold(log.database, HoldScope(**whose), reason=reason, placed_by=who)
    assert await list_holds(log.database, released=True) == []


async def test_a_hold_of_before_who_was_recorded_is_listed_and_released_by_its_beginning(log: AuditLog):
    [tenant] = await log.organization(30)
    table = log.database.jobs.legal_holds
    rows = [
        {"id": f"hold_47{number}", **tenant.values, "from_at": 0, "reason": "old", "created_at": 1}
        for number in (11, 12)
    ]
    async with log.database.write() as connection:
        await connection.execute(insert(table), rows)

    with pytest.raises(InvalidInputError, match="Several holds begin with"):
        await release_hold(log.database, "hold_471", reason="x", released_by="eve")
    with pytest.raises(ResourceNotFoundError, match="There is no hold 'hold_9'"):
        await release_hold(log.database, "hold_9", reason="x", released_by="eve")
    assert (await release_hold(log.database, "hold_4711", reason="x", released_by="eve")).id == "hold_4711"
