"""What a transfer accepts and refuses, activity by activity, on every kind of database."""

import asyncio
import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, update
from temporalio.testing import ActivityEnvironment
from tms import Tms

from trenova_activities import TransferCall
from trenova_activities.database import ProNumberFormat, ProNumberOptions, TransferActivities
from trenova_activities.database._requirements import ready_catalog
from trenova_activities.database._rows import insertable
from trenova_errors import ConflictError, InvalidInputError, ResourceNotFoundError

pytestmark = pytest.mark.integration  # three databases: once, not on every Python

STEPS = ("reserve", "copy", "cancel")


@pytest.fixture
async def tms(tms: Tms) -> Tms:
    """The TMS with another customer in each tenant, and its source in a status that may be transferred."""
    catalog = await ready_catalog(tms.database, "transfer_shipments")
    customers, shipments = catalog["customers"], catalog["shipments"]
    async with tms.database.write() as connection:
        for tenant, id_ in ((tms.tenant, "cus_new"), (tms.other, "cus_stranger")):
            row = {"id": id_, **tenant.values, "code": "NEW", "name": "New", "description": "New"}
            await connection.execute(insert(customers).values(insertable(customers, row)))
        mine = (tms.tenant.owns(shipments), shipments.c.id == tms.shipment_id)
        await connection.execute(update(shipments).where(*mine).values(status="InTransit"))
    return dataclasses.replace(tms, catalog=catalog)


def call(tms: Tms, **changes: Any) -> TransferCall:
    asked = {
        **tms.tenant.values,
        "user_id": tms.user_id,
        "idempotency_key": "key-1",
        "shipment_ids": [tms.shipment_id],
        "customer_id": "cus_new",
        "run_id": "run-1",
    }
    return TransferCall(**(asked | changes))


async def does(tms: Tms, name: str, asked: TransferCall, *, workflow_id: str = "job", **options: Any) -> Any:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(
        ActivityEnvironment.default_info(), workflow_id=workflow_id, heartbeat_timeout=timedelta(seconds=10)
    )
    return await environment.run(getattr(TransferActivities(tms.database, tms.catalog, **options), name), asked)


async def transferred(tms: Tms, asked: TransferCall, **options: Any) -> Any:
    return [await does(tms, step, asked, **options) for step in STEPS][-1]


async def test_the_copy_is_as_a_duplicate_is_but_keeps_its_dates_and_is_the_other_customers(tms: Tms):
    result = await transferred(tms, call(tms))

    [source] = await tms.rows("shipments", id=tms.shipment_id)
    [copy] = await tms.rows("shipments", id=result.shipment_ids[0])
    assert (copy.customer_id, copy.status, copy.entered_by_id) == ("cus_new", "New", tms.user_id)
    assert copy.bol == f"{source.bol}-COPY-01"
    assert (copy.total_charge_amount, copy.weight) == (source.total_charge_amount, source.weight)
    for column in ("owner_id", "canceled_at", "actual_ship_date", "tender_status", "order_id", "rate_quote_id"):
        assert getattr(copy, column, None) is None, column
    start = tms.catalog.first("stops", "planned_arrival", "scheduled_window_start")
    was, now = await tms.children(source.id), await tms.children(copy.id)
    assert {name: len(rows) for name, rows in now.items()} == {name: len(rows) for name, rows in was.items()}
    assert sorted(getattr(s, start) for s in now["stops"]) == sorted(getattr(s, start) for s in was["stops"])


async def test_the_log_tells_of_both_shipments(tms: Tms):
    result = await transferred(tms, call(tms))

    [made] = await tms.rows("audit_entries", resource_id=result.shipment_ids[0])
    [source] = await tms.rows("audit_entries", resource_id=tms.shipment_id, operation="cancel", correlation_id="job")
    assert (made.operation, made.user_id, made.metadata["sourceShipmentId"]) == (
        "transfer",
        tms.user_id,
        tms.shipment_id,
    )
    assert source.metadata == {
        "shipmentId": result.shipment_ids[0],
        "proNumber": result.pro_numbers[0],
        "customerId": "cus_new",
    }
    assert (source.previous_state["status"], source.current_state["status"]) == ("InTransit", "Canceled")


async def test_a_finished_source_is_refused_by_its_number_and_nothing_changes(tms: Tms):
    shipments = tms.catalog["shipments"]
    [source] = await tms.rows("shipments", id=tms.shipment_id)
    for status in {"Canceled", "Billed", "Invoiced"}.intersection(
        getattr(shipments.c.status.type, "enums", ["Canceled", "Billed"])
    ):
        async with tms.database.write() as connection:
            await connection.execute(update(shipments).where(shipments.c.id == source.id).values(status=status))
        before = await tms.counts()

        with pytest.raises(InvalidInputError, match=rf"{source.pro_number} \({status}\)"):
            await does(tms, "reserve", call(tms))
        assert await tms.counts() == before


async def test_a_source_that_was_finished_after_the_numbers_were_reserved_is_refused_too(tms: Tms):
    await does(tms, "reserve", call(tms))
    shipments = tms.catalog["shipments"]
    async with tms.database.write() as connection:
        await connection.execute(update(shipments).where(shipments.c.id == tms.shipment_id).values(status="Canceled"))

    with pytest.raises(InvalidInputError):
        await does(tms, "copy", call(tms))


async def test_what_the_tenant_does_not_have_is_not_found_and_nothing_changes(tms: Tms):
    before = await tms.counts()
    [stranger, *_] = await tms.rows("users", **tms.other.values)
    wrong: list[dict[str, Any]] = [
        {"shipment_ids": [tms.shipment_id, "shp_nowhere"]},
        {"customer_id": "cus_nobody"},
        {"customer_id": "cus_stranger"},
        {"user_id": stranger.id},
        {**tms.other.values, "customer_id": "cus_stranger", "user_id": stranger.id},
    ]

    for changes in wrong:
        with pytest.raises(ResourceNotFoundError):
            await does(tms, "reserve", call(tms, **changes))
    assert await tms.counts() == before


