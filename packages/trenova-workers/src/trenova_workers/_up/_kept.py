"""A process that is kept: asked until it is ready, started again after each death, given up when it only dies."""

import asyncio
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Any

from trenova_workers._up._http import get
from trenova_workers._up._options import Limits
from trenova_workers._up._processes import Child, Deliver, Processes
from trenova_workers._up._restarts import Restarts
from trenova_workers._up._screen import Screen
from trenova_workers._up._table import seconds

_ASK_EVERY = 0.1


class State(StrEnum):
    """Where a kept process is in its life."""

    WAITING = "waiting"
    PREPARING = "preparing"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    FAILED = "failed"
    STOPPED = "stopped"


class Kept(ABC):
    """One process under supervision; what is started and learned of it, a subclass says."""

    def __init__(
        self,
        name: str,
        environ: Mapping[str, str],
        processes: Processes,
        screen: Screen,
        limits: Limits,
    ) -> None:
        self.name = name
        self.state = State.WAITING
        self.settled = asyncio.Event()
        self.given_up = asyncio.Event()
        self.pid: int | None = None
        self.reason = ""
        self.took_start: float | None = None
        self._environ = environ
        self._processes = processes
        self._screen = screen
        self._limits = limits
        self._restarts = Restarts(limits)
        self._started: list[Child] = []
        self._keeping: asyncio.Task[None] | None = None

    @property
    def said_state(self) -> str:
        """Its state for the table, with the reason if there is one."""
        return f"{self.state} ({self.reason})" if self.reason else str(self.state)

    def keep(self) -> None:
        """Run it from now on, again after each death, until it is stopped or given up."""
        self._keeping = asyncio.ensure_future(self._keep())

    @abstractmethod
    async def start(self) -> tuple[Child, int]:
        """Start the process once; the child, and the loopback port on which ``/readyz`` answers."""

    @abstractmethod
    async def stop(self) -> None:
        """Let it end in its own time, and by force after it."""

    def learn(self, said: Mapping[str, Any]) -> None:  # noqa: B027 - most have nothing to learn
        """Take note of what its ``/readyz`` said when it became ready."""

    async def end(self, limit: float) -> None:
        """Stop keeping it and let it end: SIGTERM, and by force after ``limit`` seconds."""
        if self._keeping:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        running = [child.stop(limit) for child in self._started if child.running]
        if not all(await asyncio.gather(*running)):
            self._screen.say(f"{self.name} did not drain within {limit:g} s and was killed", "bold red")
        if self.state is not State.FAILED:
            self.state = State.STOPPED

    async def _keep(self) -> None:
        while True:
            self.state = State.STARTING if self.took_start is None else State.RESTARTING
            status = await self._run_once()
            self.pid = None
            delay = self._restarts.after_death()
            if delay is None:
                self._give_up(status)
                return
            self.state = State.RESTARTING
            self._screen.say(f"{self.name} {ended(status)}; starting it again in {seconds(delay)}", "bold yellow")
            await asyncio.sleep(delay)

    async def _spawn(
        self, command: Sequence[str], *, out: Deliver | None = None, environ: Mapping[str, str] | None = None
    ) -> Child:
        child = await self._processes.spawn(
            command,
            {**self._environ, **(environ or {})},
            out=out,
            err=None if out else self._log,
        )
        self._started = [*(earlier for earlier in self._started if earlier.running), child]
        return child

    async def _run_once(self) -> int:
        begun = time.monotonic()
        child, port = await self.start()
        self.pid = child.pid
        asking = asyncio.ensure_future(self._until_ready(port, begun))
        try:
            return await child.wait()
        finally:
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking

    async def _until_ready(self, port: int, begun: float) -> None:
        while True:
            answer = await get(port, "/readyz")
            if answer and answer[0] == 200:  # noqa: PLR2004  # OK
                break
            if answer:
                self.reason = str(_said(answer[1]).get("reason") or "")
            await asyncio.sleep(_ASK_EVERY)
        took = time.monotonic() - begun
        self.learn(_said(answer[1]))
        if self.took_start is None:
            self.took_start = took
        else:
            self._screen.say(f"{self.name} is ready again (pid {self.pid}) after {seconds(took)}")
        self.state, self.reason = State.READY, ""
        self.settled.set()

    def _give_up(self, status: int) -> None:
        self.state, self.reason = State.FAILED, f"ended {self._restarts.said()}"
        self._screen.say(
            f"{self.name} {ended(status)}, {self._restarts.said()}; it is not started again",
            "bold red",
        )
        self.given_up.set()
        self.settled.set()

    def _log(self, line: str) -> None:
        self._screen.log(self.name, line)


def ended(status: int) -> str:
    """How a process ended, in words."""
    return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"


def _said(body: bytes) -> dict[str, Any]:
    with suppress(ValueError):
        said = json.loads(body)
        return said if isinstance(said, dict) else {}
    return {}
