"""Finds workers that run on this machine, and asks them for their health."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from trenova_workers._up._discovery import Service
from trenova_workers._up._http import get


@dataclass(frozen=True)
class LocalWorker:
    """A running process of a service; ``health`` is its answer at ``/readyz``, empty when it gave none."""

    service: str
    pid: int
    health: dict[str, Any] = field(default_factory=dict)


async def local_workers(services: Sequence[Service]) -> list[LocalWorker]:
    """Return the workers among this user's processes; of others' nothing can be learnt."""
    found = await asyncio.to_thread(_processes, services) if services else []
    healths = await asyncio.gather(*(_health(service, ports) for service, _, ports in found))
    return [LocalWorker(service, pid, health) for (service, pid, _), health in zip(found, healths, strict=True)]


def _processes(services: Sequence[Service]) -> list[tuple[str, int, list[int]]]:
    found: list[tuple[str, int, list[int]]] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            command = process.cmdline()
            name = next((s.name for s in services if _runs(s, command)), None)
            if name:
                found.append((name, process.pid, _ports(process)))
    return found


def _runs(service: Service, command: Sequence[str]) -> bool:
    """Whether this is ``python -m MODULE run ...`` or ``python .../NAME run ...``."""
    for at, word in enumerate(command):
        if word == "run" and at:
            by_module = command[at - 1] == service.module and command[at - 2 : at - 1] == ["-m"]
            return by_module or Path(command[at - 1]).name == service.name
    return False


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
