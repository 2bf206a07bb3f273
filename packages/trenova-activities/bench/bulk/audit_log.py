"""An audit log as a fleet leaves it: entries in the order of their age, those of all tenants on the same pages."""

from dataclasses import dataclass

import asyncpg

from bulk.site import connected

PERIOD_DAYS = 90
STAYING = 4
"""For so many outlived entries one stays."""

SHIPMENTS = 20_000
"""What entries are about, and what the traffic reads."""

_DAY = 86_400
_TENANTS = f"""
    INSERT INTO business_units (id, name, code) SELECT 'bu_' || n, 'Unit ' || n, 'U' || n FROM generate_series(1, $1) n;
    INSERT INTO organizations (id, business_unit_id, name, scac_code)
        SELECT 'org_' || n, 'bu_' || n, 'Carrier ' || n, 'TEST' FROM generate_series(1, $1) n;
    DELETE FROM audit_entries;
    DELETE FROM data_retention;
    INSERT INTO data_retention (id, business_unit_id, organization_id, audit_retention_period)
        SELECT 'dr_' || lpad(n::text, 5, '0'), 'bu_' || n, 'org_' || n, {PERIOD_DAYS} FROM generate_series(1, $1) n"""
_SHIPMENTS = """
    INSERT INTO shipments (id, business_unit_id, organization_id, service_type_id, shipment_type_id, customer_id,
        formula_template_id, status, pro_number, bol, freight_charge_amount, created_at)
    SELECT 'shp_' || n, 'bu_' || 1 + n % $1, 'org_' || 1 + n % $1, 'svt_north', 'sht_north', 'cus_north', 'ft_north',
        'InTransit', 'S2501' || n, 'BOL-' || n, 1850.25, unix_now() - n FROM generate_series(1, $2) n"""
# About 250 bytes of JSON each. Ids grow with time, as those of the TMS do. $3: seconds of age of the youngest of them,
# $4: seconds over which they are spread.
_ENTRIES = """
    INSERT INTO audit_entries (id, business_unit_id, organization_id, principal_type, principal_id, resource,
        resource_id, operation, timestamp, current_state, category)
    SELECT 'ae_' || upper(lpad(to_hex($5::bigint + n), 26, '0')), 'bu_' || 1 + n % $1, 'org_' || 1 + n % $1, 'system',
        'system', 'shipment', 'shp_' || 1 + n % $6, 'update',
        unix_now() - $3::bigint - (($2::bigint - n) * $4::bigint / $2::bigint),
        jsonb_build_object('id', 'shp_' || 1 + n % $6, 'status', 'InTransit', 'version', n % 50, 'proNumber', 'S' || n,
            'note', md5(n::text) || md5((n + 1)::text) || md5((n + 2)::text) || md5((n + 3)::text)),
        'shipment'
    FROM generate_series(1, $2) n"""


@dataclass(frozen=True)
class LogSize:
    """How much there is.

    Attributes:
        outlived: Entries that retention deletes.
        tenants: Organizations; each has the same share.
    """

    outlived: int
    tenants: int

    def describe(self) -> str:
        """Say it in words."""
        return (
            f"{self.outlived:,} outlived entries of {self.tenants} organizations and {self.outlived // STAYING:,} "
            "that stay, about 250 bytes of JSON each"
        )


async def fill(url: str, size: LogSize) -> None:
    """Write the log into a current TMS that has none yet."""
    async with connected(url) as connection:
        await connection.execute("SET session_replication_role = replica")  # the rows are known to fit
        for statement in _TENANTS.split(";"):
            await connection.execute(statement.replace("$1", str(size.tenants)))
        await connection.execute(_SHIPMENTS.replace("$1", str(size.tenants)).replace("$2", str(SHIPMENTS)))
        indexes = await _drop_indexes(connection)
        await _entries(
            connection, size.outlived, size.tenants, age=PERIOD_DAYS * _DAY + 7200, spread=365 * _DAY, first=0
        )
        staying = size.outlived // STAYING
        await _entries(connection, staying, size.tenants, age=0, spread=80 * _DAY, first=size.outlived)
        for index in indexes:
            await connection.execute(index)
        await connection.execute("VACUUM (ANALYZE) audit_entries")
        await connection.execute("VACUUM (ANALYZE) shipments")


async def outlived(url: str) -> int:
    """Count what retention still has to delete."""
    query = f"SELECT count(*) FROM audit_entries WHERE timestamp < unix_now() - {PERIOD_DAYS} * 86400"
    async with connected(url) as connection:
        return int(await connection.fetchval(query))


async def _drop_indexes(connection: asyncpg.Connection) -> list[str]:
    """Drop what is faster to build afterwards, and return how to."""
    found = await connection.fetch(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'audit_entries' AND indexname !~ '_pkey$'"
    )
    for row in found:
        await connection.execute(f"DROP INDEX {row['indexname']}")
    return [str(row["indexdef"]) for row in found]


async def _entries(
    connection: asyncpg.Connection, rows: int, tenants: int, *, age: int, spread: int, first: int
) -> None:
    statement = _ENTRIES
    for position, value in enumerate((tenants, rows, age, spread, first, SHIPMENTS), start=1):
        statement = statement.replace(f"${position}", str(value))
    await connection.execute(statement)
