"""One worker from its first question to its last exit: described, prepared, run, restarted."""

import time
from collections.abc import Mapping
from typing import Any

from trenova_workers._up._discovery import Facts, Service, parse_facts
from trenova_workers._up._kept import Kept, State, ended
from trenova_workers._up._options import Limits, UpError
from trenova_workers._up._ports import free_ports
from trenova_workers._up._processes import Child, Processes
from trenova_workers._up._screen import Screen
from trenova_workers._up._table import Row

HEALTH_PORT = "TRENOVA_HEALTH__PORT"
_AFTER_GRACE = 30.0
_SHOWN_LINES = 5


class Worker(Kept):
    """One installed worker under supervision."""

    def __init__(
        self,
        service: Service,
        environ: Mapping[str, str],
        processes: Processes,
        screen: Screen,
        limits: Limits,
    ) -> None:
        super().__init__(service.name, environ, processes, screen, limits)
        self.service = service
        self.facts: Facts | None = None
        self.queues: tuple[str, ...] = ()
        self.took_prepare: float | None = None

    @property
    def row(self) -> Row:
        """What the table says of it."""
        return Row(self.name, self.queues, self.pid, self.said_state, self.took_prepare, self.took_start)

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
        child = await self._spawn(self.service.command("config", "show", "--json"), out=said.append)
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
        child = await self._spawn(self.service.command("prepare"))
        if status := await child.wait():
            raise self._refusal("prepare", status, child)
        self.took_prepare = time.monotonic() - begun

    async def start(self) -> tuple[Child, int]:
        """Start its ``run`` on a free health port."""
        port = free_ports(1)[0]
        return await self._spawn(self.service.command("run"), environ={HEALTH_PORT: str(port)}), port

    def learn(self, said: Mapping[str, Any]) -> None:
        """Take its queues from what it says once it polls them."""
        self.queues = self.queues or tuple(map(str, said.get("queues") or ()))

    async def stop(self) -> None:
        """Let it drain: SIGTERM, then the grace that its settings give and some more."""
        limit = self._limits.drain
        if self.facts and self.facts.grace:
            limit = max(limit, self.facts.grace + _AFTER_GRACE)
        await self.end(limit)

    def _refusal(self, verb: str, status: int, child: Child) -> UpError:
        said = "".join(f"\n  {line}" for line in list(child.tail)[-_SHOWN_LINES:]) or " nothing"
        return UpError(f"`{self.name} {verb}` {ended(status)}. The end of what it said:{said}")
