"""The sample service as an installed one, in a folder that only the processes of a test have on their path."""

import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROGRAM = "from trenova_workers.cli import main; main()"


@dataclass
class Doctor:
    """Runs ``trenova-workers doctor`` as a process."""

    folder: Path
    environ: dict[str, str]
    attribute: str

    def install(self, name: str, module: str, *requires: str) -> None:
        """Declare ``module`` as the service ``name`` of a distribution."""
        home = self.folder / f"{module}-1.0.dist-info"
        home.mkdir(parents=True)
        lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {r}" for r in requires)]
        (home / "METADATA").write_text("\n".join([*lines, ""]))
        (home / "entry_points.txt").write_text(f"[trenova.workers]\n{name} = {module}\n")

    def write(self, module: str, source: str) -> None:
        """Write a module that its processes can run."""
        (self.folder / f"{module}.py").write_text(source)

    def call(
        self, *arguments: str, service: str = "sample-worker", **environ: str
    ) -> "subprocess.CompletedProcess[str]":
        chosen = ("--service", service) if service else ()
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, "doctor", *chosen, *arguments],
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
            cwd=self.folder,
        )

    def look(self, *arguments: str, **more: str) -> "tuple[int, list[dict[str, Any]]]":
        """Exit status and diagnoses of ``--json``."""
        ended = self.call("--json", *arguments, **more)
        assert ended.stderr == ""
        return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()]


@pytest.fixture
def doctor(sample, tmp_path):
    """The doctor, with the sample service installed against the same server."""
    folder = tmp_path / "installed"
    folder.mkdir()
    attribute = f"Tag{uuid.uuid4().hex[:8]}"
    environ = {
        **sample.environ,
        "PYTHONPATH": os.pathsep.join([str(folder), sample.environ["PYTHONPATH"]]),
        "SAMPLE_ATTRIBUTE": attribute,
    }
    sample.environ |= {"SAMPLE_ATTRIBUTE": attribute}
    made = Doctor(folder, environ, attribute)
    made.install("sample-worker", "sample_worker", "trenova-workers>=0.3")
    return made
