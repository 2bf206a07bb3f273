"""A fleet's shipments: stale ones with their moves, stops and assignments, and one with twenty stops."""

from dataclasses import dataclass
from typing import Final

from bulk.site import connected

THRESHOLD_DAYS: Final = 30
MOVES: Final = 2
STOPS: Final = 3
"""Of each move."""

ROUTE: Final = "shp_route"
"""The shipment with twenty stops; of the tenant ``north`` of the current TMS."""

_TENANTS = f"""
    INSERT INTO business_units (id, name, code) SELECT 'bu_' || n, 'Unit ' || n, 'U' || n FROM generate_series(1, $1) n;
    INSERT INTO organizations (id, business_unit_id, name, scac_code)
        SELECT 'org_' || n, 'bu_' || n, 'Carrier ' || n, 'TEST' FROM generate_series(1, $1) n;
    DELETE FROM shipment_controls;
    INSERT INTO shipment_controls (id, business_unit_id, organization_id, auto_cancel_shipments,
            auto_cancel_shipments_threshold)
        SELECT 'sctl_' || n, 'bu_' || n, 'org_' || n, true, {THRESHOLD_DAYS} FROM generate_series(1, $1) n"""
# Of four shipments one is too young. One move in ten is completed, with its stops; it stays so.
_SHIPMENTS = f"""
    INSERT INTO shipments (id, business_unit_id, organization_id, service_type_id, shipment_type_id, customer_id,
        formula_template_id, status, pro_number, bol, freight_charge_amount, created_at)
    SELECT 'shp_' || n, 'bu_' || 1 + n % $1, 'org_' || 1 + n % $1, 'svt_north', 'sht_north', 'cus_north', 'ft_north',
        'New', 'S2501' || n, 'BOL-' || n, 1850.25,
        unix_now() - CASE WHEN n % 4 = 0 THEN 3600 ELSE {THRESHOLD_DAYS} * 86400 + n END
    FROM generate_series(1, $2) n;
    INSERT INTO shipment_moves (id, business_unit_id, organization_id, shipment_id, sequence, distance, status)
    SELECT 'smv_' || n || '_' || m, 'bu_' || 1 + n % $1, 'org_' || 1 + n % $1, 'shp_' || n, m, 182.4,
        CASE WHEN (n + m) % 10 = 0 THEN 'Completed' ELSE 'New' END::move_status_enum
    FROM generate_series(1, $2) n, generate_series(1, {MOVES}) m;
    INSERT INTO stops (id, business_unit_id, organization_id, shipment_move_id, location_id, sequence,
        scheduled_window_start, status)
    SELECT 'stp_' || n || '_' || m || '_' || s, 'bu_' || 1 + n % $1, 'org_' || 1 + n % $1, 'smv_' || n || '_' || m,
        'loc_north_chi', s, unix_now(), CASE WHEN (n + m) % 10 = 0 THEN 'Completed' ELSE 'New' END::stop_status_enum
    FROM generate_series(1, $2) n, generate_series(1, {MOVES}) m, generate_series(1, {STOPS}) s;
    INSERT INTO assignments (id, business_unit_id, organization_id, shipment_move_id, status)
    SELECT 'asn_' || n || '_' || m, 'bu_' || 1 + n % $1, 'org_' || 1 + n % $1, 'smv_' || n || '_' || m,
        CASE WHEN (n + m) % 10 = 0 THEN 'Completed' ELSE 'New' END::assignment_status_enum
    FROM generate_series(1, $2) n, generate_series(1, {MOVES}) m"""
_ROUTE = f"""
    INSERT INTO shipments (id, business_unit_id, organization_id, service_type_id, shipment_type_id, customer_id,
        formula_template_id, entered_by_id, status, pro_number, bol, freight_charge_amount, other_charge_amount,
        total_charge_amount, pieces, weight)
    VALUES ('{ROUTE}', 'bu_north', 'org_north', 'svt_north', 'sht_north', 'cus_north', 'ft_north', 'usr_north',
        'InTransit', 'S25011200001', 'BOL-ROUTE', 1850.25, 235, 2085.25, 44, 38200);
    INSERT INTO shipment_moves (id, business_unit_id, organization_id, shipment_id, sequence, distance)
    SELECT 'smv_route_' || m, 'bu_north', 'org_north', '{ROUTE}', m, 182.4 FROM generate_series(0, 3) m;
    INSERT INTO stops (id, business_unit_id, organization_id, shipment_move_id, location_id, type, sequence,
        scheduled_window_start, scheduled_window_end, pieces, weight, address_line)
    SELECT 'stp_route_' || m || s, 'bu_north', 'org_north', 'smv_route_' || m, 'loc_north_chi',
        CASE s WHEN 0 THEN 'Pickup' ELSE 'SplitDelivery' END::stop_type_enum, s, 1735689600 + 3600 * s,
        1735693200 + 3600 * s, 12, 10600, '400 W Lake St' FROM generate_series(0, 3) m, generate_series(0, 4) s;
    INSERT INTO shipment_commodities (id, business_unit_id, organization_id, shipment_id, commodity_id, weight, pieces)
    SELECT 'sc_route_' || c, 'bu_north', 'org_north', '{ROUTE}', 'com_north_' || c, 18000, 22
    FROM unnest(ARRAY['oats', 'milk']) c;
    INSERT INTO additional_charges (id, business_unit_id, organization_id, shipment_id, accessorial_charge_id, unit,
        method, amount)
    SELECT 'ac_route_' || c, 'bu_north', 'org_north', '{ROUTE}', 'acc_north_' || c, 1, 'Flat', 85
    FROM unnest(ARRAY['liftgate', 'fuel']) c"""


@dataclass(frozen=True)
class FleetSize:
    """How many shipments there are, and of how many organizations."""

    shipments: int
    tenants: int

    @property
    def stale(self) -> int:
        """Those that are old enough to be canceled."""
        return self.shipments - self.shipments // 4

    def describe(self) -> str:
        """Say it in words."""
        return (
            f"{self.stale:,} stale shipments of {self.tenants} organizations, each with {MOVES} moves of {STOPS} stops "
            f"and an assignment, and {self.shipments - self.stale:,} that are too young"
        )


async def fill(url: str, size: FleetSize) -> None:
    """Write the shipments into a current TMS."""
    async with connected(url) as connection:
        await connection.execute("SET session_replication_role = replica")  # the rows are known to fit
        for statement in f"{_TENANTS};{_SHIPMENTS}".split(";"):
            await connection.execute(statement.replace("$1", str(size.tenants)).replace("$2", str(size.shipments)))
        await connection.execute("VACUUM (ANALYZE)")


async def lay_route(url: str) -> None:
    """Write the shipment with twenty stops."""
    async with connected(url) as connection, connection.transaction():
        await connection.execute(_ROUTE)
