"""Shipments as a person names them, looked up in the TMS's database."""

from pathlib import Path

from sqlalchemy import Row, Table, func, select

from trenova_activities.database import Catalog, Database, DatabaseOptions, Tenant, sample_organizations
from trenova_errors import InvalidInputError, ResourceNotFoundError

EMBEDDED_URL = "sqlite:///{data_dir}/tms.db"
"""Where the embedded TMS is, unless told otherwise."""

FoundShipment = Row[str, str, str, str, str, str]
"""Id, pro number, organization, business unit, who entered it, status."""

_COLUMNS = ("id", "pro_number", "organization_id", "business_unit_id", "entered_by_id", "status")


_ON_THE_WIRE = ("shipmentId", "proNumber", "organizationId", "businessUnitId", "userId", "status")


async def find_shipment(options: DatabaseOptions, name: str) -> FoundShipment:
    """Find one shipment by its id or pro number, over all tenants.

    Raises:
        ResourceNotFoundError: There is none.
        InvalidInputError: Two organizations use that pro number, or nobody is known to have entered it.
    """
    async with Database.open(options) as database:
        table = await _shipments(database)
        query = select(*(table.c[column] for column in _COLUMNS)).where(
            (table.c.id == name) | (table.c.pro_number == name)
        )
        async with database.read() as connection:
            found = (await connection.execute(query.limit(2))).all()
    if not found:
        raise ResourceNotFoundError(f"No shipment has the id or pro number {name!r}; 'db shipments' lists some.")
    if len(found) > 1:
        raise InvalidInputError(f"The pro number {name!r} is used by two organizations; give the shipment's id.")
    return found[0]


async def find_customer(options: DatabaseOptions, organization_id: str, business_unit_id: str, name: str) -> str:
    """Return the id of the tenant's customer that has this id or code.

    Raises:
        ResourceNotFoundError: There is none.
    """
    async with Database.open(options) as database:
        catalog = await Catalog.reflect(database, ["customers"])
        if "customers" not in catalog:
            raise ResourceNotFoundError(f"{database.options.shown_url} has no table customers; mend --url.")
        table = catalog["customers"]
        named = table.c.id == name
        if "code" in table.c:
            named = named | (table.c.code == name)
        query = select(table.c.id).where(Tenant(organization_id, business_unit_id).owns(table), named)
        async with database.read() as connection:
            found = (await connection.execute(query.limit(1))).scalar_one_or_none()
    if found is None:
        raise ResourceNotFoundError(f"No customer of this organization has the id or code {name!r}.")
    return str(found)


async def first_shipments(options: DatabaseOptions, limit: int) -> list[dict[str, str]]:
    """Return the newest shipments with the ids that a request needs, as it names them."""
    async with Database.open(options) as database:
        table = await _shipments(database)
        query = select(*(table.c[column] for column in _COLUMNS)).order_by(table.c.created_at.desc(), table.c.id)
        async with database.read() as connection:
            rows = (await connection.execute(query.limit(limit))).all()
    return [dict(zip(_ON_THE_WIRE, map(str, row), strict=True)) for row in rows]


async def what_is_there(database: Database, seed: int) -> str:
    """Count what the organizations of a sample have now, jobs and people having worked with it."""
    own = await sample_organizations(database, seed=seed)
    catalog = await Catalog.reflect(database, ["shipments", "audit_entries"])
    counts = []
    async with database.read() as connection:
        for name, words in (("shipments", "shipments"), ("audit_entries", "audit entries")):
            table = catalog[name]
            query = select(func.count()).select_from(table).where(table.c.organization_id.in_(own))
            counts.append(f"{(await connection.execute(query)).scalar_one():,} {words}")
    return f"Its organizations ({len(own):,}) have {' and '.join(counts)} now"


def options_of(url: str | None, data_dir: Path) -> DatabaseOptions:
    """Build the options of a command line; without a URL, the embedded TMS in the data folder."""
    options = DatabaseOptions(url=url or EMBEDDED_URL).within(data_dir.resolve())
    if options.is_sqlite and not Path(options.place).exists():
        raise InvalidInputError(
            f"There is no database {options.place} to look the shipment up. Name another with --url or --data-dir, "
            "or give organization, business unit and user."
        )
    return options


async def _shipments(database: Database) -> Table:
    catalog = await Catalog.reflect(database, ["shipments"])
    if "shipments" not in catalog:
        raise ResourceNotFoundError(
            f"{database.options.shown_url} has no table shipments; run 'trenova-activities db migrate' or mend --url."
        )
    return catalog["shipments"]
