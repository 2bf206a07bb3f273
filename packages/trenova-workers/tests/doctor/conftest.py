"""The sample service as an installed one, in a folder that only the processes of a test have on their path."""

import asyncio
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from trenova_workers._doctor._checks import chosen
from trenova_workers._doctor._examine import Options, examine, exit_status
from trenova_workers._up._discovery import Service

PROGRAM = "from trenova_workers.cli import main; main()"


@dataclass
class Doctor:
    """Runs the doctor: ``call`` as a process, ``look`` here, where only the services are processes."""

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

    def call(self, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, "doctor", *arguments],
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
            cwd=self.folder,
        )

    def look(
        self, *only: str, services: dict[str, str] | None = None, environ: dict[str, str] | None = None, **told: bool
    ) -> "tuple[int, list[dict[str, Any]]]":
        """Exit status and diagnoses as ``--json`` prints them."""
        options = Options({**self.environ, **(environ or {})}, self.folder / ".trenova", **told)
        chosen_services = [Service(*one) for one in (services or {"sample-worker": "sample_worker"}).items()]
        found = asyncio.run(examine(options, chosen_services, chosen(only)))
        return exit_status(found), [one.as_json() for one in found]


@pytest.fixture
def doctor(sample, tmp_path, monkeypatch):
    """The doctor, with the sample service installed against the same server."""
    folder = tmp_path / "installed"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))  # the doctor looks for distributions and sources on its own path
    attribute = f"Tag{uuid.uuid4().hex[:8]}"
    sample.environ |= {
        "PYTHONPATH": os.pathsep.join([str(folder), sample.environ["PYTHONPATH"]]),
        "SAMPLE_ATTRIBUTE": attribute,
    }
    made = Doctor(folder, sample.environ.copy(), attribute)
    made.install("sample-worker", "sample_worker", "trenova-workers>=0.3")
    return made
