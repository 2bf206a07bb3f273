"""Fills the embedded TMS with a believable sample, the same for the same arguments."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import column, insert, select, table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._catalog import Catalog
from trenova_activities.database._engine import Database
from trenova_activities.database._migrate import is_embedded
from trenova_activities.database._seed_carriers import DEFAULT_SEED, SYSTEM_USER, add_carriers, system_user
from trenova_activities.database._seed_rows import TABLES, SampleRows
from trenova_activities.database._seed_shipments import add_shipments
from trenova_errors import ConfigurationError, InvalidInputError

_LOCK = 0x7472_656E_6F76_6102  # "trenova", 2: a PostgreSQL advisory lock beside that of the migrations
_MAX_ORGANIZATIONS = 1_000
_MAX_SHIPMENTS = 100_000
_SEEDS = "trenova_embedded_seeds"


@dataclass(frozen=True)
class Seeded:
    """What ``seed`` found and did.

    Attributes:
        changed: Rows were written; false when the same sample was there already.
        seed: Which sample.
        anchor: The sample's present, unix seconds.
        organizations: How many it has.
        shipments: How many it has.
        rows: Rows written, by table; empty when nothing was.
    """

    changed: bool
    seed: int
    anchor: int
    organizations: int
    shipments: int
    rows: Mapping[str, int]


async def seed(
    database: Database,
    *,
    seed: int = DEFAULT_SEED,
    organizations: int = 5,
    shipments: int = 2_000,
    anchor: int | None = None,
) -> Seeded:
    """Write a sample TMS in one transaction; a second call with the same arguments changes nothing.

    Args:
        database: Must hold the embedded TMS.
        seed: Which sample; others with other numbers may stand beside it.
        organizations: How many, 1 to 1,000.
        shipments: How many over all organizations, 0 to 100,000.
        anchor: The sample's present in unix seconds. By default the database's clock, or what the sample was
            made with if it is there already.

    Raises:
        ConfigurationError: The database is not ours, or has this sample with other arguments.
        InvalidInputError: A count out of range.
    """
    validate(
        ("seed", seed, 0, 2**31),
        ("organizations", organizations, 1, _MAX_ORGANIZATIONS),
        ("shipments", shipments, 0, _MAX_SHIPMENTS),
    )
    async with database.read() as connection:
        if not await is_embedded(database, connection):
            raise ConfigurationError(
                f"{database.options.shown_url} does not hold the embedded TMS, so no sample goes into it. "
                "Run 'trenova-activities db migrate' on an empty database first."
            )
    catalog = await Catalog.reflect(database, TABLES)
    async with database.write() as connection:
        if not database.options.is_sqlite:
            await set_up(database, connection)
        known = await known_sample(connection, seed)
        if known is not None:
            return _unchanged(known, organizations, shipments, anchor)
        at = await database.clock(connection)
        sample = _sample(seed, at if anchor is None else anchor, organizations, shipments)
        await _add_system_user(connection, catalog, sample)
        for name in TABLES:
            if rows := sample.tables[name]:
                await connection.execute(insert(catalog[name]), rows)
        arguments = {"anchor": sample.anchor, "organizations": organizations, "shipments": shipments}
        await connection.execute(insert(_seeds()).values(seed=seed, created_at=at, **arguments))
    written = {name: len(rows) for name, rows in sample.tables.items()}
    return Seeded(changed=True, seed=seed, rows=written, **arguments)


def validate(*limits: tuple[str, int, int, int]) -> None:
    """Refuse an argument (name, value, least, most) out of its range.

    Raises:
        InvalidInputError: The first that is.
    """
    for name, value, least, most in limits:
        if not least <= value <= most:
            raise InvalidInputError(f"{name} is {value}; it must be between {least} and {most}.", field=name)


async def sample_organizations(database: Database, *, seed: int = DEFAULT_SEED) -> dict[str, str]:
    """Return the organizations of a sample, names by ids; none of any other.

    Args:
        database: Must hold the embedded TMS and the sample.
        seed: Which sample.

    Raises:
        ConfigurationError: There is no such sample.
    """
    async with database.read() as connection:
        known = await known_sample(connection, seed) if await is_embedded(database, connection) else None
    if known is None:
        raise ConfigurationError(f"There is no sample {seed} in {database.options.shown_url}.", seed=seed)
    sample = SampleRows(seed, known["anchor"])
    add_carriers(sample, known["organizations"])  # as they are in the database
    return {row["id"]: row["name"] for row in sample.tables["organizations"]}


def _sample(seed: int, anchor: int, organizations: int, shipments: int) -> SampleRows:
    sample = SampleRows(seed, anchor)
    carriers = add_carriers(sample, organizations)
    share, rest = divmod(shipments, organizations)
    for index, carrier in enumerate(carriers):
        add_shipments(sample, carrier, share + (index < rest))
    return sample


async def set_up(database: Database, connection: AsyncConnection) -> None:
    """Let one process at a time write samples to PostgreSQL, into the schema of the TMS."""
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if database.options.schema_name is not None:
        quoted = connection.dialect.identifier_preparer.quote(database.options.schema_name)
        await connection.execute(text(f"SET LOCAL search_path TO {quoted}"))


def _seeds() -> Any:
    return table(_SEEDS, *(column(name) for name in ("seed", "anchor", "organizations", "shipments", "created_at")))


async def known_sample(connection: AsyncConnection, seed: int) -> Mapping[str, int] | None:
    """Return the arguments of a sample that is there."""
    seeds = _seeds()
    row = (await connection.execute(select(seeds).where(seeds.c.seed == seed))).mappings().one_or_none()
    return None if row is None else dict(row)


def _unchanged(known: Mapping[str, int], organizations: int, shipments: int, anchor: int | None) -> Seeded:
    asked = {"organizations": organizations, "shipments": shipments}
    if anchor is not None:
        asked["anchor"] = anchor
    other = [f"{name} {known[name]}, not {value}" for name, value in asked.items() if known[name] != value]
    if other:
        raise ConfigurationError(
            f"Sample {known['seed']} is there already, with {', '.join(other)}. Ask for what is there, or for "
            "another seed number.",
            seed=known["seed"],
        )
    found = {name: known[name] for name in ("seed", "anchor", "organizations", "shipments")}
    return Seeded(changed=False, rows={}, **found)


async def _add_system_user(connection: AsyncConnection, catalog: Catalog, sample: SampleRows) -> None:
    users = catalog["users"]
    query = select(users.c.id).where(users.c.email_address == SYSTEM_USER)
    if (await connection.execute(query)).first() is None:
        sample.tables["users"].append(system_user(sample))
