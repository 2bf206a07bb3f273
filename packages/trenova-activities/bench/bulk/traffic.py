"""What dispatchers do to the database meanwhile, from a process of its own.

Half of the operations read a shipment by its key, a quarter reads the latest entries about one shipment, a quarter
writes an entry. ``python -m bulk.traffic URL RATE SECONDS``: at a rate, operations are due at fixed times, whether or
not those before them are through, and a latency counts from when its operation was due; at rate 0 every connection
asks again as soon as it is answered. The process says ``ready`` once it is warm, ends after the seconds or with its
standard input, and then prints what it measured as JSON.
"""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

import asyncpg

from bulk.audit_log import SHIPMENTS

CONNECTIONS = 4
_WARM_UP_S = 1.0
_FOREVER_S = 86_400.0
_SHIPMENT = "SELECT * FROM shipments WHERE id = $1 AND organization_id = $2 AND business_unit_id = $3"
_LATEST = (
    "SELECT id, operation, timestamp, current_state FROM audit_entries "
    "WHERE resource = 'shipment' AND resource_id = $1 ORDER BY timestamp DESC LIMIT 20"
)
_WRITE = (
    "INSERT INTO audit_entries (id, business_unit_id, organization_id, principal_type, principal_id, resource, "
    "resource_id, operation, current_state, category) "
    "VALUES ($1, $2, $3, 'system', 'system', 'shipment', $4, 'update', $5, 'shipment')"
)
_STATE = json.dumps({"status": "InTransit", "note": "x" * 220})


@dataclass(frozen=True)
class Served:
    """What the operations met.

    Attributes:
        operations: How many were timed.
        seconds: How long that took.
        p50_ms: Median latency.
        p95_ms: Of twenty operations, nineteen took at most so long.
        p99_ms: Of a hundred, ninety-nine.
        max_ms: The longest.
    """

    operations: int
    seconds: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float

    @property
    def per_second(self) -> float:
        """Operations per second."""
        return self.operations / self.seconds


class Traffic:
    """The operations of one process.

    Args:
        pool: As many connections as there are people.
        tenants: Organizations of the log.
        rate: Operations per second; 0 for as many as there can be.
    """

    def __init__(self, pool: asyncpg.Pool, tenants: int, rate: float) -> None:
        self._pool = pool
        self._tenants = tenants
        self._rate = rate
        self._chance = random.Random(1)
        self._turns = count()
        self._begun = 0.0
        self.latencies: list[float] = []

    async def run(self, stopped: asyncio.Event) -> float:
        """Work until told to stop; return the seconds that were timed."""
        self._begun = time.perf_counter()
        self._turns = count()
        await asyncio.gather(*(self._person(stopped) for _ in range(CONNECTIONS)))
        return time.perf_counter() - self._begun

    async def _person(self, stopped: asyncio.Event) -> None:
        async with self._pool.acquire() as connection:
            while not stopped.is_set():
                due = time.perf_counter()
                if self._rate:
                    due = self._begun + next(self._turns) / self._rate
                    await asyncio.sleep(max(0.0, due - time.perf_counter()))
                await self._operation(connection)
                self.latencies.append(time.perf_counter() - due)

    async def _operation(self, connection: asyncpg.Connection) -> None:
        number = self._chance.randint(1, SHIPMENTS)
        tenant = 1 + number % self._tenants
        kind = self._chance.random()
        if kind < 0.5:  # noqa: PLR2004 - the shares of the docstring
            await connection.fetch(_SHIPMENT, f"shp_{number}", f"org_{tenant}", f"bu_{tenant}")
        elif kind < 0.75:  # noqa: PLR2004
            await connection.fetch(_LATEST, f"shp_{number}")
        else:
            id_ = f"ae_{time.time_ns():x}{self._chance.getrandbits(32):08x}"
            await connection.execute(_WRITE, id_, f"bu_{tenant}", f"org_{tenant}", f"shp_{number}", _STATE)


async def solo_maximum(url: str, tenants: int, seconds: float) -> float:
    """Return how many operations per second there can be with the database all to themselves."""
    async with _process(url, tenants, rate=0, seconds=seconds) as process:
        return (await _served(process)).per_second


async def served_alone(url: str, tenants: int, rate: float, seconds: float) -> Served:
    """Return what operations at a rate meet with the database all to themselves."""
    async with _process(url, tenants, rate=rate, seconds=seconds) as process:
        return await _served(process)


@asynccontextmanager
async def beside(url: str, tenants: int, rate: float) -> AsyncIterator[Callable[[], Awaitable[Served]]]:
    """Keep traffic up for the length of the block; what is yielded ends it and returns what it met."""
    async with _process(url, tenants, rate=rate, seconds=_FOREVER_S) as process:

        async def stop() -> Served:
            assert process.stdin is not None
            process.stdin.close()
            return await _served(process)

        yield stop


@asynccontextmanager
async def _process(url: str, tenants: int, *, rate: float, seconds: float) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bulk.traffic", url, str(tenants), str(rate), str(seconds)),
        cwd=Path(__file__).parents[1],
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        if (await process.stdout.readline()).strip() != b"ready":
            raise RuntimeError("The traffic did not start; see its error above.")
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _served(process: asyncio.subprocess.Process) -> Served:
    assert process.stdout is not None
    return Served(**json.loads(await process.stdout.readline()))


def _summed_up(latencies: Sequence[float], seconds: float) -> Served:
    ordered = sorted(latencies)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000

    return Served(len(ordered), seconds, at(0.5), at(0.95), at(0.99), ordered[-1] * 1000)


async def _main(url: str, tenants: str, rate: str, seconds: str) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with asyncpg.create_pool(url.replace("+asyncpg", "", 1), min_size=CONNECTIONS, max_size=CONNECTIONS) as pool:
        traffic = Traffic(pool, int(tenants), float(rate))
        loop.call_later(_WARM_UP_S, stopped.set)
        await traffic.run(stopped)
        stopped.clear()
        traffic.latencies.clear()
        print("ready", flush=True)
        loop.call_later(float(seconds), stopped.set)
        loop.add_reader(sys.stdin, stopped.set)
        took = await traffic.run(stopped)
    print(json.dumps(asdict(_summed_up(traffic.latencies, took))), flush=True)


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
