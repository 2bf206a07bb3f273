import asyncio
import dataclasses
import traceback
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, insert, select, update
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter
from temporalio.testing import ActivityEnvironment
from tms import Tms

from trenova_activities import DuplicateShipmentPayload, DuplicateShipmentResult
from trenova_activities.database import Database, DatabaseOptions, ProNumberFormat, ProNumberOptions, ShipmentActivities
from trenova_activities.database._rows import insertable
from trenova_errors import ApplicationError, ConflictError, ResourceNotFoundError

COUNTED = ("shipments", "shipment_moves", "stops", "shipment_commodities", "additional_charges", "audit_entries")


async def duplicate(
    tms: Tms,
    payload: DuplicateShipmentPayload,
    *,
    workflow_id: str = "job",
    pro_numbers: ProNumberOptions | None = None,
) -> DuplicateShipmentResult:
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(
        ActivityEnvironment.default_info(), workflow_id=workflow_id, heartbeat_timeout=timedelta(seconds=10)
    )
    activities = ShipmentActivities(tms.database, tms.catalog, pro_numbers)
    return await environment.run(activities.duplicate, payload)


async def test_copies_are_complete_new_and_the_requesters(tms: Tms):
    before = await tms.counts()

    result = await duplicate(tms, tms.request())

    source = await tms.children(tms.shipment_id)
    after = await tms.counts()
    added = {name: after[name] - before[name] for name in COUNTED}
    assert added == {"shipments": 3, "audit_entries": 3} | {name: 3 * len(rows) for name, rows in source.items()}
    for shipment_id, pro_number in zip(result.shipment_ids, result.pro_numbers, strict=True):
        [copy] = await tms.rows("shipments", id=shipment_id)
        assert (copy.status, copy.pro_number, copy.entered_by_id) == ("New", pro_number, tms.user_id)
        for table, rows in (await tms.children(shipment_id)).items():
            assert len(rows) == len(source[table])
            assert {getattr(row, "status", "New") for row in rows} == {"New"}


async def test_what_belongs_to_the_sources_own_life_is_not_copied(tms: Tms):
    result = await duplicate(tms, tms.request(count=1))

    [copy] = await tms.rows("shipments", id=result.shipment_ids[0])
    for column in (
        "owner_id",
        "canceled_by_id",
        "cancel_reason",
        "canceled_at",
        "actual_ship_date",
        "actual_delivery_date",
    ):
        assert getattr(copy, column, None) is None, column
    for column in ("tender_status", "order_id", "rate_quote_id", "rate_override_amount", "billing_transfer_status"):
        assert getattr(copy, column, None) is None, column
    assert getattr(copy, "rate_locked", False) is False
    stops = (await tms.children(copy.id))["stops"]
    assert {(stop.actual_arrival, stop.actual_departure) for stop in stops} == {(None, None)}


async def test_what_a_route_is_made_of_stays(tms: Tms):
    result = await duplicate(tms, tms.request(count=1))

    source, copy = await tms.children(tms.shipment_id), await tms.children(result.shipment_ids[0])
    kept = {
        "shipment_moves": ("loaded", "sequence", "distance"),
        "stops": ("location_id", "type", "sequence", "pieces", "weight", "address_line"),
        "shipment_commodities": ("commodity_id", "weight", "pieces"),
        "additional_charges": ("accessorial_charge_id", "unit", "method", "amount"),
    }
    for table, columns in kept.items():
        was = sorted(str([getattr(row, column) for column in columns]) for row in source[table])
        now = sorted(str([getattr(row, column) for column in columns]) for row in copy[table])
        assert now == was, table


async def test_columns_that_nobody_here_knows_are_copied_and_generated_ones_are_not_written(current_tms: Tms):
    result = await duplicate(current_tms, current_tms.request(count=2))

    [source] = await current_tms.rows("shipments", id=current_tms.shipment_id)
    for copy_id in result.shipment_ids:
        [copy] = await current_tms.rows("shipments", id=copy_id)
        assert (copy.formula_template_id, copy.base_rate) == (source.formula_template_id, source.base_rate)
        assert copy.envelope_length_feet == source.envelope_length_feet
        assert copy.search_vector
        assert copy.search_vector != source.search_vector
        was, now = await current_tms.children(source.id), await current_tms.children(copy_id)
        assert [move.coverage_type for move in now["shipment_moves"]] == [
            m.coverage_type for m in was["shipment_moves"]
        ]
        assert sorted(str(m.distance_metadata) for m in now["shipment_moves"]) == sorted(
            str(m.distance_metadata) for m in was["shipment_moves"]
        )
        assert {charge.detention_occurrence_id for charge in now["additional_charges"]} == {None}


