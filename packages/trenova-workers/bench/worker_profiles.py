"""What the profiles of workers are worth: each against the SDK's defaults, on the load that it is for.

A server as ``trenova-workers up`` starts it, on a file of its own for each load; each measurement starts a worker
in a process of its own, warms it up, and pushes the load through it. Defaults and profile take turns, and which
comes first changes with every round. The defaults are ``Worker(client, task_queue=..., ...)`` with nothing but what
the SDK demands, which for plain activities is an executor: threads for its 100 slots. The profile is
``trenova_workers.run`` with ``WorkerOptions(profile=...)`` and nothing beside.

Waits are schedule-to-start by the server's clock, from the histories; the whole backlog is there at once, so they
are those of a backlog. Exits 1 when a profile misses its bar. ``--quick`` pushes too little to judge by.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from capacity.bars import Rounds, Verdict, judge
from capacity.carrier import slow_carrier
from capacity.conditions import read_conditions
from capacity.loads import LOADS, QUICK, Load
from capacity.measuring import Measured, measure
from capacity.processes import embedded_server
from capacity.serving import DEFAULTS
from capacity.site import Site
from capacity.tables import as_markdown, as_text

ROUNDS = 5


async def bench(name: str, load: Load, rounds: int) -> Rounds:
    """Measure one load with both variants in every round."""
    found: dict[str, list[Measured]] = {DEFAULTS: [], load.profile: []}
    with tempfile.TemporaryDirectory(prefix="trenova-bench-") as folder:
        async with embedded_server(Path(folder)) as server, slow_carrier(load.answer_s) as port:
            for number in range(rounds):
                turn = list(found)
                for variant in reversed(turn) if number % 2 else turn:
                    site = Site(server.client, f"{name}-{variant.replace(' ', '-')}-{number}", port)
                    one = await measure(load, variant, site, server, Path(folder))
                    found[variant].append(one)
                    print(f"  round {number + 1} of {rounds}: {variant:12} {one.per_second:7.2f}/s", flush=True)
    return found


def chosen(loads: Mapping[str, Load], names: str) -> dict[str, Load]:
    """Return the loads of these names, with commas between; all for none."""
    wanted = [name.strip() for name in names.split(",") if name.strip()] or list(loads)
    if unknown := [name for name in wanted if name not in loads]:
        raise SystemExit(f"No load is called {', '.join(unknown)}; there are {', '.join(loads)}.")
    return {name: loads[name] for name in wanted}


def as_json(
    conditions: Mapping[str, str], results: Mapping[str, Rounds], verdicts: Mapping[str, Sequence[Verdict]]
) -> str:
    """Return everything that was measured."""
    loads = {
        name: {
            "rounds": {variant: [asdict(one) for one in side] for variant, side in rounds.items()},
            "verdicts": [asdict(verdict) for verdict in verdicts[name]],
        }
        for name, rounds in results.items()
    }
    return json.dumps({"conditions": conditions, "loads": loads}, indent=2) + "\n"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="see that everything works, in less than a minute")
    parser.add_argument("--loads", default="", help=f"some of {','.join(LOADS)}; all unless told")
    parser.add_argument("--rounds", type=int, help=f"{ROUNDS}, or 1 with --quick")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there, with the conditions")
    return parser.parse_args()


def main() -> int:
    """Measure, print, and return the exit status."""
    given, conditions = arguments(), read_conditions()
    print("\n".join(f"{name}: {value}" for name, value in conditions.items()))
    results: dict[str, Rounds] = {}
    verdicts: dict[str, list[Verdict]] = {}
    loads = chosen(QUICK if given.quick else LOADS, given.loads)
    for name, load in loads.items():
        print(f"\n{name}: {load.describe()}", flush=True)
        results[name] = asyncio.run(bench(name, load, given.rounds or (1 if given.quick else ROUNDS)))
        verdicts[name] = [] if given.quick else judge(load, results[name])
        print("\n".join([as_text(load, results[name]), *map(str, verdicts[name])]), flush=True)
    if given.json:
        given.json.write_text(as_json(conditions, results, verdicts))
    if given.markdown:
        tables = {name: (load, results[name]) for name, load in loads.items()}
        given.markdown.write_text(as_markdown(conditions, tables, verdicts))
    return 0 if all(verdict.held for found in verdicts.values() for verdict in found) else 1


if __name__ == "__main__":
    sys.exit(main())
