"""Whether a worker loses memory: what it holds after so many workflows, and the slope of that.

A server as ``trenova-workers up`` starts it, and one worker by a profile in a process of its own. Workflows with one
activity each are pushed through in batches; after each batch nothing is under way, the worker collects garbage, and
its memory is read. The first fifth is warm-up: caches fill, threads start, the allocator takes what it will keep.
Through the rest goes a line by least squares.

Passes if the 95 % confidence interval of the slope holds zero, or its upper end is below what the allocator's noise
explains: 512 bytes a workflow, which at 100,000 workflows a day are 50 MB. What a worker can forget to let go of is
larger: one workflow with its payloads is some kilobytes, so an interval wider than 4 KiB tells nothing and does not
pass. Exits 1 otherwise. ``--quick`` is too short to judge by.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import ClassVar

from capacity.conditions import read_conditions
from capacity.loads import Load
from capacity.processes import embedded_server, worker_process
from capacity.site import Site
from capacity.slope import Slope, fit
from capacity.workflows import Fan

NOISE_BYTES, TELLING_BYTES = 512.0, 4096.0
PROFILE = "mixed"
WORKFLOWS, QUICK = 10_000, 600
BATCHES = 50
AT_ONCE = 20
SILENCE_S = 300
MIB = 1024 * 1024

Sample = tuple[int, int]
"""How many workflows have ended, and the bytes that the worker holds then."""


class Short(Load):
    """Workflows with one short activity each."""

    title: ClassVar[str] = "one short activity a workflow"
    profile: ClassVar[str] = PROFILE

    async def _one(self, site: Site, workflow_id: str, number: int) -> None:
        arguments = ["capacity.locate", [number]]
        await site.client.execute_workflow(Fan.run, args=arguments, id=workflow_id, task_queue=site.queue)


async def sample(profile: str, workflows: int) -> list[Sample]:
    """Push workflows through one worker and read its memory after every batch."""
    batch = Short(workflows=workflows // BATCHES, each=1, at_once=AT_ONCE)
    found: list[Sample] = []
    with tempfile.TemporaryDirectory(prefix="trenova-bench-") as folder:
        async with (
            embedded_server(Path(folder)) as server,
            worker_process(profile, server, "memory", Path(folder)) as worker,
        ):
            site, begun = Site(server.client, "memory", 0), time.perf_counter()
            for number in range(1, BATCHES + 1):
                async with asyncio.timeout(SILENCE_S):
                    await worker.during(batch.push(site, str(number)))
                    found.append((number * batch.workflows, await worker.rss()))
                if number % (BATCHES // 10) == 0:
                    done, rss = found[-1]
                    rate = done / (time.perf_counter() - begun)
                    print(f"  {done:6} workflows, {rate:5.1f}/s: {rss / MIB:.1f} MiB", flush=True)
    return found


def judge(samples: Sequence[Sample], warm_up: int) -> tuple[Slope, bool]:
    """Return the slope after so many workflows of warm-up, and whether it passes."""
    kept = [one for one in samples if one[0] > warm_up]
    slope = fit([float(done) for done, _ in kept], [float(rss) for _, rss in kept])
    holds_zero = slope.low <= 0 <= slope.high and slope.high - slope.low < TELLING_BYTES
    return slope, holds_zero or slope.high < NOISE_BYTES


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} workflows, and no judgement")
    parser.add_argument("--workflows", type=int, help=f"how many, at least {BATCHES}; {WORKFLOWS} unless told")
    parser.add_argument("--profile", default=PROFILE, help="of the worker")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the samples there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the result there, with the conditions")
    given = parser.parse_args()
    given.workflows = given.workflows or (QUICK if given.quick else WORKFLOWS)
    if given.workflows < BATCHES:
        parser.error(f"--workflows is {given.workflows}; {BATCHES} batches need at least one each")
    return given


def main() -> int:
    """Measure, print, and return the exit status."""
    given, conditions = arguments(), read_conditions()
    print("\n".join(f"{name}: {value}" for name, value in conditions.items()))
    samples = asyncio.run(sample(given.profile, given.workflows))
    slope, passed = judge(samples, given.workflows // 5)
    result = f"{slope.per_unit:.0f} bytes a workflow, 95 % confidence interval {slope.low:.0f} to {slope.high:.0f}"
    print(f"{result}")
    if not given.quick:
        print(f"{'ok    ' if passed else 'MISSED'} zero inside, or all of it below {NOISE_BYTES:.0f}")
    if given.json:
        facts = {"conditions": conditions, "samples": samples, "slope": asdict(slope)}
        given.json.write_text(json.dumps(facts, indent=2) + "\n")
    if given.markdown:
        lines = [*(f"- {name}: {value}" for name, value in conditions.items()), ""]
        last = f"{samples[0][1] / MIB:.1f} MiB at first, {samples[-1][1] / MIB:.1f} MiB at the end."
        given.markdown.write_text("\n".join([*lines, f"{given.workflows} workflows: {result}; {last}", ""]))
    return 0 if passed or given.quick else 1


if __name__ == "__main__":
    sys.exit(main())
