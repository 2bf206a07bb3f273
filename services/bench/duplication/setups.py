"""The two set-ups: each is started in a folder that holds the seeded database, and gone afterwards."""

import asyncio
import os
import re
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import psutil
from temporalio.client import Client

from trenova_activities import SEARCH_ATTRIBUTES
from trenova_errors import ErrorsPlugin

DATABASE = "tms.db"
"""Where ``up`` expects the embedded TMS in its data folder; the other set-up uses the same name."""

_PLAIN_WORKER = Path(__file__).with_name("plain_worker.py")
_SCRIPTS = Path(sysconfig.get_path("scripts"))
_NOT_INHERITED = ("PYTHON", "TRENOVA_", "TEMPORAL_", "SHIPMENT_WORKER_", "NOTIFICATION_WORKER_", "SYSTEM_WORKER_")
_START_S = 120
_STOP_S = 60
_PAUSE_S = 0.05
_SETTLE_S = 0.5


class SetupError(RuntimeError):
    """A set-up did not start; carries the end of its log."""


@dataclass(frozen=True)
class Setup:
    """One that runs.

    Attributes:
        client: Connected to its server as a caller would be.
        database: The SQLite file of the TMS.
        server: The Temporal server's process.
        workers: Every other process of it, the supervisor included.
    """

    client: Client
    database: Path
    server: psutil.Process
    workers: Sequence[psutil.Process]


@asynccontextmanager
async def ours(folder: Path) -> AsyncIterator[Setup]:
    """Run ``trenova-workers up`` with its defaults, on free ports."""
    command = [str(_SCRIPTS / "trenova-workers"), "up", "--data-dir", str(folder), "--port", "0", "--ui-port", "0"]
    with _running(command, folder / "up.log") as (up, log):
        await _until(lambda: "\nReady after " in log.read_text(), up, log)
        [address] = re.findall(r'^address = "(.+)"', (folder / "temporal.toml").read_text(), re.MULTILINE)
        client = await _client(address)
        await asyncio.sleep(_SETTLE_S)
        await _until(lambda: not _children(up, "show"), up, log)  # it asks for settings once all poll
        [server] = _children(up, "start-dev")
        yield Setup(client, folder / DATABASE, server, [up, *_children(up, "run")])


@asynccontextmanager
async def plain(folder: Path) -> AsyncIterator[Setup]:
    """Run ``temporal server start-dev --db-filename`` and the SDK's default workers in one process."""
    port, ui_port, http_port = _free_ports(3)
    address = f"127.0.0.1:{port}"
    command = [
        *(str(_SCRIPTS / "temporal"), "server", "start-dev", "--db-filename", str(folder / "temporal.db")),
        *("--port", str(port), "--ui-port", str(ui_port), "--http-port", str(http_port)),
        *(f"--search-attribute={key.name}={_camel(key.indexed_value_type.name)}" for key in SEARCH_ATTRIBUTES),
    ]
    url = f"sqlite:///{folder / DATABASE}"
    with _running(command, folder / "server.log") as (server, server_log):
        await _until(lambda: _answers(http_port), server, server_log)
        client = await _client(address)
        worker_command = [sys.executable, str(_PLAIN_WORKER), address, url]
        with _running(worker_command, folder / "worker.log") as (worker, log):
            await _until(lambda: "polling" in log.read_text(), worker, log)
            yield Setup(client, folder / DATABASE, server, [worker])


@contextmanager
def _running(command: Sequence[str], log: Path) -> Iterator[tuple[psutil.Process, Path]]:
    """Start a program for the length of the block, free of what this process's environment says."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, env=environ) as process:
        try:
            yield psutil.Process(process.pid), log
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_S)
            process.kill()


async def _until(done: Callable[[], bool], process: psutil.Process, log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while not done():
        if time.monotonic() > deadline or process.status() == psutil.STATUS_ZOMBIE:
            raise SetupError(f"{process.name()} did not start; its log ends with:\n{_tail(log)}")
        await asyncio.sleep(_PAUSE_S)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


async def _client(address: str) -> Client:
    return await Client.connect(address, plugins=[ErrorsPlugin()])


def _children(up: psutil.Process, verb: str) -> list[psutil.Process]:
    found = []
    for child in up.children():
        with suppress(psutil.NoSuchProcess):
            if verb in child.cmdline():
                found.append(child)
    return found


def _answers(http_port: int) -> bool:
    """Whether the server knows its namespace; its port is open before that."""
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{http_port}/api/v1/namespaces/default") as answer:
        return bool(answer.status == HTTPStatus.OK)
    return False


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _camel(name: str) -> str:
    """Return ``KEYWORD_LIST`` as the server's command line writes it, ``KeywordList``."""
    return name.title().replace("_", "")
