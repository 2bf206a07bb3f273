"""What a measurement costs: CPU seconds and memory of processes, children included."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import psutil

_LOOK_EVERY_S = 0.5


class Usage:
    """CPU seconds since the first look, and the most memory seen, of one process and its children."""

    def __init__(self, process: psutil.Process) -> None:
        self.peak_rss = 0
        self._process = process
        self._before: dict[int, float] = {}
        self._latest: dict[int, float] = {}
        self.look()
        self._before = dict(self._latest)

    @property
    def cpu_s(self) -> float:
        """CPU seconds, user and system."""
        return sum(self._latest.values()) - sum(self._before.values())

    def look(self) -> None:
        """Read both; a child that has ended keeps what was read last."""
        rss = 0
        for one in [self._process, *self._process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess), one.oneshot():
                self._latest[one.pid] = sum(one.cpu_times()[:2])
                rss += one.memory_info().rss
        self.peak_rss = max(self.peak_rss, rss)


@asynccontextmanager
async def watched(*processes: psutil.Process) -> AsyncIterator[list[Usage]]:
    """Look at the processes for the length of the block."""
    usages = [Usage(process) for process in processes]
    looking = asyncio.create_task(_look(usages))
    try:
        yield usages
    finally:
        looking.cancel()
    for usage in usages:
        usage.look()


async def _look(usages: list[Usage]) -> None:
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        for usage in usages:
            usage.look()
