"""What encoding and decoding one payload costs, against others and against the least that it can cost.

Every variant runs in a process of its own, because what earlier allocations left behind decides whether a large
buffer costs page faults, which is a factor of five. Peers: the encryption sample for Temporal's Python SDK and
its compression before it, built from their formats; ``temporalcodec`` where it is installed; ``AESGCM`` alone;
``least``, the fewest steps that an asynchronous codec in Python can take; and the sum of the primitives
(serialize, nonce, cipher, parse), each measured by itself.

From 256 KiB on the sum of the primitives is the bar. Below, calls between Python and C cost as much as what they
call, so that even ``least`` misses that bar: there ``least`` is the measure, and the ratio to the sum is printed.
``as plugged in`` is *compat* through ``CodecChain`` with its guard of sizes, as ``CodecPlugin`` installs it.
What lies between is looking whether a payload is encrypted already, finding the key of the ring's current
generation, and counting what a key has encrypted.

Times are microseconds per payload, as min / median / max of up to 200 batches of 2 ms. Ratios are of the minima.
Exits 1 where a target is missed.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
SIZES = {"128 B": 128, "1 KiB": 1024, "16 KiB": 16 * 1024, "256 KiB": 256 * 1024, "1.9 MiB": 1_992_294}
ALONE = ["primitives", "AESGCM", "least", "samples", "temporalcodec", "compat", "v2", "as plugged in"]
CHAINS = ["samples chain", "chain", "zstd chain"]
OF_PRIMITIVES = {"128 B": 0.65, "1 KiB": 0.80, "16 KiB": 0.90, "256 KiB": 0.90, "1.9 MiB": 0.95}
OF_LEAST = {
    "encode": {"128 B": 0.65, "1 KiB": 0.65, "16 KiB": 0.80},
    "decode": {"128 B": 0.50, "1 KiB": 0.55, "16 KiB": 0.75},
}
OURS = ("compat", "v2", "as plugged in")
CHAIN_SPEED = 25.0
CHAIN_RATIO = 0.78
INCOMPRESSIBLE = 1.15
STALL_MS = 5.0

Row = dict[str, float]


def measured(variant: str, action: str, size: int, kind: str = "json") -> Row:
    """Run one variant in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "codec_variants.measure", variant, action, str(size), kind],
        capture_output=True,
        check=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])},
    )
    row: Row = json.loads(done.stdout)
    return row


def best(variant: str, action: str, size: int, kind: str, rounds: int) -> Row:
    """Return the round with the least minimum: the others met a busier machine."""
    return min((measured(variant, action, size, kind) for _ in range(rounds)), key=lambda row: row["min"])


def table(title: str, variants: list[str], action: str, kind: str, rounds: int) -> dict[str, dict[str, Row]]:
    """Measure and print variants by sizes."""
    rows: dict[str, dict[str, Row]] = {}
    print(f"\n{title}\n{'':15}" + "".join(f"{size:>32}" for size in SIZES))
    for variant in variants:
        rows[variant] = {label: best(variant, action, size, kind, rounds) for label, size in SIZES.items()}
        print(f"{variant:15}" + "".join(f"{_cell(row):>32}" for row in rows[variant].values()), flush=True)
    return rows


def _cell(row: Row) -> str:
    faults = f" f{row['faults']:.0f}" if row["faults"] >= 0.5 else ""  # noqa: PLR2004 - rounds to one
    return f"{row['min'] * 1e6:.4g} / {row['median'] * 1e6:.4g} / {row['max'] * 1e6:.4g}{faults}"


class Targets:
    """What has to hold, and whether it does."""

    def __init__(self) -> None:
        self.missed: list[str] = []

    def check(self, what: str, value: float, limit: float, *, least: bool = True, form: str = ".2f") -> None:
        """Print a target with its value."""
        held = value >= limit if least else value <= limit
        sign = ">=" if least else "<="
        print(f"  {'ok    ' if held else 'MISSED'} {what}: {value:{form}} ({sign} {limit:{form}})")
        if not held:
            self.missed.append(what)


def check_alone(targets: Targets, action: str, rows: dict[str, dict[str, Row]]) -> None:
    """Compare with the sum of primitives, and say what the least codec reaches."""
    print(f"\n{action} against the sum of primitives")
    for variant in OURS:
        for label, limit in OF_PRIMITIVES.items():
            took = rows[variant][label]["min"]
            ratio = rows["primitives"][label]["min"] / took
            if label in OF_LEAST[action]:
                print(f"         {action} {variant} {label}, of the primitives: {ratio:.2f} (wanted {limit:.2f})")
                ratio, limit = rows["least"][label]["min"] / took, OF_LEAST[action][label]  # noqa: PLW2901
                targets.check(f"{action} {variant} {label}, of the least codec", ratio, limit)
                continue
            targets.check(f"{action} {variant} {label}, of the primitives", ratio, limit)
            faults = rows[variant][label]["faults"]
            targets.check(f"{action} {variant} {label}, page faults a call", faults, 0.5, least=False, form=".1f")
    reached = ", ".join(
        f"{label} {rows['primitives'][label]['min'] / rows['least'][label]['min']:.2f}" for label in SIZES
    )
    print(f"  the least codec reaches of the primitives: {reached}")


def check_chains(targets: Targets, rows: dict[str, dict[str, Row]], rounds: int) -> None:
    """Compare compression and encryption together with the samples' chain."""
    print("\ncompress and encrypt")
    sample, ours = rows["samples chain"]["256 KiB"], rows["chain"]["256 KiB"]
    targets.check("chain 256 KiB, times as fast as the samples", sample["min"] / ours["min"], CHAIN_SPEED, form=".1f")
    targets.check("chain 256 KiB, of the samples' ratio", sample["bytes"] / ours["bytes"], CHAIN_RATIO)
    size = SIZES["1.9 MiB"]
    alone, chained = (best(name, "encode", size, "random", rounds) for name in ("compat", "chain"))
    what = "chain 1.9 MiB incompressible, of encrypting alone"
    targets.check(what, chained["min"] / alone["min"], INCOMPRESSIBLE, least=False)
    row = measured("chain", "stall", size)
    late = {name: f"{row[name] * 1000:.2f} / {row[f'{name} median'] * 1000:.2f} ms" for name in ("stall", "idle")}
    print(f"  a task due every millisecond is late by {late['stall']} (min / median), beside a sleep by {late['idle']}")
    targets.check("event loop held by one payload of 1.9 MiB, ms", row["stall"] * 1000, STALL_MS, least=False)


def main() -> int:
    """Measure everything and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="processes per small case, of which the best counts")
    rounds = parser.parse_args().rounds
    packages = ("cryptography", "isal", "protobuf", "temporalio", "trenova-codecs")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(", ".join(f"{name} {version(name)}" for name in packages))
    alone = [name for name in ALONE if name != "temporalcodec" or find_spec("temporalcodec")]
    targets = Targets()
    for action in ("encode", "decode"):
        title = f"{action}, encryption alone, us a payload: min / median / max, f = page faults a call"
        check_alone(targets, action, table(title, alone, action, "json", rounds))
    chains = table("encode, compress and encrypt shipments as JSON, us", CHAINS, "encode", "json", rounds)
    check_chains(targets, chains, rounds)
    table("decode, decrypt and decompress, us", CHAINS, "decode", "json", rounds)
    if targets.missed:
        print(f"\n{len(targets.missed)} targets missed: {'; '.join(targets.missed)}")
    return 1 if targets.missed else 0


if __name__ == "__main__":
    sys.exit(main())
