"""One worker from its first question to its last exit: described, prepared, run, restarted."""

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Any

from trenova_workers._up._discovery import Facts, Service, parse_facts
from trenova_workers._up._http import get
from trenova_workers._up._options import Limits, UpError
from trenova_workers._up._ports import free_ports
from trenova_workers._up._processes import Child, Deliver, Processes
from trenova_workers._up._restarts import Restarts
from trenova_workers._up._screen import Screen
from trenova_workers._up._table import Row, seconds

HEALTH_PORT = "TRENOVA_HEALTH__PORT"
_ASK_EVERY = 0.1
_AFTER_GRACE = 30.0
_SHOWN_LINES = 5


class State(StrEnum):
    """Where a worker is in its life."""

    WAITING = "waiting"
    PREPARING = "preparing"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    FAILED = "failed"
    STOPPED = "stopped"


class Worker:
    """One installed worker under supervision."""

    def __init__(
        self,
        service: Service,
        environ: Mapping[str, str],
        processes: Processes,
        screen: Screen,
        limits: Limits,
    ) -> None:
        self.service = service
        self.facts: Facts | None = None
        self.queues: tuple[str, ...] = ()
        self.state = State.WAITING
        self.settled = asyncio.Event()
        self.given_up = asyncio.Event()
        self.pid: int | None = None
        self.reason = ""
        self.took_prepare: float | None = None
        self.took_start: float | None = None
        self._environ = environ
        self._processes = processes
        self._screen = screen
        self._limits = limits
        self._restarts = Restarts(limits)
        self._started: list[Child] = []
        self._keeping: asyncio.Task[None] | None = None

    @property
    def row(self) -> Row:
        """What the table says of it."""
        state = f"{self.state} ({self.reason})" if self.reason else str(self.state)
        return Row(self.service.name, self.queues, self.pid, state, self.took_prepare, self.took_start)

    @property
    def demo_order(self) -> int:
        """When its demo runs: the lower, the sooner."""
        return self.facts.demo_order if self.facts else 0

    async def describe(self) -> None:
        """Ask for its settings.

        Not needed before it polls, since it names its queues when it is ready; and a process less to
        start first is a second less to wait. Wrong settings are refused by ``prepare`` already.

        Raises:
            UpError: Its settings are wrong; carries what it said.
        """
        said: list[str] = []
        child = await self._spawn("config", "show", "--json", out=said.append)
        if status := await child.wait():
            raise self._refusal("config show", status, child)
        self.facts = parse_facts(self.service, "\n".join(said))
        self.queues = self.facts.queues

    async def prepare(self) -> None:
        """Run its ``prepare``.

        Raises:
            UpError: It failed; carries the end of what it said.
        """
        self.state = State.PREPARING
        begun = time.monotonic()
        child = await self._spawn("prepare")
        if status := await child.wait():
            raise self._refusal("prepare", status, child)
        self.took_prepare = time.monotonic() - begun

    def keep(self) -> None:
        """Run it from now on, again after each death, until it is stopped or given up."""
        self._keeping = asyncio.ensure_future(self._keep())

    async def stop(self) -> None:
        """Let it drain: SIGTERM, then the grace that its settings give and some more."""
        if self._keeping:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        limit = self._limits.drain
        if self.facts and self.facts.grace:
            limit = max(limit, self.facts.grace + _AFTER_GRACE)
        running = [child.stop(limit) for child in self._started if child.running]
        if not all(await asyncio.gather(*running)):
            self._screen.say(f"{self.service.name} did not drain within {limit:g} s and was killed", "bold red")
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
            self._screen.say(
                f"{self.service.name} {ended(status)}; starting it again in {seconds(delay)}", "bold yellow"
            )
            await asyncio.sleep(delay)

    async def _spawn(self, *verb: str, out: Deliver | None = None, environ: Mapping[str, str] | None = None) -> Child:
        child = await self._processes.spawn(
            self.service.command(*verb),
            {**self._environ, **(environ or {})},
            out=out,
            err=None if out else self._log,
        )
        self._started = [*(earlier for earlier in self._started if earlier.running), child]
        return child

    async def _run_once(self) -> int:
        port = free_ports(1)[0]
        begun = time.monotonic()
        child = await self._spawn("run", environ={HEALTH_PORT: str(port)})
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
        self.queues = self.queues or tuple(map(str, _said(answer[1]).get("queues") or ()))
        if self.took_start is None:
            self.took_start = took
        else:
            self._screen.say(f"{self.service.name} is ready again (pid {self.pid}) after {seconds(took)}")
        self.state, self.reason = State.READY, ""
        self.settled.set()

    def _give_up(self, status: int) -> None:
        self.state, self.reason = State.FAILED, f"ended {self._restarts.said()}"
        self._screen.say(
            f"{self.service.name} {ended(status)}, {self._restarts.said()}; it is not started again",
            "bold red",
        )
        self.given_up.set()
        self.settled.set()

    def _log(self, line: str) -> None:
        self._screen.log(self.service.name, line)

    def _refusal(self, verb: str, status: int, child: Child) -> UpError:
        said = "".join(f"\n  {line}" for line in list(child.tail)[-_SHOWN_LINES:]) or " nothing"
        return UpError(f"`{self.service.name} {verb}` {ended(status)}. The end of what it said:{said}")


def ended(status: int) -> str:
    """How a process ended, in words."""
    return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"


def _said(body: bytes) -> dict[str, Any]:
    with suppress(ValueError):
        said = json.loads(body)
        return said if isinstance(said, dict) else {}
    return {}
