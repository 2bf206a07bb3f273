"""The past of a sample TMS: audit entries of more than a year, and New shipments that nobody ever picked up."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from sqlalchemy import column, insert, select, table
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._catalog import Catalog
from trenova_activities.database._engine import Database
from trenova_activities.database._migrate import is_embedded
from trenova_activities.database._rows import insertable
from trenova_activities.database._seed import known_sample, set_up, validate
from trenova_activities.database._seed_carriers import AUTO_CANCEL_DAYS, DEFAULT_SEED, add_carriers
from trenova_activities.database._seed_rows import DAY, HOUR, TABLES, Carrier, Row, SampleRows
from trenova_activities.database._seed_shipments import add_shipment
from trenova_errors import ConfigurationError

_HISTORIES: Final = "trenova_embedded_histories"
_LOG: Final = "audit_entries"
_LONGEST: Final = 500 * DAY
_MOST: Final = 1_000_000
_OPERATIONS: Final = ("create", "update", "update", "update", "view", "export", "delete")
_MOVED: Final = ("created_at", "updated_at", "planned_arrival", "planned_departure")
_CHUNK: Final = 1_000


@dataclass(frozen=True)
class History:
    """What ``seed_history`` found and did.

    Attributes:
        changed: Rows were written; false when the sample had its history already.
        seed: Of which sample.
        entries: Audit entries, over all organizations.
        shipments: New shipments, over all organizations; every other one has passed its organization's threshold
            for automatic cancellation, the rest are about to.
        rows: Rows written, by table; empty when nothing was.
    """

    changed: bool
    seed: int
    entries: int
    shipments: int
    rows: Mapping[str, int]


async def seed_history(
    database: Database, *, seed: int = DEFAULT_SEED, entries: int = 20_000, shipments: int = 50
) -> History:
    """Give a sample a past in one transaction; a second call with the same arguments changes nothing.

    The rows that ``seed`` wrote stay as they are. Ages count from the sample's anchor: audit entries of 0 to 500
    days, so that each organization's own retention period has outlived some and not others.

    Args:
        database: Must hold the embedded TMS and the sample.
        seed: Which sample.
        entries: Audit entries over all organizations, 0 to 1,000,000.
        shipments: New shipments over all organizations, 0 to 1,000,000.

    Raises:
        ConfigurationError: The database is not ours, has no such sample, or has its history with other arguments.
        InvalidInputError: A count out of range.
    """
    validate(("entries", entries, 0, _MOST), ("shipments", shipments, 0, _MOST))
    async with database.read() as connection:
        if not await is_embedded(database, connection):
            raise ConfigurationError(
                f"{database.options.shown_url} does not hold the embedded TMS, so no sample goes into it. "
                "Run 'trenova-activities db migrate' on an empty database first."
            )
    catalog = await Catalog.reflect(database, (*TABLES, _LOG))
    async with database.write() as connection:
        if not database.options.is_sqlite:
            await set_up(database, connection)
        sample = await known_sample(connection, seed)
        if sample is None:
            raise ConfigurationError(
                f"There is no sample {seed} to give a history to. Run 'trenova-activities db seed' first.", seed=seed
            )
        asked = {"entries": entries, "shipments": shipments}
        if await _is_there(connection, seed, asked):
            return History(changed=False, seed=seed, rows={}, **asked)
        rows = _history(seed, sample, entries, shipments)
        for name in (*TABLES, _LOG):
            await _write(connection, catalog, name, rows[name])
        at = await database.clock(connection)
        await connection.execute(insert(_histories()).values(seed=seed, created_at=at, **asked))
    written = {name: len(rows[name]) for name in (*TABLES, _LOG) if rows[name]}
    return History(changed=True, seed=seed, rows=written, **asked)


def _history(seed: int, known: Mapping[str, int], entries: int, shipments: int) -> Mapping[str, list[Row]]:
    sample = SampleRows(seed, known["anchor"])
    carriers = add_carriers(sample, known["organizations"])  # as they are in the database
    sample.tables = {name: [] for name in (*TABLES, _LOG)}
    sample.chance = Random(f"{seed}/{known['anchor']}/history")  # noqa: S311 - has to come out the same again
    for index, carrier in enumerate(carriers):
        share, rest = divmod(shipments, len(carriers))
        for number in range(share + (index < rest)):
            _add_forgotten(sample, carrier, AUTO_CANCEL_DAYS[index % len(AUTO_CANCEL_DAYS)] or 30, index, number)
        share, rest = divmod(entries, len(carriers))
        for _ in range(share + (index < rest)):
            _add_entry(sample, carrier)
    return sample.tables


def _add_forgotten(sample: SampleRows, carrier: Carrier, days: int, index: int, number: int) -> None:
    """Add a New shipment that is older than the threshold, or, every other time, a little younger."""
    before = {name: len(rows) for name, rows in sample.tables.items()}
    shipment = add_shipment(sample, carrier, "New")
    age = sample.between(HOUR, 90 * DAY) if number % 2 == 0 else -sample.between(6 * HOUR, 5 * DAY)
    shift = sample.anchor - days * DAY - age - shipment["created_at"]
    for name, rows in sample.tables.items():
        for row in rows[before[name] :]:
            row.update({column: row[column] + shift for column in _MOVED if column in row})
    shipment["pro_number"] = f"P{index:03}{number:05}{sample.chance.randrange(10**6):06}"  # of an earlier system


def _add_entry(sample: SampleRows, carrier: Carrier) -> None:
    chance = sample.chance
    at = sample.anchor - sample.between(0, _LONGEST)
    resource, ids = chance.choice(
        (
            ("customer", carrier.customers),
            ("user", carrier.users),
            ("commodity", list(carrier.commodities.values())),
            ("location", [place.id for place in carrier.places]),
        )
    )
    row: Row = {"id": sample.id("ae", at), **carrier.tenant, "user_id": chance.choice(carrier.users)}
    row |= {"resource": resource, "resource_id": chance.choice(ids), "operation": chance.choice(_OPERATIONS)}
    row |= {"timestamp": at, "category": resource, "sensitive_data": False, "critical": chance.random() < 1 / 50}
    row |= {"correlation_id": f"req_{chance.randrange(16**12):012x}"}
    sample.add(_LOG, row, at=at)


async def _write(connection: AsyncConnection, catalog: Catalog, name: str, rows: list[Row]) -> None:
    for start in range(0, len(rows), _CHUNK):
        part = [insertable(catalog[name], row) for row in rows[start : start + _CHUNK]]
        await connection.execute(insert(catalog[name]), part)


def _histories() -> Any:
    return table(_HISTORIES, *(column(name) for name in ("seed", "entries", "shipments", "created_at")))


async def _is_there(connection: AsyncConnection, seed: int, asked: Mapping[str, int]) -> bool:
    histories = _histories()
    row = (await connection.execute(select(histories).where(histories.c.seed == seed))).mappings().one_or_none()
    if row is None:
        return False
    if other := [f"{name} {row[name]}, not {value}" for name, value in asked.items() if row[name] != value]:
        raise ConfigurationError(
            f"Sample {seed} has its history already, with {', '.join(other)}. Ask for what is there, or for another "
            "sample.",
            seed=seed,
        )
    return True
