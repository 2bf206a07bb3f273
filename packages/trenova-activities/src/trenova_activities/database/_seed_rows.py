"""Collects the rows of a sample TMS; equal seeds make equal rows, identifiers included."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from ulid import ULID

from trenova_activities.database._seed_data import City

Row = dict[str, Any]

HOUR = 3600
DAY = 24 * HOUR

TABLES = (
    *("business_units", "organizations", "users", "service_types", "shipment_types", "customers"),
    *("commodities", "accessorial_charges", "locations", "shipments", "shipment_moves", "stops", "assignments"),
    *("shipment_commodities", "additional_charges", "shipment_controls", "data_retention", "sequences"),
)
"""Every table that is seeded, those that others refer to first."""


@dataclass(frozen=True)
class Place:
    """One of an organization's locations."""

    id: str
    city: City
    address: str


@dataclass(frozen=True)
class Carrier:
    """One organization with the master data that its shipments refer to.

    Attributes:
        tenant: Its ids, as columns.
        slug: Its name as part of an email address.
        users, customers, service_types, shipment_types: Ids.
        commodities: Ids by code.
        accessorials: Ids by code.
        places: Where it loads and unloads.
    """

    tenant: Mapping[str, str]
    slug: str
    users: list[str] = field(default_factory=list)
    customers: list[str] = field(default_factory=list)
    service_types: list[str] = field(default_factory=list)
    shipment_types: list[str] = field(default_factory=list)
    commodities: dict[str, str] = field(default_factory=dict)
    accessorials: dict[str, str] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)


class SampleRows:
    """Rows by table, with the chance and the clock that they are made with.

    Args:
        seed: Which sample.
        anchor: The sample's present, unix seconds.
    """

    def __init__(self, seed: int, anchor: int) -> None:
        self.seed = seed
        self.anchor = anchor
        self.chance = Random(f"{seed}/{anchor}")  # noqa: S311 - sample data has to come out the same again
        self.tables: dict[str, list[Row]] = {name: [] for name in TABLES}

    def id(self, prefix: str, at: int) -> str:
        """Return an identifier of the TMS, made at a time in unix seconds."""
        return f"{prefix}_{ULID.from_bytes((at * 1000).to_bytes(6, 'big') + self.chance.randbytes(10))}"

    def add(self, table: str, row: Row, *, at: int, updated_at: int | None = None) -> Row:
        """Add a row and return it; times are unix seconds."""
        row = {"version": 0, **row, "created_at": at, "updated_at": at if updated_at is None else updated_at}
        self.tables[table].append(row)
        return row

    def between(self, least: float, most: float) -> int:
        """Return a random whole number of seconds between two spans in seconds."""
        return round(self.chance.uniform(least, most))
