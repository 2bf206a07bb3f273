"""The demo of every worker in its order, and whether the world is as it was asked to be.

A worker's ``demo --token T --json`` prints one JSON object a line::

    {"event": "progress", "label": str, "done": int, "total": int | null}
    {"event": "check", "name": str, "expected": any, "actual": any, "ok": bool}
    {"event": "summary", "text": str}

Other events and fields are passed over, so that a worker may say more than this command knows.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from trenova_workers._up._discovery import Service
from trenova_workers._up._kept import ended
from trenova_workers._up._options import Limits
from trenova_workers._up._processes import Child, Processes
from trenova_workers._up._progress import ProgressView, progress_view
from trenova_workers._up._screen import Screen, clean
from trenova_workers._up._table import new_table, seconds

_GRACE = 10.0


@dataclass(frozen=True)
class Check:
    """One comparison of what was asked for with what was found."""

    name: str
    expected: str
    actual: str
    ok: bool


class Demo:
    """One run of all demos; what the workers make of ``token`` is theirs, and new each time."""

    def __init__(self, environ: Mapping[str, str], processes: Processes, screen: Screen, limits: Limits) -> None:
        self.token = secrets.token_hex(4)
        self.checks: list[Check] = []
        self.summaries: list[str] = []
        self._environ = environ
        self._processes = processes
        self._screen = screen
        self._limits = limits
        self._heard = 0.0

    async def run(self, services: Sequence[Service]) -> bool:
        """Run the demos one after the other and print the comparison; whether everything agreed.

        The first demo that fails to finish ends the run: the later ones build on it.
        """
        begun = time.monotonic()
        with progress_view(self._screen) as view:
            for service in services:
                if not await self._run_one(service, view):
                    break
        for renderable in self._comparison(time.monotonic() - begun, len(services)):
            self._screen.show(renderable)
        return bool(self.checks) and all(check.ok for check in self.checks)

    async def _run_one(self, service: Service, view: ProgressView) -> bool:
        self._screen.say(f"demo of {service.name} ({self.token})")
        before = len(self.checks)
        child = await self._processes.spawn(
            service.command("demo", "--token", self.token, "--json"),
            self._environ,
            out=lambda line: self._hear(service.name, line, view),
            err=lambda line: self._screen.log(service.name, line),
        )
        try:
            problem = await self._until_finished(child)
        finally:
            await child.stop(_GRACE)
        # A demo exits 1 when a check disagrees; that is told by the check.
        if not problem or not all(check.ok for check in self.checks[before:]):
            return True
        self.checks.append(Check(f"demo of {service.name} finishes", "status 0", problem, ok=False))
        return False

    async def _until_finished(self, child: Child) -> str:
        """Empty when it finished with status 0, otherwise how it ended."""
        self._heard = time.monotonic()
        finished = asyncio.ensure_future(child.wait())
        while not finished.done():
            silent = time.monotonic() - self._heard
            if silent > self._limits.demo_silence:
                child.kill()
                await finished
                return f"killed after {self._limits.demo_silence:g} s without a sign of life"
            await asyncio.wait([finished], timeout=self._limits.demo_silence - silent + 0.01)
        return ended(finished.result()) if finished.result() else ""

    def _hear(self, name: str, line: str, view: ProgressView) -> None:
        self._heard = time.monotonic()
        try:
            event = json.loads(line)
            kind = event.get("event")
            if kind == "progress":
                view.update(name, str(event["label"]), int(event["done"]), _count(event.get("total")))
            elif kind == "check":
                self.checks.append(read_check(event))
            elif kind == "summary":
                self.summaries.append(clean(str(event["text"]), colour=False))
                self._screen.log(name, str(event["text"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            # Perhaps a library that prints; a check lost this way still shows in the demo's status.
            self._screen.log(name, line)

    def _comparison(self, took: float, services: int) -> list[Table | Text]:
        plain = self._screen.plain
        table = new_table(plain=plain)
        for column in ("check", "asked for", "found", "ok"):
            table.add_column(column, overflow="fold")
        for check in self.checks:
            style = None if plain else ("green" if check.ok else "bold red")
            table.add_row(check.name, check.expected, check.actual, "yes" if check.ok else "NO", style=style)
        wrong = sum(not check.ok for check in self.checks)
        total = _counted(len(self.checks), "check")
        verdict = f"{wrong} of {total} disagree" if wrong else f"{total} agree{'s' * (len(self.checks) == 1)}"
        summary = f"Demo {self.token}: {verdict} ({_counted(services, 'worker')}, {seconds(took)})."
        summary = " ".join([summary, *self.summaries])
        if not self.checks:
            return [Text(f"Demo {self.token}: no worker checked anything.", style="bold red")]
        return [table, Text(summary, style="bold red" if wrong else "bold green")]


def read_check(event: Mapping[str, Any]) -> Check:
    """A check from its event; one without a verdict disagrees.

    Raises:
        KeyError: It has no name.
    """
    return Check(
        name=_shown(event["name"]),
        expected=_shown(event.get("expected")),
        actual=_shown(event.get("actual")),
        ok=event.get("ok") is True,
    )


def _shown(value: object) -> str:
    return clean(value if isinstance(value, str) else json.dumps(value), colour=False)


def _count(value: object) -> int | None:
    return int(value) if isinstance(value, int) else None


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
