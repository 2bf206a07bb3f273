"""How much importing ``trenova_errors`` adds to what a worker imports of temporalio anyway.

Every figure is of a process of its own, which imports the baseline, then us, and prints what both took of the
processor: files are in memory by then, so an import waits for nothing else, and other work on the machine does not
count. Bytecode is compiled before, in a folder of its own, as an installation does it. A decision of the first failure
is timed too, because that is when tables are looked into. Exits 1 when the median of what the root adds is above the
target.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version

TARGET_MS = 50.0
_WORKER = "import temporalio.client, temporalio.worker"
_RAISING = "import temporalio.exceptions"
STEPS = {
    "a worker": (_WORKER, "import trenova_errors", "trenova_errors.classify(OSError(104, ''))"),
    "a worker, with the plugin": (_WORKER, "from trenova_errors import ErrorsPlugin", "ErrorsPlugin()"),
    "code that only raises": (_RAISING, "import trenova_errors", "trenova_errors.classify(OSError(104, ''))"),
}
"""What is imported anyway, what is ours, and its first use."""

_PROGRAM = """\
import time
marks = [time.process_time()]
for step in {steps!r}:
    exec(step)
    marks.append(time.process_time())
print(*(1000 * (after - before) for before, after in zip(marks, marks[1:])))
"""


def measure(steps: Sequence[str], environ: dict[str, str]) -> list[float]:
    """Return the milliseconds of every step, in a fresh process."""
    program = _PROGRAM.format(steps=tuple(steps))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environ)
    return [float(figure) for figure in done.stdout.split()]


def bench(rounds: int) -> dict[str, list[list[float]]]:
    """Return the figures of every round by what was measured."""
    figures: dict[str, list[list[float]]] = {name: [] for name in STEPS}
    with tempfile.TemporaryDirectory(prefix="trenova-bench-") as folder:
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environ["PYTHONPYCACHEPREFIX"] = folder
        for steps in STEPS.values():
            measure(steps, environ)
        for number in range(rounds):
            for name in sorted(STEPS, reverse=number % 2 == 0):
                figures[name].append(measure(STEPS[name], environ))
    return figures


def report(figures: dict[str, list[list[float]]]) -> bool:
    """Print what was measured; whether the root of the package stays within the target in every place."""
    titles = ("temporalio", "we add", "first use")
    print(f"{'milliseconds of processor':27}" + "".join(f"{title:^30}" for title in titles))
    print(f"{'':27}" + f"{'min':>9}{'median':>9}{'max':>9}   " * len(titles))
    for name, rounds in figures.items():
        columns = list(zip(*rounds, strict=True))
        print(f"{name:27}" + "".join(f"{min(c):9.1f}{statistics.median(c):9.1f}{max(c):9.1f}   " for c in columns))
    medians = {name: statistics.median(row[1] for row in rounds) for name, rounds in figures.items()}
    added = max(median for name, median in medians.items() if "plugin" not in name)
    print(f"\nlargest median that the root adds {added:.1f} ms, target below {TARGET_MS:.0f}")
    return added < TARGET_MS


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, measure, print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="processes of each (9)")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("rounds is at least 1")
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{options.rounds} processes each; {os.cpu_count()} cores, load before {load}")
    print(f"Python {platform.python_version()}, temporalio {version('temporalio')}\n", flush=True)
    return 0 if report(bench(options.rounds)) else 1


if __name__ == "__main__":
    sys.exit(main())
