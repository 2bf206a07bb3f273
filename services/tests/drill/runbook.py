"""The page of an alert: its commands, its mitigations, and the date of its last drill."""

import re
import subprocess
from collections.abc import Mapping
from datetime import date
from pathlib import Path

PAGES = Path(__file__).parents[3] / "docs/runbooks"
_STAMP = re.compile(r"^Last drilled: .*\n\n?", re.MULTILINE)
_VARIABLE = re.compile(r"\$\{?([A-Z_]+)")
_HEADING = "\n## Meaning\n"
_ANSWERS = {0, 1, 3}
"""Exit statuses of a command that has looked: nothing or something found, or a rollout held. With 2 it was refused."""
_ODD = (
    "Traceback (most recent call last)",
    "No such command",
    "No such option",
    "unknown flag",
    "unknown command",
)


class Page:
    """One page of ``docs/runbooks``."""

    def __init__(self, alert: str) -> None:
        self.alert = alert
        self.path = PAGES / f"{alert}.md"
        self.text = self.path.read_text()

    def section(self, heading: str) -> str:
        _, found, rest = self.text.partition(f"\n## {heading}\n")
        assert found, f"{self.path.name} has no section {heading!r}"
        return rest.partition("\n## ")[0]

    def commands(self, heading: str = "First five minutes") -> list[str]:
        """The lines that somebody types below a heading."""
        blocks = re.findall(r"```sh\n(.*?)```", self.section(heading), re.DOTALL)
        return [line for block in blocks for line in block.splitlines() if line.strip()]

    def mitigation(self, beginning: str) -> str:
        """The row of the mitigations that begins so: what a drill does must be what the page says."""
        rows = re.findall(r"^\| (.+?) \| .+ \|$", self.section("Mitigations"), re.MULTILINE)
        found = [row for row in rows if row.startswith(beginning)]
        assert found, f"{self.path.name} has no mitigation that begins with {beginning!r}; it has {rows}"
        return found[0]

    def stamp(self, on: date, fires_s: float, clears_s: float, factor: int) -> None:
        """Say on the page when it was drilled last, and what was seen."""
        line = (
            f"Last drilled: {on}, by `nox -s drill -- {self.alert}`: rang after {fires_s:.0f} s and was quiet "
            f"{clears_s:.0f} s after it was mended, with times {factor} times shorter than in production.\n"
        )
        text = _STAMP.sub("", self.text)
        before, _, after = text.partition(_HEADING)
        self.path.write_text(f"{before.rstrip()}\n\n{line}{_HEADING}{after}")
        self.text = self.path.read_text()


def lacking(command: str, values: Mapping[str, str]) -> list[str]:
    """The variables that a command wants and nobody has set."""
    return sorted(set(_VARIABLE.findall(command)) - set(values))


def run(command: str, values: Mapping[str, str], environ: Mapping[str, str], folder: Path) -> tuple[int, str]:
    """Run a command of a page as printed; a problem that it finds is an answer, a command that is wrong is not."""
    left = lacking(command, {**environ, **values})
    assert not left, f"{command!r}: the drill has no value for {left}"
    told = {**environ, **values}
    shell = ["bash", "-c", command]
    done = subprocess.run(shell, env=told, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    said = done.stdout + done.stderr
    if done.returncode not in _ANSWERS or any(odd in said for odd in _ODD):
        raise AssertionError(f"{command!r} ended with {done.returncode}:\n{said[-2000:]}")
    return done.returncode, said
