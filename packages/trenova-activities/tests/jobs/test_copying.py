"""What copying rows costs the database, whatever it knows of its tables."""

from sqlalchemy import text
from tms import Tms

from trenova_activities.database._copying import RowCopy, copy_rows
from trenova_activities.database._shipment_rules import stop_rules

OTHERS = 5_000
_MORE = text(
    "INSERT INTO stops (id, business_unit_id, organization_id, shipment_move_id, location_id, scheduled_window_start) "
    f"SELECT 'stp_more_' || n, business_unit_id, organization_id, shipment_move_id, location_id, 1735689600 "
    f"FROM stops, generate_series(1, {OTHERS}) n WHERE id = :id"
)
_READ = text(
    "SELECT pg_stat_get_xact_tuples_returned('stops'::regclass) + pg_stat_get_xact_tuples_fetched('stops'::regclass)"
)


async def test_the_stops_of_other_shipments_are_not_read(current_tms: Tms):
    stops = [
        stop
        for move in await current_tms.rows("shipment_moves", shipment_id=current_tms.shipment_id)
        for stop in await current_tms.rows("stops", shipment_move_id=move.id)
    ]
    copies = [
        RowCopy(stop.id, {"id": f"{stop.id}_{number}", "shipment_move_id": stop.shipment_move_id})
        for stop in stops
        for number in range(100)
    ]
    statement = copy_rows(
        "postgresql", current_tms.catalog["stops"], current_tms.tenant, stop_rules(1, shift=0), copies
    )
    async with current_tms.database.write() as connection:
        await connection.execute(_MORE, {"id": stops[0].id})
        before = (await connection.execute(_READ)).scalar_one()
        made = (await connection.execute(statement)).rowcount
        read = (await connection.execute(_READ)).scalar_one() - before
    assert made == len(copies)
    assert read < OTHERS