async def test_a_transfer_to_the_customer_that_has_them_is_refused(tms: Tms):
    [source] = await tms.rows("shipments", id=tms.shipment_id)

    with pytest.raises(InvalidInputError, match=source.pro_number):
        await does(tms, "reserve", call(tms, customer_id=source.customer_id))


async def test_each_step_done_again_returns_what_it_did_and_changes_nothing(tms: Tms):
    done = []
    for step in STEPS:
        first = await does(tms, step, call(tms))
        counted = await tms.counts()
        assert await does(tms, step, call(tms)) == first or step == "reserve"
        assert await tms.counts() == counted
        done.append(first)
    known = await does(tms, "reserve", call(tms, run_id="run-2"), workflow_id="another")

    assert known.known == done[-1]


async def test_the_same_key_for_another_request_is_a_conflict_at_any_time(tms: Tms):
    await does(tms, "reserve", call(tms))
    for changes in ({"reason": "Another"}, {"customer_id": "cus_stranger"}):
        for step in (*STEPS, "verify", "restore", "withdraw", "release"):
            with pytest.raises(ConflictError, match="already used for another request"):
                await does(tms, step, call(tms, **changes))


async def test_another_workflow_cannot_take_a_transfer_over_that_is_under_way(tms: Tms):
    await does(tms, "reserve", call(tms))
    await does(tms, "copy", call(tms))

    with pytest.raises(ConflictError, match="'job' is at work under this key"):
        await does(tms, "reserve", call(tms, run_id="run-2"), workflow_id="another")


async def test_a_new_run_of_a_workflow_that_was_terminated_goes_on_and_the_old_one_cannot(tms: Tms):
    await does(tms, "reserve", call(tms))
    await does(tms, "copy", call(tms))
    before = await tms.counts()
    result = await transferred(tms, call(tms, run_id="run-2"))

    after = await tms.counts()
    assert after["shipments"] == before["shipments"]
    assert (await tms.rows("shipments", id=result.shipment_ids[0]))[0].status == "New"
    with pytest.raises(ConflictError, match="another run has taken it over"):
        await does(tms, "copy", call(tms))
    await does(tms, "restore", call(tms))
    assert (await tms.rows("shipments", id=tms.shipment_id))[0].status == "Canceled"


async def test_a_new_run_finishes_the_undoing_that_a_terminated_one_began(tms: Tms):
    result = await transferred(tms, call(tms))
    await does(tms, "verify", call(tms))  # from here on it is being undone
    again = await transferred(tms, call(tms, run_id="run-2"))

    [first] = await tms.rows("shipments", id=result.shipment_ids[0])
    [second] = await tms.rows("shipments", id=again.shipment_ids[0])
    assert (first.status, second.status) == ("Canceled", "New")


async def test_a_step_that_never_began_is_verified_and_can_never_begin(tms: Tms):
    for step in STEPS:
        outcome = await does(tms, "verify", call(tms, step=step))
        assert not outcome.done
    for step in STEPS:
        with pytest.raises(ConflictError, match="given up"):
            await does(tms, step, call(tms))
    assert (await transferred(tms, call(tms, run_id="run-2"))).count == 1


async def test_a_reserved_number_that_was_taken_meanwhile_is_replaced(tms: Tms):
    plain = ProNumberOptions(default=ProNumberFormat(pattern="T{sequence:04}"))
    await does(tms, "reserve", call(tms), pro_numbers=plain)
    table = tms.database.jobs.idempotency_keys
    async with tms.database.write() as connection:
        [number] = (await connection.execute(select(table.c.result))).scalar_one()["numbers"]
        shipments = tms.catalog["shipments"]
        other = select(shipments.c.id).where(tms.tenant.owns(shipments), shipments.c.id != tms.shipment_id).limit(1)
        taken = update(shipments).where(shipments.c.id == (await connection.execute(other)).scalar_one())
        await connection.execute(taken.values(pro_number=number))
    await does(tms, "copy", call(tms), pro_numbers=plain)
    result = await does(tms, "cancel", call(tms), pro_numbers=plain)

    assert result.pro_numbers == [f"T{int(number[1:]) + 1:04}"]


async def test_two_transfers_of_one_shipment_at_once_move_it_once(tms: Tms):
    async def one(key: str) -> str:
        try:
            await transferred(tms, call(tms, idempotency_key=key), workflow_id=key)
        except (ConflictError, InvalidInputError):
            await does(tms, "withdraw", call(tms, idempotency_key=key), workflow_id=key)
            return "refused"
        return "moved"

    outcomes = await asyncio.gather(one("a"), one("b"))

    assert sorted(outcomes) == ["moved", "refused"]
    entries = await tms.rows("audit_entries", operation="transfer")
    copies = [(await tms.rows("shipments", id=entry.resource_id))[0].status for entry in entries]
    assert copies.count("New") == 1


async def test_every_statement_names_both_ids_of_the_tenant(tms: Tms):
    said: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        said.append(statement)

    engine = tms.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", listen)
    try:
        await transferred(tms, call(tms))
        for name in ("verify", "restore", "withdraw", "release"):
            await does(tms, name, call(tms))
    finally:
        event.remove(engine, "before_cursor_execute", listen)

    changed = [one for one in said if any(table in one for table in (*tms.catalog.tables, "idempotency_keys"))]
    assert len(changed) > 40
    for statement in changed:
        assert "organization_id" in statement, statement
        assert "business_unit_id" in statement, statement
