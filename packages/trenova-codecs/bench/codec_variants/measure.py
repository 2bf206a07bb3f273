"""Measure one variant in this process: ``measure.py variant action size kind``; prints one line of JSON.

A batch is as many calls as take about 2 ms, so that some batches run undisturbed on a busy machine.
"""

import asyncio
import json
import resource
import statistics
import sys
import time
from collections.abc import Awaitable, Callable

from codec_variants.payloads import make
from codec_variants.peers import bare, codec, primitives

BATCH_SECONDS = 0.002
BATCHES = 200
LEAST_BATCHES = 5
SLOWEST_SECONDS = 6.0


def main(variant: str, action: str, size: int, kind: str) -> dict[str, object]:
    """Measure, and say what one call takes and how many pages it touches for the first time."""
    payload = make(size, kind)
    if variant == "primitives":
        parts = {name: _called(call) for name, call in primitives(action, payload).items()}
        times = {of: sum(part[of] for part in parts.values()) for of in ("min", "median", "max")}
        return {**times, "faults": sum(part["faults"] for part in parts.values())}
    if variant == "AESGCM":
        return dict(_called(bare(action, payload)))
    return asyncio.run(_codec(variant, action, payload))


async def _codec(variant: str, action: str, payload: object) -> dict[str, object]:
    one = codec(variant, payload)
    encoded = await one.encode([payload])
    assert await one.decode(encoded) == [payload]
    call, given = (one.encode, [payload]) if action == "encode" else (one.decode, encoded)
    measured: dict[str, object] = dict(await _awaited(lambda: call(given)))
    if action == "encode":
        measured["bytes"] = encoded[0].ByteSize()
    if action == "stall":
        measured["stall"], measured["stall median"] = await _stall(lambda: one.encode([payload]))
        measured["idle"], measured["idle median"] = await _stall(lambda: asyncio.sleep(float(str(measured["median"]))))
    return measured


def _called(call: Callable[[], object]) -> dict[str, float]:
    count = _count(_time(call, 3) / 3)
    batches, before, started = [], _faults(), time.perf_counter()
    while _goes_on(len(batches), started):
        batches.append(_time(call, count) / count)
    return _summary(batches, (_faults() - before) / (count * len(batches)))


def _time(call: Callable[[], object], count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        call()
    return time.perf_counter() - started


async def _awaited(call: Callable[[], Awaitable[object]]) -> dict[str, float]:
    await _time_awaited(call, 3)
    count = _count(await _time_awaited(call, 3) / 3)
    batches, before, started = [], _faults(), time.perf_counter()
    while _goes_on(len(batches), started):
        batches.append(await _time_awaited(call, count) / count)
    return _summary(batches, (_faults() - before) / (count * len(batches)))


async def _time_awaited(call: Callable[[], Awaitable[object]], count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        await call()
    return time.perf_counter() - started


async def _stall(call: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Return how late a task that is due every millisecond is at worst, in seconds: least and median of 25 runs."""
    worst = []
    for _ in range(25):
        late = [0.0]

        async def tick(late: list[float] = late) -> None:
            while True:
                due = time.perf_counter() + 0.001
                await asyncio.sleep(0.001)
                late[0] = max(late[0], time.perf_counter() - due)

        ticking = asyncio.create_task(tick())
        await asyncio.sleep(0.005)
        late[0] = 0.0
        await call()
        await asyncio.sleep(0.003)
        ticking.cancel()
        worst.append(late[0])
    return min(worst), statistics.median(worst)


def _goes_on(batches: int, started: float) -> bool:
    return batches < LEAST_BATCHES or (batches < BATCHES and time.perf_counter() - started < SLOWEST_SECONDS)


def _count(seconds: float) -> int:
    return max(1, int(BATCH_SECONDS / seconds))


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _summary(batches: list[float], faults: float) -> dict[str, float]:
    return {"min": min(batches), "median": statistics.median(batches), "max": max(batches), "faults": faults}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])))
