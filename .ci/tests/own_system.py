"""What ``trenova-workers up`` runs, and commands of pages beside it as its user types them."""

import json
import re
import shutil
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml
from doc_pages import FENCE, PAGES, PLACEHOLDERS, ROOT
from own_runs import Run, Runner
from service_processes import clean_environ
from up_process import Up

HERE = Path(__file__).parent
FILES = HERE / "commands"
"""What commands of pages name and no page shows: workflows, rules, definitions."""
HISTORIES = ROOT / "packages/trenova-activities/tests/histories/0.4.0"
TABLE = yaml.safe_load((HERE / "own_commands.yaml").read_text())
GOES_ON_S = 4
_STOPPED = {-signal.SIGTERM, 128 + signal.SIGTERM}


def told_of(part: str, words: Sequence[str]) -> list[Any]:
    """What a part of the table says of a command."""
    line = " ".join(words)
    return [said for pattern, said in TABLE[part].items() if re.search(pattern, line)]


def matches(part: str, words: Sequence[str]) -> bool:
    """Whether a part of the table that is a list has a command."""
    return any(re.search(pattern, " ".join(words)) for pattern in TABLE[part])


def wrong(words: Sequence[str], done: Run) -> str | None:
    """What is wrong with how a command ended."""
    if "Traceback (most recent call last)" in done.output:
        return f"it ends in a traceback: {done.output}"
    stopped = done.status in _STOPPED and matches("goes on", words)
    told = any(re.search(said, done.output) for said in told_of("not zero", words))
    return None if done.status == 0 or stopped or told else f"it ends with {done.status}: {done.output}"


def files_of(page: Path) -> dict[str, str]:
    """What a page shows as a file: a block that begins with its name."""
    texts = [dedent(fence["text"]) for fence in FENCE.finditer(page.read_text())]
    return {name[1]: text for text in reversed(texts) if (name := re.match(r"# ([\w-]+\.(?:yaml|py))\b", text))}


@dataclass
class System:
    """What ``up`` runs, and the shell beside it.

    Attributes:
        folder: Where everything is typed.
        environ: Of the shell, as README.md has it.
        values: What placeholders stand for.
        typed: The commands of pages that were run.
    """

    runner: Runner
    folder: Path
    environ: dict[str, str]
    values: dict[str, str]
    typed: set[tuple[str, ...]] = field(default_factory=set)

    def run(self, *words: str) -> Run:
        """Run a command with what the table says of it, and real values for its placeholders."""
        values = self.values | TABLE["values"].get(words[0], {})
        environ = self.environ | {name: value for more in told_of("environ", words) for name, value in more.items()}
        stop_after = GOES_ON_S if matches("goes on", words) else None
        told = [values.get(word, word) for word in words]
        done = self.runner.run(told, environ, self.folder, read=told_of("read", words), stop_after=stop_after)
        for line in told_of("then", words):
            assert self.run(*line.split()).status == 0
        return done

    def write(self, files: Mapping[str, str]) -> None:
        """Put files where they are typed about."""
        for name, text in files.items():
            (self.folder / name).write_text(text)

    def try_out(self) -> None:
        """Do what README.md begins with, so that there are shipments and a run."""
        assert self.run("trenova-activities", "db", "seed").status == 0
        self.values["PRO_NUMBER"] = self.run("trenova-activities", "db", "shipments").output.split()[0]
        said = self.run("trenova-activities", "start", "duplicate", "--shipment", "PRO_NUMBER", "--count", "1").output
        [self.values["WORKFLOW_ID"]] = re.findall(r"^Workflow (\S+)", said, re.MULTILINE)
        self.values["W"] = self.values["WORKFLOW_ID"]


@contextmanager
def started(folder: Path) -> Iterator[System]:
    """Start ``up`` in a folder that has what commands name."""
    shutil.copytree(FILES, folder, dirs_exist_ok=True)
    for histories in ("histories", "tests/histories"):
        shutil.copytree(HISTORIES, folder / histories)
    shutil.copytree(FILES / "my_package", folder / "src")
    (folder / "monday.csv").write_text("second,tasks\n" + "".join(f"{second},20\n" for second in range(120)))
    (folder / "monday.json").write_text(json.dumps({"name": "monday", "arrivals": [20] * 60}))
    shutil.copyfile(min(HISTORIES.glob("*.json")), folder / "history.json")
    (folder / "packages").symlink_to(ROOT / "packages")
    (folder / "pool-manager").symlink_to(ROOT / "services/kubernetes/components/pool-manager")
    environ = clean_environ(
        TEMPORAL_CONFIG_FILE=".trenova/temporal.toml", TRENOVA_DATA_DIR=".trenova", COLUMNS="200", NO_COLOR="1"
    )
    runner = Runner(environ | {"PYTHONPATH": str(folder)})
    up = Up(folder / ".trenova", "--no-consoles", "--pools", "2")
    try:
        system = System(runner, folder, environ, dict(PLACEHOLDERS))
        for page in PAGES:
            system.write(files_of(page))
        up.until_ready()
        system.try_out()
        yield system
    finally:
        runner.close()
        up.close()
