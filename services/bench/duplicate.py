"""How many shipments are duplicated per second, and how that compares with a plain set-up.

``trenova-workers up`` against ``temporal server start-dev --db-filename`` with the SDK's default workers in one
process; the same requests, workflows, activities and kind of database. Each round starts both set-ups from
nothing, one after the other, so that neither idles beside the other nor has an older database; which comes first
changes with every round. Starting, and ten requests to warm up, are not timed.

Exits 1 when the median rate is below 1.5 times the plain one.
"""

import argparse
import asyncio
import os
import platform
import statistics
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from subprocess import run

from duplication.setups import ours, plain
from duplication.work import COPIES, WARM_UP, Measured, make_requests, make_template, measure, place

TARGET = 1.5
SETUPS = {"up": ours, "plain": plain}


async def bench(rounds: int, requests: int, concurrency: int) -> dict[str, list[Measured]]:
    """Measure every round of both set-ups."""
    measured: dict[str, list[Measured]] = {name: [] for name in SETUPS}
    with tempfile.TemporaryDirectory(prefix="trenova-bench-") as folder:
        template = await make_template(Path(folder))
        payloads = make_requests(template, requests)
        for number in range(rounds):
            for name in sorted(SETUPS, reverse=number % 2 == 0):
                with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=folder) as home:
                    place(template, Path(home))
                    async with SETUPS[name](Path(home)) as setup:
                        one = await measure(setup, payloads, concurrency)
                measured[name].append(one)
                print(f"round {number + 1} of {rounds}: {name:5} {one.per_second:6.2f} per second", flush=True)
    return measured


def report(measured: dict[str, list[Measured]]) -> float:
    """Print what was measured and return the ratio of the medians."""
    print(f"\n{'':6}{'duplications per second':^27}{'latency':>10}{'cores used':^24}")
    print(f"{'':6}{'min':>9}{'median':>9}{'max':>9}{'median':>10}{'server':>12}{'workers':>9}")
    for name, rows in measured.items():
        rates = [row.per_second for row in rows]
        print(
            f"{name:6}{min(rates):9.2f}{statistics.median(rates):9.2f}{max(rates):9.2f}"
            f"{_median([row.latency_s for row in rows]):8.2f} s"
            f"{_median([row.server_cores for row in rows]):12.2f}{_median([row.worker_cores for row in rows]):9.2f}"
        )
    pairs = [one.per_second / other.per_second for one, other in zip(*measured.values(), strict=True)]
    ratio = _median([row.per_second for row in measured["up"]]) / _median([row.per_second for row in measured["plain"]])
    print(f"\nratio of the medians {ratio:.2f}, of the rounds {min(pairs):.2f} to {max(pairs):.2f}; target {TARGET}")
    return ratio


def conditions(requests: int, concurrency: int) -> str:
    """Say what the figures depend on."""
    server = run(
        [Path(sysconfig.get_path("scripts")) / "temporal", "--version"], capture_output=True, text=True, check=True
    )
    versions = ", ".join(f"{name} {version(name)}" for name in ("temporalio", "sqlalchemy", "pydantic"))
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{requests} requests of {COPIES} copies after {WARM_UP} to warm up, {concurrency} at once; SQLite\n"
        f"{os.cpu_count()} cores, load before {load}; {platform.system()} {platform.release()}\n"
        f"Python {platform.python_version()}, {versions}; {server.stdout.strip()}\n"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, measure, print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of both set-ups (5)")
    parser.add_argument("--requests", type=int, default=60, help="timed duplications per round and set-up (60)")
    parser.add_argument("--concurrency", type=int, default=20, help="duplications in flight (20)")
    options = parser.parse_args(arguments)
    if min(vars(options).values()) < 1:
        parser.error("rounds, requests and concurrency are at least 1")
    print(conditions(options.requests, options.concurrency), flush=True)
    ratio = report(asyncio.run(bench(**vars(options))))
    return 0 if ratio >= TARGET else 1


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


if __name__ == "__main__":
    sys.exit(main())