async def test_commodities_and_charges_come_only_when_asked_for_and_totals_follow(tms: Tms):
    bare = await duplicate(
        tms, tms.request(count=1, include_commodities=False, include_additional_charges=False, idempotency_key="bare")
    )
    full = await duplicate(tms, tms.request(count=1, idempotency_key="full"))

    [source] = await tms.rows("shipments", id=tms.shipment_id)
    [copy] = await tms.rows("shipments", id=bare.shipment_ids[0])
    children = await tms.children(copy.id)
    assert (children["shipment_commodities"], children["additional_charges"]) == ([], [])
    assert Decimal(copy.other_charge_amount) == 0
    assert Decimal(copy.total_charge_amount) == Decimal(source.freight_charge_amount or 0)
    [copy] = await tms.rows("shipments", id=full.shipment_ids[0])
    assert copy.other_charge_amount == source.other_charge_amount
    assert copy.total_charge_amount == source.total_charge_amount


async def test_override_dates_moves_the_plan_to_now_and_keeps_its_spacing(tms: Tms):
    start = tms.catalog.first("stops", "planned_arrival", "scheduled_window_start")
    end = tms.catalog.first("stops", "planned_departure", "scheduled_window_end")
    async with tms.database.read() as connection:
        now = await tms.database.clock(connection)

    result = await duplicate(tms, tms.request(count=2, override_dates=True))

    def plan(stops):
        first = min(getattr(stop, start) for stop in stops)
        return first, sorted(
            (getattr(stop, start) - first, getattr(stop, end) and getattr(stop, end) - first) for stop in stops
        )

    _, spacing = plan((await tms.children(tms.shipment_id))["stops"])
    for copy in result.shipment_ids:
        begins, copied = plan((await tms.children(copy))["stops"])
        assert now <= begins <= now + 5
        assert copied == spacing


async def test_dates_stay_when_they_are_not_overridden(tms: Tms):
    start = tms.catalog.first("stops", "planned_arrival", "scheduled_window_start")
    result = await duplicate(tms, tms.request(count=1))

    source, copy = await tms.children(tms.shipment_id), await tms.children(result.shipment_ids[0])
    assert sorted(getattr(s, start) for s in copy["stops"]) == sorted(getattr(s, start) for s in source["stops"])


async def test_the_bill_of_lading_is_numbered_and_cut_by_character(tms: Tms):
    shipments = tms.catalog["shipments"]
    async with tms.database.write() as connection:
        await connection.execute(update(shipments).where(shipments.c.id == tms.shipment_id).values(bol="Ü" * 99))

    result = await duplicate(tms, tms.request(count=100))

    bols = [(await tms.rows("shipments", id=copy))[0].bol for copy in (result.shipment_ids[0], result.shipment_ids[99])]
    assert bols == ["Ü" * 92 + "-COPY-01", "Ü" * 91 + "-COPY-100"]


async def test_each_copy_has_an_audit_entry_of_its_own_that_names_the_source(tms: Tms):
    result = await duplicate(tms, tms.request(), workflow_id="duplicate-shipment/org/key")

    [source] = await tms.rows("shipments", id=tms.shipment_id)
    for copy, number in zip(result.shipment_ids, result.pro_numbers, strict=True):
        [entry] = await tms.rows("audit_entries", resource_id=copy)
        assert (entry.resource, entry.operation, entry.user_id) == ("shipment", "duplicate", tms.user_id)
        assert entry.correlation_id == "duplicate-shipment/org/key"
        assert entry.metadata == {
            "sourceShipmentId": tms.shipment_id,
            "sourceProNumber": source.pro_number,
            "proNumber": number,
        }


async def test_a_canceled_shipment_may_be_duplicated(tms: Tms):
    shipments = tms.catalog["shipments"]
    async with tms.database.write() as connection:
        await connection.execute(update(shipments).where(shipments.c.id == tms.shipment_id).values(status="Canceled"))

    result = await duplicate(tms, tms.request(count=1))

    assert (await tms.rows("shipments", id=result.shipment_ids[0]))[0].status == "New"


async def test_the_same_key_gives_the_same_copies_for_ever(tms: Tms):
    first = await duplicate(tms, tms.request(), workflow_id="one")
    counted = await tms.counts()

    again = await duplicate(tms, tms.request(timestamp=1, metadata={"try": 2}), workflow_id="two")

    assert again == first
    assert await tms.counts() == counted


async def test_without_a_key_the_workflow_id_is_the_key(tms: Tms):
    first = await duplicate(tms, tms.request(idempotency_key=None), workflow_id="wf")
    again = await duplicate(tms, tms.request(idempotency_key=None), workflow_id="wf")
    other = await duplicate(tms, tms.request(idempotency_key=None), workflow_id="wf-2")

    assert again == first
    assert set(other.shipment_ids).isdisjoint(first.shipment_ids)


