import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

FAKES = Path(__file__).with_name("fakes")


class Up:
    """An ``up`` that runs as a process, and what it printed so far."""

    def __init__(self, command, environ):
        self.process = subprocess.Popen(
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.pid = self.process.pid
        self._lines = []
        self._deaf = False
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        while not self._deaf and (line := self.process.stdout.readline()):
            self._lines.append(line)
        self.process.stdout.close()

    @property
    def printed(self):
        return "".join(self._lines)

    def until(self, pattern, limit=40):
        """Wait until ``pattern`` was printed; the match."""
        deadline = time.monotonic() + limit
        while not (found := re.search(pattern, self.printed, re.MULTILINE)):
            if time.monotonic() > deadline or not self._reader.is_alive():
                pytest.fail(f"{pattern!r} was never printed:\n{self.printed}")
            time.sleep(0.02)
        return found

    def until_ready(self):
        return self.until(r"^Ready after")

    def stop_reading(self):
        """Close its output after the next line."""
        self._deaf = True

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=None, limit=40):
        """Its exit status, after a signal if one is given."""
        if number is not None:
            self.send(number)
        status = self.process.wait(limit)
        self._reader.join(5)
        return status

    def family(self):
        """Every process it started."""
        return psutil.Process(self.pid).children(recursive=True)

    def close(self):
        if self.process.poll() is None:
            for child in self.family():
                with contextlib.suppress(psutil.NoSuchProcess):  # it may end between the look and the signal
                    child.kill()
            self.process.kill()
        self.process.wait(10)
        self._reader.join(10)


class Stage:
    """A folder with fake workers, and the ups started in it."""

    def __init__(self, folder):
        self.folder = folder
        self.data_dir = folder / "data"
        self.journal = folder / "journal"
        self.binary = folder / "temporal"
        self.binary.write_text(f"#!{sys.executable} -I\n" + (FAKES / "fake_temporal.py").read_text())
        self.binary.chmod(0o755)
        self.services = []
        self.consoles = []
        self.ups = []
        self.environ = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(folder), str(FAKES), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "FAKE_JOURNAL": str(self.journal),
            "PYTHONWARNINGS": "error",
        }

    def add(self, name, **plan):
        """Write the module of a fake worker."""
        module = name.replace("-", "_")
        (self.folder / f"{module}.py").write_text(f"from fake_worker import main\nmain({name!r})\n")
        self.services.append((name, module))
        plans = json.loads(self.environ.get("FAKE_PLAN", "{}")) | {name: plan}
        self.environ["FAKE_PLAN"] = json.dumps(plans)

    def add_console(self, name, **plan):
        """Write the module of a fake console."""
        module = name.replace("-", "_")
        (self.folder / f"{module}.py").write_text(f"from fake_console import main\nmain({name!r})\n")
        self.consoles.append((name, module))
        plans = json.loads(self.environ.get("FAKE_PLAN", "{}")) | {name: plan}
        self.environ["FAKE_PLAN"] = json.dumps(plans)

    def up(self, **told):
        """Start ``up`` with the fake workers and the fake server."""
        told = {
            "data_dir": str(self.data_dir),
            "binary": str(self.binary),
            "services": self.services,
            "consoles": self.consoles,
            **told,
        }
        return self.start([sys.executable, str(FAKES / "drive.py"), json.dumps(told)])

    def start(self, command):
        up = Up(command, self.environ)
        self.ups.append(up)
        return up

    def notes(self, **like):
        """What the fake workers noted, those that are ``like`` this."""
        if not self.journal.exists():
            return []
        notes = [json.loads(line) for line in self.journal.read_text().splitlines()]
        return [note for note in notes if like.items() <= note.items()]


@pytest.fixture
def stage(tmp_path):
    stage = Stage(tmp_path)
    yield stage
    for up in stage.ups:
        up.close()


@pytest.fixture
def gone():
    """Wait until processes have ended."""

    def wait(processes, limit=15):
        _, alive = psutil.wait_procs(processes, timeout=limit)
        alive = [one for one in alive if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
        assert not alive

    return wait
