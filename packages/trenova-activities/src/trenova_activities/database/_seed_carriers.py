"""Organizations of the sample TMS with their people, customers, places and settings."""

from itertools import product

from trenova_activities.database._seed_data import (
    ACCESSORIALS,
    CARRIERS,
    CITIES,
    CUSTOMERS,
    FACILITIES,
    FIRST_NAMES,
    FREIGHT,
    LAST_NAMES,
    SERVICE_TYPES,
    SHIPMENT_TYPES,
)
from trenova_activities.database._seed_rows import DAY, Carrier, Place, Row, SampleRows

SYSTEM_USER = "system@trenova.app"
DEFAULT_SEED = 1
DEMO_SEED = 1_000
"""The sample of demonstrations: its organizations are not those of ``db seed``, which somebody may work with."""
_PER_BUSINESS_UNIT = 2
_FOUNDED = 400 * DAY  # before the anchor
AUTO_CANCEL_DAYS = (30, 14, None, 45, 7)
"""Thresholds in the order of organizations; None: the organization does not want it."""
_AUDIT_DAYS = (120, 30, 365, 90, 180)


def add_carriers(sample: SampleRows, count: int) -> list[Carrier]:
    """Add that many organizations and return them."""
    founded = sample.anchor - _FOUNDED
    names = sample.chance.sample(CARRIERS, len(CARRIERS))
    carriers: list[Carrier] = []
    business_unit = ""
    for index in range(count):
        if index % _PER_BUSINESS_UNIT == 0:
            number = index // _PER_BUSINESS_UNIT + 1
            business_unit = sample.id("bu", founded)
            row: Row = {"id": business_unit, "name": f"Division {number}", "code": f"DIV{number:03}"}
            sample.add("business_units", row, at=founded)
        round_, position = divmod(index, len(names))
        name = f"{names[position]} {round_ + 1}" if round_ else names[position]
        carriers.append(_carrier(sample, business_unit, name, index))
    return carriers


def system_user(sample: SampleRows) -> Row:
    """Return the row of the user in whose name the system itself acts; it belongs to the first organization."""
    at = sample.anchor - _FOUNDED
    home = sample.tables["organizations"][0]
    row: Row = {"id": sample.id("usr", at), "organization_id": home["id"], "business_unit_id": home["business_unit_id"]}
    row |= {"name": "System", "username": "system"}
    row |= {"email_address": SYSTEM_USER, "timezone": "UTC", "status": "Active", "version": 0}
    return row | {"created_at": at, "updated_at": at}


def _carrier(sample: SampleRows, business_unit: str, name: str, index: int) -> Carrier:
    chance, at = sample.chance, sample.anchor - _FOUNDED
    home = chance.choice(CITIES)
    organization = sample.id("org", at)
    letters = "".join(letter for letter in name.upper() if letter.isalpha())
    row: Row = {"id": organization, "business_unit_id": business_unit, "name": name, "scac_code": letters[:4]}
    row |= {"dot_number": str(chance.randrange(1_000_000, 4_000_000)), "city": home.name, "state": home.state}
    sample.add("organizations", row | {"postal_code": home.postal_code, "timezone": home.timezone}, at=at)
    slug = "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())
    other = "" if sample.seed == DEFAULT_SEED else f".s{sample.seed}"
    tenant = {"organization_id": organization, "business_unit_id": business_unit}
    carrier = Carrier(tenant, f"{slug}{other}")
    _add_people(sample, carrier, home.timezone, at)
    _add_customers(sample, carrier, at)
    _add_catalogs(sample, carrier, at)
    _add_places(sample, carrier, at)
    _add_settings(sample, carrier, index, at)
    return carrier


def _add_people(sample: SampleRows, carrier: Carrier, timezone: str, at: int) -> None:
    names = sample.chance.sample(list(product(FIRST_NAMES, LAST_NAMES)), sample.chance.randint(6, 9))
    for position, (first, last) in enumerate(names):
        row: Row = {"id": sample.id("usr", at), **carrier.tenant, "name": f"{first} {last}"}
        row |= {"username": f"{first}.{last}".lower(), "timezone": timezone}
        row["email_address"] = f"{row['username']}@{carrier.slug}.example"
        active = position < len(names) - 1  # somebody has always left
        sample.add("users", row | {"status": "Active" if active else "Inactive"}, at=at)
        if active:
            carrier.users.append(row["id"])


def _add_customers(sample: SampleRows, carrier: Carrier, at: int) -> None:
    for number, name in enumerate(sample.chance.sample(CUSTOMERS, 12), start=1001):
        row: Row = {"id": sample.id("cus", at), **carrier.tenant, "code": f"C{number}", "name": name}
        sample.add("customers", row, at=at)
        carrier.customers.append(row["id"])


def _add_catalogs(sample: SampleRows, carrier: Carrier, at: int) -> None:
    kinds = (("service_types", "svt", SERVICE_TYPES), ("shipment_types", "sht", SHIPMENT_TYPES))
    for (table, prefix, entries), ids in zip(kinds, (carrier.service_types, carrier.shipment_types), strict=True):
        for code, description in entries:
            row: Row = {"id": sample.id(prefix, at), **carrier.tenant, "code": code, "description": description}
            ids.append(sample.add(table, row, at=at)["id"])
    for freight in FREIGHT:
        low, high = freight.temperature or (None, None)
        row = {"id": sample.id("com", at), **carrier.tenant, "code": freight.code, "name": freight.name}
        row |= {"description": freight.name, "weight_per_piece": freight.weight}
        row |= {"min_temperature": low, "max_temperature": high}
        carrier.commodities[freight.code] = sample.add("commodities", row, at=at)["id"]
    for charge in ACCESSORIALS:
        row = {"id": sample.id("acc", at), **carrier.tenant, "code": charge.code, "method": charge.method}
        row |= {"description": charge.description, "amount": charge.amount}
        carrier.accessorials[charge.code] = sample.add("accessorial_charges", row, at=at)["id"]


def _add_places(sample: SampleRows, carrier: Carrier, at: int) -> None:
    for city in sample.chance.sample(CITIES, 24):
        address = f"{sample.chance.randrange(100, 9900, 10)} {city.street}"
        facility = sample.chance.choice(FACILITIES)
        row: Row = {"id": sample.id("loc", at), **carrier.tenant, "code": city.code, "name": f"{city.name} {facility}"}
        row |= {"address_line_1": address, "city": city.name, "state": city.state, "postal_code": city.postal_code}
        sample.add("locations", row | {"latitude": city.latitude, "longitude": city.longitude}, at=at)
        carrier.places.append(Place(row["id"], city, f"{address}, {city.name}, {city.state} {city.postal_code}"))


def _add_settings(sample: SampleRows, carrier: Carrier, index: int, at: int) -> None:
    days = AUTO_CANCEL_DAYS[index % len(AUTO_CANCEL_DAYS)]
    row: Row = {"id": sample.id("sctl", at), **carrier.tenant, "auto_cancel_shipments": days is not None}
    sample.add("shipment_controls", row | {"auto_cancel_shipments_threshold": days or 30}, at=at)
    row = {"id": sample.id("dr", at), **carrier.tenant}
    row["audit_retention_period"] = _AUDIT_DAYS[index % len(_AUDIT_DAYS)]
    sample.add("data_retention", row, at=at)
