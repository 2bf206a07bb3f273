"""What a pool does for real: ``python measure.py burst`` or ``python measure.py chaos --minutes 10``.

Prints the conditions, the figures and every bar, writes a picture and everything that was logged into the folder that
``--output`` names, and ends with 1 if a bar is missed. Needs the whole workspace; ``nox -s scaling`` runs it.
"""

import argparse
import asyncio
import json
import os
import platform
import secrets
import shutil
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

_HERE = Path(__file__).parents[1]
sys.path[:0] = [str(_HERE), str(_HERE.parent / "services")]

from real.burst import BurstFigures, BurstOptions, run_burst  # noqa: E402 (found on the path above)
from real.chaos import ChaosOptions, run_chaos  # noqa: E402
from real.picture import draw  # noqa: E402
from real.reckoning import Reckoning  # noqa: E402
from real.verdicts import Verdict, as_text  # noqa: E402


def conditions() -> dict[str, object]:
    """Return what a reader has to know to compare."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, load before "
        + " ".join(f"{one:.1f}" for one in os.getloadavg()),
        "Python, temporalio": f"{platform.python_version()}, {version('temporalio')}",
    }


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def fresh(folder: Path) -> Path:
    """Return an empty folder for what servers, managers and workers write."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder.absolute()


async def burst(output: Path, options: BurstOptions) -> list[Verdict]:
    """Measure a burst, print what came of it and draw it."""
    told = conditions()
    run = await run_burst(fresh(output / "burst"), options, say)
    figures = BurstFigures(run)
    policy = ", ".join(f"{name} {value}" for name, value in options.policy.items())
    text = as_text(
        {**told, "priority of the server": options.nice, "policy": policy}, figures.table(), figures.verdicts()
    )
    say("\n" + text)
    (output / "burst.txt").write_text(text + "\n")
    draw(
        output / "burst.png",
        title=f"{options.workflows} workflows at once on a pool of {options.policy['min_workers']}",
        began=run.began,
        until=run.back + 15,
        decisions=run.decisions,
        workers=run.workers,
        histories=run.histories,
        target_s=options.policy["wait_target_s"],
    )
    return figures.verdicts()


async def chaos(output: Path, options: ChaosOptions) -> list[Verdict]:
    """Kill at random, print what came of it and draw it."""
    told, lines = conditions(), []

    def log(line: str) -> None:
        lines.append(line)
        say(line)

    say(f"seed {options.seed}")
    folder = fresh(output / "chaos")
    try:
        run = await run_chaos(folder, options, log)
    finally:
        (output / "chaos.log").write_text("\n".join(lines) + "\n")
    reckoning = Reckoning(run)
    policy = ", ".join(f"{name} {value}" for name, value in options.policy.items())
    text = as_text({**told, "policy": policy}, reckoning.table(), reckoning.verdicts())
    say("\n" + text)
    (output / "chaos.txt").write_text(text + "\n")
    draw(
        output / "chaos.png",
        title=f"Kills at random for {options.seconds / 60:g} minutes, seed {options.seed}",
        began=run.began,
        until=run.completed + (run.back_s or 0) + 15,
        decisions=run.decisions,
        workers=run.workers,
        histories=run.histories,
        marks=dict(run.blows.at),
    )
    if not all(one.holds for one in reckoning.verdicts()):
        for file in sorted(folder.glob("manager-*.log")):
            say(f"\n--- {file.name}\n{file.read_text(errors='replace')}")
        say(f"databases, the ledger and what workers said are in {folder}")
    return reckoning.verdicts()


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("site/scaling"), help="folder; default %(default)s")
    kinds = parser.add_subparsers(dest="kind", required=True)
    one = kinds.add_parser("burst")
    one.add_argument("--workflows", type=int, default=BurstOptions.workflows)
    one.add_argument("--seconds", type=float, default=BurstOptions.seconds, help="that each takes; default %(default)s")
    one.add_argument("--slots", type=int, default=BurstOptions.slots, help="activities at once; default %(default)s")
    one.add_argument("--nice", type=int, default=0, help="priority of the Temporal server, as of nice(1)")
    one.add_argument("--policy", type=json.loads, default={}, help="JSON, over the policy of this measurement")
    other = kinds.add_parser("chaos")
    other.add_argument("--minutes", type=float, default=ChaosOptions.seconds / 60)
    other.add_argument("--seed", type=int, default=None, help="of a run before, to have the same chances")
    other.add_argument(
        "--rate", type=float, default=ChaosOptions.rate, help="workflows per second; default %(default)s"
    )
    return parser.parse_args()


def main() -> int:
    """Measure; 1 if a bar is missed."""
    told = arguments()
    told.output.mkdir(parents=True, exist_ok=True)
    if told.kind == "chaos":
        seed = secrets.randbelow(1_000_000) if told.seed is None else told.seed
        struck = ChaosOptions(seconds=told.minutes * 60, seed=seed, rate=told.rate)
        return 0 if all(one.holds for one in asyncio.run(chaos(told.output, struck))) else 1
    policy = {**BurstOptions().policy, **told.policy}
    options = BurstOptions(
        workflows=told.workflows, seconds=told.seconds, slots=told.slots, policy=policy, nice=told.nice
    )
    verdicts = asyncio.run(burst(told.output, options))
    return 0 if all(one.holds for one in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
