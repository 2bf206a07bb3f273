"""One soak: load, faults, a look every second, and what was seen."""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from statistics import median
from typing import Any

import faults as known
from growth import growing
from latency import Waits, summary
from load import Load
from picture import Sample
from system import System, Usage

LONGEST_S = 600
"""That all which was asked for may take after the last fault."""


class Soak:
    """What is done to a system under load, and what was seen."""

    def __init__(self, system: System, load: Load, seed: int) -> None:
        self.system, self.load, self.chance = system, load, random.Random(seed)
        self.began = time.monotonic()
        self.samples: list[Sample] = []
        self.injected: list[tuple[float, str]] = []
        self.enough = asyncio.Event()

    @property
    def at(self) -> float:
        return time.monotonic() - self.began

    async def run(self, seconds: float, names: Sequence[str], every_s: float) -> None:
        """Put load on the system, break it again and again, then let all that was asked for end."""
        loading = asyncio.ensure_future(self.load.run(self.enough))
        looking = asyncio.ensure_future(self._look())
        try:
            await self._break(seconds, names, every_s)
        finally:
            self.enough.set()
        await asyncio.wait_for(loading, LONGEST_S)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

    async def _break(self, seconds: float, names: Sequence[str], every_s: float) -> None:
        bag: list[str] = []
        while self.at < seconds:
            await asyncio.sleep(self.chance.uniform(0.5, 1.5) * every_s)
            if not bag:  # each fault once before any comes again
                bag = self.chance.sample(list(names), len(names))
            name = bag.pop()
            self.injected.append((self.at, name))
            said = await known.FAULTS[name](self.system, self.chance)
            print(f"{self.injected[-1][0]:6.0f} s  {name:14} {said}", flush=True)

    async def _look(self) -> None:
        while True:
            self.samples.append((self.at, self.system.usage()))
            await asyncio.sleep(1)

    def grown(self) -> list[str]:
        """What grows, of each process by itself: one that was killed takes its growth along."""
        told = {
            name: growing([one.memory_mib for one in seen], [one.descriptors for one in seen])
            for name, seen in self._processes().items()
        }
        return [f"{name}: {what}" for name, what in told.items() if what]

    def _processes(self) -> dict[str, list[Usage]]:
        of: dict[str, list[Usage]] = defaultdict(list)
        for _, used in self.samples:
            for module, one in used.items():
                of[f"{module} {one.pid}"].append(one)
        return of

    def ended(self) -> list[str]:
        """Workers that nobody killed and that are not there."""
        there = self.system.workers.items()
        return [f"{module} ended by itself" for module, running in there if running.process.poll() is not None]

    def report(self, counted: Sequence[str], waits: Waits) -> None:
        """Print what was done and how it went.

        Args:
            counted: What the verdict has to say.
            waits: How long tasks waited.
        """
        took = [one.took_s for one in self.load.asked if one.took_s is not None]
        print(f"{len(took)} duplications of two copies each, {len(self.load.checks)} checks of the database,")
        print(*counted, sep="\n")
        print(f"{len(self.injected)} faults; callers had to ask {self.load.repeated} times more than once.")
        print(f"seconds until a duplication was done: {summary(took)}")
        for kind in waits.kinds:
            print(f"seconds until a worker had {kind}: {summary([one.took_s for one in waits.of(kind)])}")
        print(f"{waits.again} activities were tried again, and are not among these")
        for module in self.system.workers:
            seen = [used[module] for _, used in self.samples if module in used]
            memory, open_ = [one.memory_mib for one in seen], [one.descriptors for one in seen]
            print(
                f"{module:20} MiB min {min(memory):.0f} median {median(memory):.0f} max {max(memory):.0f}; "
                f"descriptors min {min(open_)} median {median(open_):.0f} max {max(open_)}"
            )

    def drawn(self, waits: Waits) -> dict[str, Any]:
        """What the picture shows."""
        began = time.time() - self.at  # of the clock that histories have
        tasks = {kind: [(one.at - began, one.took_s) for one in waits.of(kind)] for kind in waits.kinds}
        done = [(one.at - self.began, one.took_s) for one in self.load.asked if one.took_s is not None]
        return {"done": done, "waits": tasks, "samples": self.samples, "faults": self.injected}
