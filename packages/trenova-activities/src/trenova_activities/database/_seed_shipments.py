"""Shipments of the sample TMS, with everything below them in agreement."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from trenova_activities.database._seed_data import ACCESSORIALS, FREIGHT, ROUTES, STATUSES, Accessorial, Freight
from trenova_activities.database._seed_route import FINISHED, UNDERWAY, Call, Route, plan
from trenova_activities.database._seed_rows import DAY, HOUR, Carrier, Row, SampleRows

_CENT = Decimal("0.01")
_LOCATION_CODE = "12"  # the default of ProNumberFormat, as is the pattern below
_HEAVY = 3000  # pounds per piece from which a commodity travels alone
_MINUTE = 60
_REASONS = ("Customer canceled the order", "Load tendered twice", "Equipment not available", "Rate not accepted")
_ASSIGNED = {"Assigned": "New", "InTransit": "InProgress", "Completed": "Completed", "Canceled": "Canceled"}


def add_shipments(sample: SampleRows, carrier: Carrier, count: int) -> None:
    """Add that many shipments of one organization, and the sequences that numbered them."""
    weights = list(STATUSES.values())
    shipments = [add_shipment(sample, carrier, sample.chance.choices(list(STATUSES), weights)[0]) for _ in range(count)]
    _number(sample, carrier, sorted(shipments, key=lambda row: (row["created_at"], row["id"])))


def add_shipment(sample: SampleRows, carrier: Carrier, status: str) -> Row:
    """Add one shipment with everything below it, but without its pro number, and return it."""
    chance = sample.chance
    shape = _shape(sample, status)
    route = plan(chance, carrier.places, shape, status, sample.anchor)
    first = route.calls[0].arrival
    created = min(first, sample.anchor) - sample.between(2 * HOUR, 6 * DAY)
    goods = _goods(sample)
    freight = Decimal(350 + sum(route.miles) * chance.uniform(1.9, 3.3)).quantize(_CENT)
    charges = _charges(sample, len(route.calls), status)
    other = sum((_worth(charge, unit, freight, route) for charge, unit in charges), Decimal(0))
    cold = next((item.temperature for item, _ in goods if item.temperature), (None, None))
    row: Row = {
        "id": sample.id("shp", created),
        **carrier.tenant,
        "status": status,
        "bol": f"BOL{chance.randrange(10**7):07}" if chance.random() < 4 / 5 else None,
        "customer_id": chance.choice(carrier.customers),
        "service_type_id": chance.choice(carrier.service_types),
        "shipment_type_id": chance.choice(carrier.shipment_types),
        "owner_id": chance.choice(carrier.users) if chance.random() < 3 / 5 else None,
        "entered_by_id": chance.choice(carrier.users),
        "rating_unit": 1,
        "freight_charge_amount": freight,
        "other_charge_amount": other,
        "total_charge_amount": freight + other,
        "pieces": sum(pieces for _, pieces in goods),
        "weight": sum(item.weight * pieces for item, pieces in goods),
        "temperature_min": cold[0],
        "temperature_max": cold[1],
        "version": 0 if status == "New" else chance.randint(1, 9),
        **_ended(sample, carrier, status, created),
    }
    row = sample.add("shipments", row, at=created, updated_at=min(sample.anchor, created + 2 * HOUR))
    _add_moves(sample, carrier, row, route)
    for item, pieces in goods:
        _add_part(sample, "shipment_commodities", "sc", row, _goods_row(carrier, item, pieces))
    for charge, unit in charges:
        values = {"accessorial_charge_id": carrier.accessorials[charge.code], "unit": unit}
        values |= {"method": charge.method, "amount": charge.amount}
        _add_part(sample, "additional_charges", "ac", row, values)
    return row


def _shape(sample: SampleRows, status: str) -> Sequence[int]:
    # A part of a shipment can only be assigned or completed if it has several moves.
    several = status.startswith("Partially")
    shapes = {shape: weight for shape, weight in ROUTES.items() if len(shape) > 1 or not several}
    return sample.chance.choices(list(shapes), list(shapes.values()))[0]


def _ended(sample: SampleRows, carrier: Carrier, status: str, created: int) -> Row:
    """Return the columns of a cancellation; every row has them, so that one statement inserts them all."""
    row: Row = dict.fromkeys(("canceled_at", "canceled_by_id", "cancel_reason"))
    row |= dict.fromkeys(("actual_ship_date", "actual_delivery_date"))
    if status == "Canceled":
        canceled = min(sample.anchor, created + sample.between(HOUR, 2 * DAY))
        by, why = sample.chance.choice(carrier.users), sample.chance.choice(_REASONS)
        row |= {"canceled_at": canceled, "canceled_by_id": by, "cancel_reason": why}
    return row


def _goods(sample: SampleRows) -> list[tuple[Freight, int]]:
    """Return one to three commodities with their pieces, together about a truckload."""
    items = sample.chance.sample(FREIGHT, sample.chance.choices((1, 2, 3), (70, 22, 8))[0])
    heavy = [item for item in items if item.weight >= _HEAVY]
    items = heavy[:1] or items
    load = sample.chance.uniform(9_000, 43_000) / len(items)
    return [(item, max(4, int(load / item.weight))) for item in items]


def _goods_row(carrier: Carrier, item: Freight, pieces: int) -> Row:
    return {"commodity_id": carrier.commodities[item.code], "pieces": pieces, "weight": item.weight * pieces}


def _charges(sample: SampleRows, stops: int, status: str) -> list[tuple[Accessorial, int]]:
    by_code = {charge.code: charge for charge in ACCESSORIALS}
    chosen: list[tuple[Accessorial, int]] = []
    if sample.chance.random() < 4 / 5:
        chosen.append((by_code["FSC"], 1))
    if stops > 2:  # noqa: PLR2004 - one pickup and one delivery are free
        chosen.append((by_code["SOF"], stops - 2))
    if status in FINISHED and sample.chance.random() < 1 / 6:
        chosen.append((by_code["DET"], sample.chance.randint(1, 4)))
    if sample.chance.random() < 1 / 4:
        chosen.append((by_code[sample.chance.choice(("LFT", "LMP", "TRP", "HZM", "INS"))], 1))
    return chosen


def _worth(charge: Accessorial, unit: int, freight: Decimal, route: Route) -> Decimal:
    if charge.method == "Distance":
        worth = charge.amount * Decimal(str(round(sum(route.miles), 1))) * unit
    elif charge.method == "Percentage":
        worth = freight * charge.amount / 100 * unit
    else:
        worth = charge.amount * unit
    return worth.quantize(_CENT)


def _add_moves(sample: SampleRows, carrier: Carrier, shipment: Row, route: Route) -> None:
    for move, miles in enumerate(route.miles):
        calls = route.of(move)
        status = _move_status(shipment["status"], route, calls)
        values = {"status": status, "loaded": True, "sequence": move, "distance": miles}
        row = _add_part(sample, "shipment_moves", "smv", shipment, values)
        if status in _ASSIGNED:
            assignment = {"shipment_move_id": row["id"], "status": _ASSIGNED[status]}
            at = shipment["created_at"]
            sample.add("assignments", {"id": sample.id("asn", at), **carrier.tenant, **assignment}, at=at)
        for call in calls:
            _add_stop(sample, shipment, row["id"], route, call)


def _move_status(shipment: str, route: Route, calls: Sequence[Call]) -> str:
    if shipment in {"Canceled", "New"}:
        return shipment
    if shipment == "PartiallyAssigned":
        return "Assigned" if calls[0].move == 0 else "New"
    done = [call for call in route.calls[: route.done] if call.move == calls[0].move]
    if len(done) == len(calls):
        return "Completed"
    return "InTransit" if done or (shipment in UNDERWAY and route.calls[route.done] is calls[0]) else "Assigned"


def _add_stop(sample: SampleRows, shipment: Row, move: str, route: Route, call: Call) -> None:
    position = route.calls.index(call)
    arrived = departed = None
    status = "Canceled" if shipment["status"] == "Canceled" else "New"
    if position < route.done:
        status = "Completed"
        arrived = min(call.arrival + sample.between(-20 * _MINUTE, 35 * _MINUTE), sample.anchor - 10 * _MINUTE)
        departed = max(arrived, min(call.departure + sample.between(-15, 25 * _MINUTE), sample.anchor - _MINUTE))
        if position == 0:
            shipment["actual_ship_date"] = departed
        if shipment["status"] in FINISHED:
            shipment["actual_delivery_date"] = arrived
    elif position == route.done and shipment["status"] in UNDERWAY:
        status = "InTransit"
    values: Row = {"shipment_move_id": move, "location_id": call.place.id, "status": status, "type": call.type}
    values |= {"sequence": call.sequence, "address_line": call.place.address}
    values |= {"planned_arrival": call.arrival, "planned_departure": call.departure}
    values |= {"actual_arrival": arrived, "actual_departure": departed, **_share(shipment, route, call)}
    at = shipment["created_at"]
    sample.add("stops", {"id": sample.id("stp", at), **_tenant(shipment), **values}, at=at)


def _share(shipment: Row, route: Route, call: Call) -> Row:
    """Return what is loaded or unloaded there; pickups of a move add up to the shipment, and so do deliveries."""
    ends = [other for other in route.of(call.move) if other.type.endswith(call.type[-6:])]
    place = ends.index(call)
    return {name: _part(shipment[name], len(ends), place) for name in ("pieces", "weight")}


def _part(whole: int, parts: int, position: int) -> int:
    return whole * (position + 1) // parts - whole * position // parts


def _add_part(sample: SampleRows, table: str, prefix: str, shipment: Row, values: Row) -> Row:
    at = shipment["created_at"]
    row = {"id": sample.id(prefix, at), **_tenant(shipment), "shipment_id": shipment["id"], **values}
    return sample.add(table, row, at=at)


def _tenant(row: Row) -> Row:
    return {name: row[name] for name in ("organization_id", "business_unit_id")}


def _number(sample: SampleRows, carrier: Carrier, shipments: Sequence[Row]) -> None:
    used: Counter[tuple[int, int]] = Counter()
    for row in shipments:
        moment = datetime.fromtimestamp(row["created_at"], UTC)
        used[moment.year, moment.month] += 1
        sequence, digits = used[moment.year, moment.month], sample.chance.randrange(10**6)
        row["pro_number"] = f"S{moment:%y%m}{_LOCATION_CODE}{sequence:04}{digits:06}"
    for (year, month), sequence in sorted(used.items()):
        at = int(datetime(year, month, 1, tzinfo=UTC).timestamp())
        row = {"id": sample.id("seq", at), **carrier.tenant, "sequence_type": "pro_number"}
        row |= {"year": year, "month": month, "current_sequence": sequence}
        sample.add("sequences", row, at=at)
