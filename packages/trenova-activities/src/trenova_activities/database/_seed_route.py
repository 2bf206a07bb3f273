"""The way of a sample shipment: its stops in order, when they are due, and how far it has come."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from trenova_activities.database._seed_rows import DAY, HOUR, Place

_EARTH_MILES = 3958.8
_ROAD_FACTOR = 1.18  # roads are about this much longer than the great circle
_MILES_PER_HOUR = 50
_DRIVING_HOURS = 11  # a driver's day (49 CFR 395.3), then ten hours of rest
_REST_HOURS = 10

UNDERWAY = ("InTransit", "Delayed", "PartiallyCompleted")
FINISHED = ("Completed", "ReadyToBill", "ReviewRequired", "Billed")


@dataclass
class Call:
    """One stop of one move; times in unix seconds."""

    move: int
    sequence: int
    place: Place
    type: str
    arrival: int
    departure: int


@dataclass(frozen=True)
class Route:
    """All stops in order, and the miles of each move.

    Attributes:
        done: How many stops have been left behind.
    """

    calls: list[Call]
    miles: list[float]
    done: int

    def of(self, move: int) -> list[Call]:
        """Return the stops of one move."""
        return [call for call in self.calls if call.move == move]


def plan(chance: Random, places: Sequence[Place], shape: Sequence[int], status: str, anchor: int) -> Route:
    """Lay out a route whose times agree with a shipment's status at the anchor.

    Args:
        chance: Where choices come from.
        places: Candidates; neighbours on the route differ.
        shape: Number of stops of each move.
        status: The shipment's.
        anchor: The present, unix seconds.
    """
    calls, miles = _calls(chance, places, shape)
    done = _done(chance, shape, status)
    start = _start(chance, calls, status, done, anchor)
    for call in calls:
        call.arrival += start
        call.departure += start
    return Route(calls, miles, done)


def _calls(chance: Random, places: Sequence[Place], shape: Sequence[int]) -> tuple[list[Call], list[float]]:
    calls: list[Call] = []
    miles: list[float] = []
    at = 0
    for move, count in enumerate(shape):
        here = calls[-1].place if calls else chance.choice(places)
        length = 0.0
        types = _types(chance, count, first=move == 0, last=move == len(shape) - 1)
        for sequence, kind in enumerate(types):
            if sequence:
                there = _next(chance, places, here)
                leg = _distance(here, there)
                length, at, here = length + leg, at + _drive(leg), there
            dwell = chance.choice((1, 1.5, 2, 3))
            departure = at + int(dwell * HOUR)
            calls.append(Call(move, sequence, here, kind, at, departure))
            at = departure
        miles.append(round(length, 1))
        at += HOUR  # until the next tractor is hooked
    return calls, miles


def _next(chance: Random, places: Sequence[Place], here: Place) -> Place:
    """Return another place; nearer ones are likelier, as carriers prefer their region."""
    others = chance.sample([place for place in places if place is not here], 3)
    return min(others, key=lambda place: _distance(here, place))


def _types(chance: Random, count: int, *, first: bool, last: bool) -> list[str]:
    """Later moves carry what earlier ones left, so only the first collects and only the last distributes."""
    collects = first and (not last or chance.random() < 1 / 2)
    between = "SplitPickup" if collects else "SplitDelivery"
    return ["Pickup", *[between] * (count - 2), "Delivery"]


def _distance(one: Place, other: Place) -> float:
    a, b = one.city, other.city
    north = math.radians(b.latitude - a.latitude)
    east = math.radians(b.longitude - a.longitude)
    both = math.cos(math.radians(a.latitude)) * math.cos(math.radians(b.latitude))
    part = math.sin(north / 2) ** 2 + both * math.sin(east / 2) ** 2
    return 2 * _EARTH_MILES * math.asin(math.sqrt(part)) * _ROAD_FACTOR


def _drive(miles: float) -> int:
    """Return the seconds that a single driver takes, rounded up to quarters of an hour."""
    hours = miles / _MILES_PER_HOUR
    hours += int(hours // _DRIVING_HOURS) * _REST_HOURS
    return math.ceil(hours * 4) * HOUR // 4


def _done(chance: Random, shape: Sequence[int], status: str) -> int:
    if status in FINISHED:
        return sum(shape)
    if status == "PartiallyCompleted":
        return shape[0]
    return chance.randint(1, shape[0] - 1) if status in UNDERWAY else 0


def _start(chance: Random, calls: Sequence[Call], status: str, done: int, anchor: int) -> int:
    """Return when the route begins, on a quarter of an hour."""
    if status in UNDERWAY:
        left, due = calls[done - 1].departure, calls[done].arrival
        now = chance.uniform(left, due) if status != "Delayed" else due + chance.uniform(1, 5) * HOUR
        start = anchor - now
    elif status in FINISHED:
        age = chance.uniform(1, 5) if status == "Completed" else chance.uniform(4, 45)
        start = anchor - calls[-1].departure - age * DAY
    elif status == "Canceled" or (status == "New" and chance.random() < 1 / 6):
        start = anchor - chance.uniform(2, 40) * DAY  # nobody ever came
    else:
        start = anchor + chance.uniform(4 * HOUR, 9 * DAY)
    return int(start // (HOUR // 4)) * (HOUR // 4)
