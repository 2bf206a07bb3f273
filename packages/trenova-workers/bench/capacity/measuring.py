"""One measurement: a load pushed through one worker process, from its start to its end."""

import asyncio
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from capacity.loads import Load
from capacity.processes import Server, WorkerProcess, worker_process
from capacity.site import Site
from capacity.usage import watched
from capacity.waits import read_waits

_PATIENCE_S = 600
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Measured:
    """What one worker did with one load.

    Attributes:
        per_second: Of the load's unit.
        wait_p50_ms: Schedule-to-start of its tasks, as the server has it; so are the next two.
        worker_cpu_s: CPU seconds of the worker, user and system, its children included.
        server_cpu_s: The same of the server.
        worker_rss_mib: The most memory seen of the worker and its children; pages that they share count for each.
    """

    per_second: float
    wait_p50_ms: float
    wait_p95_ms: float
    wait_p99_ms: float
    worker_cpu_s: float
    server_cpu_s: float
    worker_rss_mib: float


async def measure(load: Load, variant: str, site: Site, server: Server, folder: Path) -> Measured:
    """Start a worker, warm it up, push the load through it, and read off what that took.

    Raises:
        WorkerEndedError: The worker ended before the load did.
        TimeoutError: The load did not end within ten minutes.
    """
    async with asyncio.timeout(_PATIENCE_S):
        if load.builds:
            async with worker_process(variant, server, site.queue, folder) as builder:
                await builder.during(load.build(site))
        async with worker_process(variant, server, site.queue, folder) as worker:
            await worker.during(load.warm_up(site))
            return await _measure(load, site, server, worker)


async def _measure(load: Load, site: Site, server: Server, worker: WorkerProcess) -> Measured:
    since = datetime.now(UTC)
    async with watched(worker.process, server.process) as (of_worker, of_server):
        begun = time.perf_counter()
        ids = await worker.during(load.push(site))
        took = time.perf_counter() - begun
    waits = await read_waits(site.client, ids, load.task, since)
    cuts = statistics.quantiles(waits, n=100, method="inclusive")
    return Measured(
        per_second=load.items / took,
        wait_p50_ms=cuts[49] * 1000,
        wait_p95_ms=cuts[94] * 1000,
        wait_p99_ms=cuts[98] * 1000,
        worker_cpu_s=of_worker.cpu_s,
        server_cpu_s=of_server.cpu_s,
        worker_rss_mib=of_worker.peak_rss / _MIB,
    )
