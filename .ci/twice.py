"""Run pytest, and run what failed once more, alone: ``python .ci/twice.py FLAKY [OPTION...] -- PATH...``.

Tests share a machine with others that start servers, browsers and processes, and one that waits in vain there is not
always wrong. So up to ten tests that failed are run again when all others have ended, one at a time. One that fails
again fails the run; eleven are no accident, and are not run again. The name of one that passes only then is printed,
and appended to the file FLAKY, a line each: it is a defect of the test or of what it tests, and is to be mended.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

AT_MOST = 10
SECONDS = 900
"""How long the second run may take."""

SOME_FAILED = 1


def main(flaky: Path, options: list[str], paths: list[str]) -> int:
    """Return the exit status of pytest, that of the second run if there was one."""
    with tempfile.TemporaryDirectory(prefix="pytest-cache-") as cache:
        status = run([*options, "-o", f"cache_dir={cache}", *paths])
        names = failed(Path(cache)) if status == SOME_FAILED else []
        if not 0 < len(names) <= AT_MOST:
            return status
        say([f"{len(names)} failed; run again, alone:", *names])
        one = ["-n", "0"] if "-n" in options else []
        status = run([*options, *one, "-rfEp", "-p", "no:cacheprovider", *names], SECONDS)
    if status == 0:
        tell(flaky, names)
    return status


def run(arguments: list[str], timeout: float | None = None) -> int:
    """Run pytest in a process of its own."""
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False, timeout=timeout).returncode


def failed(cache: Path) -> list[str]:
    """Return the names of the tests that failed or had no fixture, as pytest noted them in its cache."""
    noted = cache / "v/cache/lastfailed"
    return sorted(json.loads(noted.read_text())) if noted.exists() else []


def tell(flaky: Path, names: list[str]) -> None:
    """Leave the names for whoever prints them at the end of all, and print them."""
    with flaky.open("a") as file:
        file.writelines(f"{name}\n" for name in names)
    say([f"flaky: passed only when run alone: {name}" for name in names])


def say(lines: list[str]) -> None:
    """Print lines so that they are seen among those of pytest."""
    print("", *(f"!! {line}" for line in lines), "", sep="\n", flush=True)


if __name__ == "__main__":
    _, where, *rest = sys.argv
    end = rest.index("--")
    sys.exit(main(Path(where), rest[:end], rest[end + 1 :]))