async def test_the_same_key_with_other_options_is_a_conflict(tms: Tms):
    await duplicate(tms, tms.request(), workflow_id="one")
    counted = await tms.counts()

    with pytest.raises(ConflictError, match="'key-1' was already used for another request \\(workflow 'one'\\)"):
        await duplicate(tms, tms.request(count=4))
    assert await tms.counts() == counted


async def test_two_requests_at_once_with_one_key_make_one_set_of_copies(tms: Tms):
    before = await tms.counts()
    first, second = await asyncio.gather(duplicate(tms, tms.request()), duplicate(tms, tms.request()))

    assert first == second
    assert (await tms.counts())["shipments"] - before["shipments"] == 3


async def test_concurrent_requests_never_share_a_pro_number(tms: Tms):
    results = await asyncio.gather(*(duplicate(tms, tms.request(idempotency_key=f"k{n}")) for n in range(8)))

    numbers = [number for result in results for number in result.pro_numbers]
    assert len(set(numbers)) == 24


async def test_an_unknown_shipment_and_another_tenants_are_not_found_and_nothing_changes(tms: Tms):
    before = await tms.counts()

    with pytest.raises(ResourceNotFoundError, match="shp_nowhere"):
        await duplicate(tms, tms.request(shipment_id="shp_nowhere"))
    with pytest.raises(ResourceNotFoundError):
        await duplicate(tms, tms.request(**tms.other.values))
    assert await tms.counts() == before


async def test_a_requester_that_does_not_exist_or_is_another_tenants_is_refused_and_nothing_changes(tms: Tms):
    before = await tms.counts()
    [stranger, *_] = await tms.rows("users", **tms.other.values)

    for user_id in ("usr_nobody", stranger.id):
        with pytest.raises(ResourceNotFoundError, match=user_id):
            await duplicate(tms, tms.request(user_id=user_id))
    assert await tms.counts() == before


async def test_a_taken_number_makes_the_whole_batch_numbered_again(tms: Tms):
    plain = ProNumberOptions(default=ProNumberFormat(pattern="T{sequence:04}"))
    first = await duplicate(tms, tms.request(idempotency_key="a"), pro_numbers=plain)
    last = int(first.pro_numbers[-1][1:])
    shipments = tms.catalog["shipments"]
    async with tms.database.write() as connection:
        taken = update(shipments).where(shipments.c.id == tms.shipment_id).values(pro_number=f"T{last + 2:04}")
        await connection.execute(taken)

    again = await duplicate(tms, tms.request(idempotency_key="b"), pro_numbers=plain)

    assert again.pro_numbers == [f"T{last + position:04}" for position in (4, 5, 6)]
    assert len(await tms.rows("audit_entries", operation="duplicate")) == 6


async def test_a_lost_connection_during_the_commit_is_settled_on_a_fresh_one(filled_url: str, tms: Tms):
    lossy = LosesTheCommit(DatabaseOptions(url=filled_url))
    try:
        broken = dataclasses.replace(tms, database=lossy)
        result = await duplicate(broken, tms.request())
        assert result == await duplicate(tms, tms.request())
    finally:
        await lossy.close()


@pytest.mark.parametrize("moment", ["before", "during"])
async def test_a_cancellation_during_the_commit_does_not_hide_what_was_done(tms: Tms, moment: str):
    before = (await tms.counts())["shipments"]
    doing = asyncio.create_task(duplicate(tms, tms.request()))

    def cancel(*_: object) -> None:
        doing.cancel()

    listened = "commit" if moment == "during" else "before_cursor_execute"
    event.listen(tms.database.engine.sync_engine, listened, cancel)
    try:
        if moment == "during":
            result = await doing
        else:
            with pytest.raises(asyncio.CancelledError):
                await doing
    finally:
        event.remove(tms.database.engine.sync_engine, listened, cancel)

    added = (await tms.counts())["shipments"] - before
    assert added == (3 if moment == "during" else 0)
    if moment == "during":
        assert result == await duplicate(tms, tms.request())


async def test_rows_and_parameters_stay_out_of_what_temporal_keeps(tms: Tms):
    shipments = tms.catalog["shipments"]
    failure = Failure()

    with pytest.raises(ApplicationError) as caught:
        async with tms.database.write() as connection:
            query = select(shipments).where(shipments.c.id == tms.shipment_id)
            row = dict((await connection.execute(query)).one()._mapping)
            await connection.execute(insert(shipments).values(insertable(shipments, {**row, "bol": "hunter2"})))
    await DataConverter.default.encode_failure(caught.value, failure)

    assert "hunter2" not in failure.SerializeToString().decode(errors="replace")
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


class LosesTheCommit(Database):
    """Commits, and then cannot say so."""

    def write(self):
        from contextlib import asynccontextmanager

        from trenova_errors import AmbiguousOutcomeError

        @asynccontextmanager
        async def lossy():
            async with super(LosesTheCommit, self).write() as connection:
                yield connection
            raise AmbiguousOutcomeError("lost")

        return lossy()
