"""Payloads of a given size: shipments as JSON, and bytes that do not compress."""

import json
import os
import random

from temporalio.api.common.v1 import Payload

CITIES = ("Reno", "Tulsa", "Laredo", "Joliet", "Memphis", "Ontario", "Savannah", "El Paso", "Toledo", "Fontana")
STATES = ("New", "InTransit", "Delayed", "Completed", "Billed")
GOODS = ("paper", "steel coils", "produce", "auto parts", "beverages", "lumber", "electronics")


def make(size: int, kind: str) -> Payload:
    """Return a payload whose data has about ``size`` bytes; the same one every time for JSON."""
    if kind == "random":
        return Payload(metadata={"encoding": b"binary/plain"}, data=os.urandom(size))
    chance = random.Random(7)
    shipments: list[object] = []
    while len(text := json.dumps(shipments, separators=(",", ":"))) < size:
        missing = max(1, (size - len(text)) // 500)
        shipments += [_shipment(chance) for _ in range(missing)]
    return Payload(metadata={"encoding": b"json/plain"}, data=text.encode()[:size])


def _shipment(chance: random.Random) -> dict[str, object]:
    return {
        "id": f"shp_{chance.getrandbits(128):026X}",
        "proNumber": f"S2611{chance.randrange(10**12):012d}",
        "status": chance.choice(STATES),
        "weight": chance.randrange(1000, 44_000),
        "freightChargeAmount": f"{chance.uniform(300, 9000):.4f}",
        "moves": [
            {
                "id": f"smv_{chance.getrandbits(128):026X}",
                "loaded": True,
                "distance": round(chance.uniform(20, 2500), 1),
                "stops": [
                    {
                        "type": kind,
                        "city": chance.choice(CITIES),
                        "plannedArrival": 1_760_000_000 + chance.randrange(10**7),
                        "pieces": chance.randrange(30),
                    }
                    for kind in ("Pickup", "Delivery")
                ],
            }
        ],
        "commodities": [{"name": chance.choice(GOODS), "weight": chance.randrange(44_000)}],
    }
