"""A pool of the sample service under ``trenova-workers pool run``, on a server of its own."""

import contextlib
import signal
import subprocess
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import yaml
from pool_site import Site

from real.dev_server import DevServer

SCOPE, POOL = "here", "errands"


class RealSite(Site):
    """A folder with everything: server, managers, their database, the workers' output, the ledger.

    Args:
        folder: Empty.
        slots: Activities that a worker does at once.
        policy: Of the pool.
        nice: Priority of the server.
        kept: Whether the server is on a file, and can be killed.
        pool: Further options of the pool.
    """

    def __init__(
        self, folder: Path, *, slots: int, policy: Mapping[str, Any], kept: bool, nice: int = 0, **pool: Any
    ) -> None:
        self.server = DevServer(folder, kept=kept, nice=nice)
        super().__init__(folder, self.server.address)
        self.environ |= {
            "SAMPLE_WORKER_WORKER__MAX_ACTIVITIES": str(slots),
            "SAMPLE_WORKER_WORKER__MAX_WORKFLOW_TASKS": "20",
            "SAMPLE_WORKER_WORKER__HEARTBEAT_INTERVAL_S": "2",
        }
        self.database = folder / "pools.db"
        self._file = folder / "pools.yaml"
        told = {
            "scope": SCOPE,
            "data_dir": str(folder / "data"),
            "database": {"url": f"sqlite:///{self.database}"},
            "lease_s": 5,
            "look_s": 0.5,
            "pools": {POOL: {"process": {"module": "sample_worker", "build": "one"}, "policy": dict(policy), **pool}},
        }
        self._file.write_text(yaml.safe_dump(told))

    def start_manager(self, *flags: str) -> subprocess.Popen[bytes]:
        """Start ``trenova-workers pool run`` in a session of its own."""
        command = [str(Path(sysconfig.get_path("scripts")) / "trenova-workers"), "pool", "run", *flags]
        with (self.folder / f"manager-{len(self.managers)}.log").open("wb") as log:
            manager = subprocess.Popen(
                [*command, "--pools", str(self._file)],
                env=self.environ,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )
        self.managers.append(manager)
        return manager

    def unborn(self) -> list[int]:
        """Return the processes that wait for a manager's word to become workers of this site."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            with contextlib.suppress(psutil.Error):
                command = process.info["cmdline"] or []
                if "-I" in command and process.environ().get("SAMPLE_WORKER_QUEUE") == self.queue:
                    found.append(process.pid)
        return found

    def drain(self) -> set[int]:
        """End all managers, have one drain the pool, and return the processes that are left."""
        for manager in self.managers:
            if manager.poll() is None:
                manager.send_signal(signal.SIGTERM)
        for manager in self.managers:
            manager.wait(60)
        last = self.start_manager("--drain")
        self.until_said(last, "managing")
        last.send_signal(signal.SIGTERM)
        last.wait(120)
        return self.pids()

    def until_said(self, manager: subprocess.Popen[bytes], what: str) -> None:
        """Wait until a manager has said something."""
        from pool_site import eventually

        log = self.folder / f"manager-{self.managers.index(manager)}.log"
        eventually(lambda: what in log.read_text() or manager.poll() is not None, seconds=90)

    def clean(self) -> None:
        """Leave no process behind."""
        super().clean()
        self.server.kill()
