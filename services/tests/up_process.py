"""``trenova-workers up`` as a process, with what it prints."""

import re
import signal
import subprocess
import sysconfig
import threading
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from service_processes import clean_environ, codec, eventually
from temporalio.client import Client

from trenova_errors import ErrorsPlugin

COMMAND = Path(sysconfig.get_path("scripts")) / "trenova-workers"
READY_S = 60


class Up:
    """One ``up`` and what it has printed so far."""

    def __init__(self, folder: Path, *options: str, **environ: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [COMMAND, "up", "--data-dir", str(folder), "--port", "0", "--ui-port", "0", *options],
            cwd=folder.parent,
            env=clean_environ(COLUMNS="160", **environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        with self.process.stdout as out:
            self._lines.extend(iter(out.readline, ""))

    @property
    def printed(self) -> str:
        return "".join(self._lines)

    def until(self, pattern: str, seconds: float = READY_S) -> "re.Match[str]":
        def look():
            alive = self._reader.is_alive()
            found = re.search(pattern, self.printed, re.MULTILINE)
            assert found or alive, f"{pattern!r} was never printed:\n{self.printed}"
            return found

        try:
            return eventually(look, seconds=seconds)
        except TimeoutError:
            pytest.fail(f"{pattern!r} was not printed in {seconds} s:\n{self.printed}")

    def until_ready(self) -> None:
        self.until(r"^Ready after")

    async def client(self) -> Client:
        address = self.until(r"^Temporal server  (127\.0\.0\.1:\d+)")[1]
        return await Client.connect(address, plugins=[ErrorsPlugin(), codec({"TRENOVA_DATA_DIR": str(self.folder)})])

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def worker(self, module: str) -> psutil.Process:
        return next(one for one in self.family() if one.cmdline()[-3:] == ["-m", module, "run"])

    def end(self, number: signal.Signals, seconds: float = 60) -> int:
        self.process.send_signal(number)
        status = self.process.wait(seconds)
        self._reader.join(10)
        return status

    def close(self) -> None:
        if self.process.poll() is None:
            for one in [*self.family(), psutil.Process(self.process.pid)]:
                with suppress(psutil.NoSuchProcess):
                    one.kill()
        self.process.wait(10)
        self._reader.join(10)
