"""Finds workers that run on this machine, and asks them for their health."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from trenova_errors import ConfigurationError
from trenova_errors.connecting import connect_config
from trenova_workers._up._discovery import Service
from trenova_workers._up._http import get


@dataclass(frozen=True)
class LocalWorker:
    """A running process of a service.

    Attributes:
        service: Its name.
        pid: Of the process.
        health: Its answer at ``/readyz``, empty when it gave none.
        server: The address of its Temporal server, as :func:`server_of` tells.
    """

    service: str
    pid: int
    health: dict[str, Any] = field(default_factory=dict)
    server: str | None = None


async def local_workers(services: Sequence[Service]) -> list[LocalWorker]:
    """Return the workers among this user's processes; of others' nothing can be learnt."""
    found = await asyncio.to_thread(_processes, services) if services else []
    healths = await asyncio.gather(*(_health(service, ports) for service, _, ports, _ in found))
    return [
        LocalWorker(service, pid, health, server)
        for (service, pid, _, server), health in zip(found, healths, strict=True)
    ]


def server_of(environ: Mapping[str, str]) -> str | None:
    """Return the address of the Temporal server that an environment leads to; None where that cannot be told."""
    with suppress(ConfigurationError):
        host, _, port = connect_config(environ)["target_host"].rpartition(":")
        return f"{'127.0.0.1' if host == 'localhost' else host}:{port}"
    return None


def _processes(services: Sequence[Service]) -> list[tuple[str, int, list[int], str | None]]:
    found: list[tuple[str, int, list[int], str | None]] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            command = process.cmdline()
            name = next((s.name for s in services if _runs(s, command)), None)
            if name:
                found.append((name, process.pid, _ports(process), _server(process)))
    return found


def _runs(service: Service, command: Sequence[str]) -> bool:
    """Whether this is ``python -m MODULE run ...`` or ``python .../NAME run ...``."""
    for at, word in enumerate(command):
        if word == "run" and at:
            by_module = command[at - 1] == service.module and command[at - 2 : at - 1] == ["-m"]
            return by_module or Path(command[at - 1]).name == service.name
    return False


def _server(process: psutil.Process) -> str | None:
    with suppress(psutil.Error):
        return server_of(process.environ())
    return None


def _ports(process: psutil.Process) -> list[int]:
    with suppress(psutil.Error):
        sockets: Iterable[Any] = process.net_connections(kind="tcp4")
        return [one.laddr.port for one in sockets if one.status == psutil.CONN_LISTEN]
    return []


async def _health(service: str, ports: Sequence[int]) -> dict[str, Any]:
    for port in ports:
        answer = await get(port, "/readyz")
        if answer is None:
            continue
        with suppress(ValueError):
            body = json.loads(answer[1])
            if isinstance(body, dict) and body.get("service", service) == service:
                return body
    return {}
