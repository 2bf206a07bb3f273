"""Load of all kinds and faults of all kinds for some minutes, and then a count: ``python services/tests/soak``."""

import argparse
import asyncio
import contextlib
import os
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parents[1]))

import faults as known
from growth import growing
from load import Load
from picture import Sample, draw
from system import System, Usage
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from tms_rows import opened, seeded, sqlite_url


class Soak:
    """One soak, and what was seen."""

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
        await asyncio.wait_for(loading, 300)
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

    def report(self) -> None:
        took = sorted(one.took_s for one in self.load.asked if one.took_s is not None)
        cuts = quantiles(took, n=100)
        print(f"{len(took)} duplications of two copies each, {len(self.load.checks)} checks of the database,")
        print(f"{len(self.load.purges)} purges of {self.load.planted} outlived audit entries,")
        print(f"{len(self.injected)} faults; callers had to ask {self.load.repeated} times more than once.")
        tail = f"p95 {cuts[94]:.2f}, p99 {cuts[98]:.2f}, most {took[-1]:.1f}"
        print(f"seconds until done: median {median(took):.2f}, {tail}")
        for module in self.system.workers:
            seen = [used[module] for _, used in self.samples if module in used]
            memory, open_ = [one.memory_mib for one in seen], [one.descriptors for one in seen]
            print(
                f"{module:20} MiB min {min(memory):.0f} median {median(memory):.0f} max {max(memory):.0f}; "
                f"descriptors min {min(open_)} median {median(open_):.0f} max {max(open_)}"
            )


async def soak(folder: Path, asked: argparse.Namespace, names: Sequence[str]) -> list[str]:
    await seeded(sqlite_url(folder))
    system = System(folder)
    try:
        await system.open()
        async with opened(sqlite_url(folder)) as tms:
            load = Load(tms, system.address, system.services.environ, folder / "tms.db", asked.pace)
            seen = Soak(system, load, asked.seed)
            await seen.run(asked.minutes * 60, names, asked.every)
            seen.report()
            waits = [(one.at - seen.began, one.took_s) for one in load.asked if one.took_s is not None]
            draw(asked.output / "soak.png", waits=waits, samples=seen.samples, faults=seen.injected)
            files = [path.read_bytes() for path in folder.glob("temporal.db*")]
            return await load.verdict(files) + seen.grown() + seen.ended()
    finally:
        await system.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="nox -s soak --", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--faults", default=",".join(known.FAULTS), help="some of %(default)s")
    parser.add_argument("--every", type=float, default=10, metavar="SECONDS", help="between two faults, about")
    parser.add_argument("--pace", type=float, default=0.5, metavar="SECONDS", help="between two duplications")
    parser.add_argument("--output", type=Path, default=Path("site/soak"))
    asked = parser.parse_args()
    quiet = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=quiet))))
    names = asked.faults.split(",")
    if unknown := sorted(set(names) - set(known.FAULTS)):
        parser.error(f"there is no fault {', '.join(unknown)}; there are {', '.join(known.FAULTS)}")
    with tempfile.TemporaryDirectory(prefix="trenova-soak-") as place, contextlib.ExitStack() as stack:
        folder = Path(place)
        if "disk" in names and known.mounted(folder):
            stack.callback(known.unmount, folder)
        lacking = {name: why for name, why in known.possible(folder).items() if name in names}
        for name, why in lacking.items():
            print(f"left out: {name}: {why}")
        names = [name for name in names if name not in lacking]
        load = os.getloadavg()[0]
        print(
            f"{asked.minutes:g} minutes, seed {asked.seed}, {os.cpu_count()} cores, load {load:.1f}: {', '.join(names)}"
        )
        wrong = asyncio.run(soak(folder, asked, names))
    for line in wrong:
        print(f"WRONG: {line}")
    print("lost, done twice or grown: " + (f"{len(wrong)}" if wrong else "nothing"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
