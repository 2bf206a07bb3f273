"""What workers of a measurement do: plain functions, as most activities are written.

They are at the top of a module of their own, so that a process executor can find them by name.
"""

import random
import socket

from temporalio import activity

CITIES = ("Reno", "Tulsa", "Laredo", "Joliet", "Memphis", "Ontario", "Savannah", "El Paso", "Toledo", "Fontana")
_ANSWER_S = 120
# Some 0.16 s: with less, the server's share of two cores is too large to leave both to the work.
_TRUCKS = 16
_STOPS = 48

Point = tuple[float, float]


@activity.defn(name="capacity.ask_carrier")
def ask_carrier(port: int) -> str:
    """Ask a carrier's slow server on loopback for a status, and block this thread until it answers."""
    with socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_S) as connection:
        connection.sendall(b"status\n")
        with connection.makefile("rb") as answer:
            return answer.readline().decode().strip()


@activity.defn(name="capacity.order_stops")
def order_stops(seed: int) -> float:
    """Shorten the routes of sixteen trucks of 48 stops each by 2-opt; pure Python. Return the distance."""
    chance = random.Random(seed)
    return sum(_shortened([(chance.random(), chance.random()) for _ in range(_STOPS)]) for _ in range(_TRUCKS))


@activity.defn(name="capacity.reprice")
def reprice(document: str) -> str:
    """Take a large document and return one of the same size."""
    return document[::-1]


@activity.defn(name="capacity.locate")
def locate(number: int) -> str:
    """Return where a truck is; run as a local activity, which leaves one event with a payload."""
    return f"{CITIES[number % len(CITIES)]} {number}"


ACTIVITIES = (ask_carrier, order_stops, reprice, locate)


def make_document(size: int) -> str:
    """Return about ``size`` bytes of rows as a rate sheet has them; the same ones every time."""
    chance, rows, length = random.Random(7), [], 0
    while length < size:
        rows.append(f"{chance.choice(CITIES)};{chance.choice(CITIES)};{chance.uniform(300, 9000):.2f}")
        length += len(rows[-1]) + 1
    return "\n".join(rows)[:size]


def _shortened(points: list[Point]) -> float:
    turned = 1
    while turned:
        turned = sum(_turned(points, start) for start in range(1, len(points) - 1))
    return sum(_distance(points[at - 1], point) for at, point in enumerate(points))


def _turned(points: list[Point], start: int) -> bool:
    """Turn around every part from ``start`` on that is shorter the other way round."""
    turned = False
    for end in range(start + 1, len(points)):
        before, first, last, after = points[start - 1], points[start], points[end], points[(end + 1) % len(points)]
        now = _distance(before, first) + _distance(last, after)
        if _distance(before, last) + _distance(first, after) + 1e-12 < now:
            points[start : end + 1] = points[start : end + 1][::-1]
            turned = True
    return turned


def _distance(one: Point, other: Point) -> float:
    return float(((one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2) ** 0.5)
