"""Load of all kinds and faults of all kinds for some minutes, and then a count: ``python services/tests/soak``."""

import argparse
import asyncio
import contextlib
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import cancellations
import faults as known
import latency
from databases import PostgresTms, SqliteTms
from load import Load
from picture import draw
from planting import Planting
from soaking import Soak
from system import System
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from tms_rows import opened, seeded
from verdict import Verdict


async def soak(folder: Path, asked: argparse.Namespace, names: Sequence[str]) -> list[str]:
    """Run one; return what is wrong."""
    system = System(folder, asked.database)
    try:
        await system.open()
        await seeded(system.tms.url)
        async with opened(system.tms.url) as tms:
            planting = await Planting.open(tms)
            was = await cancellations.before(tms)
            await system.start_workers()
            load = Load(tms, planting, system.address, system.services.environ, asked.pace)
            seen = Soak(system, load, asked.seed)
            await seen.run(asked.minutes * 60, names, asked.every)
            verdict = Verdict(load, was)
            client = await load.client()
            files = [path.read_bytes() for path in folder.glob("temporal.db*")]
            await verdict.reach(client, system.receivers, files)
            waits = await latency.waits(client, load.workflow_ids)
            seen.report(verdict.lines, waits)
            draw(asked.output / "soak.png", **seen.drawn(waits))
            return verdict.wrong + seen.grown() + seen.ended()
    finally:
        await system.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="nox -s soak --", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--tms", choices=[PostgresTms.kind, SqliteTms.kind], help="postgresql where there is one")
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
        folder.chmod(0o711)  # PostgreSQL runs as somebody else where this is root
        if "disk" in names and known.mounted(folder):
            stack.callback(known.unmount, folder)
        asked.database = _database(folder, asked.tms)
        lacking = known.impossible(folder, asked.database.kind)
        for name in [name for name in names if name in lacking]:
            print(f"left out: {name}: {lacking[name]}")
        names = [name for name in names if name not in lacking]
        if not names:
            parser.error("no fault is left")
        about = f"{asked.minutes:g} minutes, seed {asked.seed}, TMS on {asked.database.kind}"
        print(f"{about}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}: {', '.join(names)}", flush=True)
        wrong = asyncio.run(soak(folder, asked, names))
    for line in wrong:
        print(f"WRONG: {line}")
    print("lost, done twice or grown: " + (f"{len(wrong)}" if wrong else "nothing"))
    return 1 if wrong else 0


def _database(folder: Path, kind: str | None) -> PostgresTms | SqliteTms:
    """Return the database that was asked for, or PostgreSQL where there is one."""
    if kind == SqliteTms.kind:
        return SqliteTms(folder)
    try:
        return PostgresTms(folder)
    except RuntimeError as error:
        if kind is not None:
            raise
        print(f"left out: PostgreSQL: {error}")
        return SqliteTms(folder)


if __name__ == "__main__":
    sys.exit(main())
