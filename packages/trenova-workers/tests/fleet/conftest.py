import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

WORKER = Path(__file__).with_name("one_worker.py")


class Processes:
    """Starts workers of the plain SDK on a queue of their own, and ends them."""

    def __init__(self, address):
        self.address = address
        self.queue = f"fleet-{uuid.uuid4().hex[:8]}"
        self._all = []

    def begin(self, identity, **told):
        """Start a process; ``until_polling`` waits for it."""
        told = {"address": self.address, "queue": self.queue, "identity": identity, "heartbeat_s": 1, **told}
        process = subprocess.Popen([sys.executable, WORKER, json.dumps(told)], stdout=subprocess.PIPE, text=True)
        self._all.append(process)
        return process

    def until_polling(self):
        for process in self._all:
            if process.poll() is None:
                assert process.stdout.readline() == "polling\n"

    def end(self):
        for process in self._all:
            process.kill()
            process.wait()
            process.stdout.close()


@pytest.fixture
def workers(server):
    processes = Processes(server.address)
    yield processes
    processes.end()
