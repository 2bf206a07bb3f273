"""Web consoles: found like workers, told by variables where to listen, and asked by their file where they are.

The contract, which every console keeps (README, "Consoles"):

- ``TRENOVA_CONSOLE__PORT``: the port of 127.0.0.1 to listen on, the same for as long as this ``up`` runs;
- ``TRENOVA_CONSOLE__FILE``: where it leaves ``{"url": ..., "sign_in": ...}``, readable by this user only;
- ``TRENOVA_CONSOLE__ORIGINS``: origins of the Temporal UI, with commas between;
- ``TRENOVA_CONSOLE__POOLS``: where the pool manager leaves its address and a token, if there is one;
- it answers ``/readyz`` with 200 once it serves, and ends on SIGTERM.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from pathlib import Path
from typing import Any

from trenova_workers._up._kept import Kept
from trenova_workers._up._options import LOOPBACK, Limits, Options, UpError
from trenova_workers._up._ports import claim, free_ports
from trenova_workers._up._processes import Child, Processes
from trenova_workers._up._screen import Screen
from trenova_workers._up._table import ConsoleRow

GROUP = "trenova.consoles"
CODEC_SERVER = "codec-server"
"""The console of this name is handed to the Temporal UI, to decode what is encrypted."""
DASHBOARD = "dashboard"
"""The console that people keep a bookmark of."""

_STOP = 15.0
_NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class ConsoleService:
    """A console that ``python -m <module>`` runs."""

    name: str
    module: str


def installed_consoles(found: Iterable[EntryPoint] | None = None) -> list[ConsoleService]:
    """Every console declared in the entry-point group ``trenova.consoles`` that is installed whole, by name.

    A console may be an extra of its package: ``name = "module [extra]"``. Without that extra's requirements it
    is left out.

    Raises:
        UpError: Two packages declare the same name for different modules.
    """
    consoles: dict[str, ConsoleService] = {}
    for point in entry_points(group=GROUP) if found is None else found:
        console = ConsoleService(point.name, point.module)
        if not _whole(point):
            continue
        known = consoles.setdefault(point.name, console)
        if known != console:
            raise UpError(
                f"Two packages declare a console {point.name!r}: modules {known.module} and {console.module}. "
                "Uninstall one of them."
            )
    return [consoles[name] for name in sorted(consoles)]


class Console(Kept):
    """One installed console under supervision, at an address that stays."""

    def __init__(
        self,
        service: ConsoleService,
        environ: Mapping[str, str],
        processes: Processes,
        screen: Screen,
        limits: Limits,
        *,
        port: int,
    ) -> None:
        super().__init__(service.name, environ, processes, screen, limits)
        self.service = service
        self.port = port
        self.link = self.url
        self._file = Path(environ["TRENOVA_DATA_DIR"]) / "consoles" / f"{service.name}.json"

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def row(self) -> ConsoleRow:
        """What the table says of it."""
        return ConsoleRow(self.name, self.link, self.pid, self.said_state, self.took_start)

    async def start(self) -> tuple[Child, int]:
        """Start it."""
        self._file.unlink(missing_ok=True)
        told = {"TRENOVA_CONSOLE__PORT": str(self.port), "TRENOVA_CONSOLE__FILE": str(self._file)}
        return await self._spawn([sys.executable, "-m", self.service.module], environ=told), self.port

    def learn(self, said: Mapping[str, Any]) -> None:  # noqa: ARG002  # what it says is in its file
        """Take the address to open from its file; a link to sign in works once, so a new one is said."""
        with suppress(OSError, ValueError, AttributeError):
            left = json.loads(self._file.read_text(encoding="utf-8"))
            self.link = str(left.get("sign_in") or left.get("url") or self.url)
        if self.took_start is not None:
            self._screen.say(f"{self.name} is at {self.link}")

    async def stop(self) -> None:
        """Let it end."""
        await self.end(_STOP)


def console_ports(options: Options, consoles: Sequence[ConsoleService]) -> dict[str, int]:
    """A port for each console: what the options say, otherwise a free one that nothing else of this ``up`` takes.

    Codec server and dashboard stand beside the Temporal UI, at the next two ports, unless that is a free one too:
    browsers remember their addresses, so they should stay.

    Raises:
        UpError: A port is taken, or is that of a console that is not installed.
    """
    names = [one.name for one in consoles]
    if unknown := sorted(set(options.console_ports) - set(names)):
        raise UpError(f"No console {unknown[0]!r} is installed; there are {', '.join(names) or 'none'}.")
    fixed = dict(options.console_ports)
    for beside, name in enumerate((CODEC_SERVER, DASHBOARD), start=1):
        if name in names and options.ui_port:
            fixed.setdefault(name, options.ui_port + beside)
    taken = {options.port, options.ui_port, *fixed.values()}
    free = [port for port in free_ports(len(names) + len(taken)) if port not in taken]
    told = {name: claim(port, f"--console-port {name}", name, sign="=") for name, port in fixed.items()}
    return {name: told.get(name) or free[at] for at, name in enumerate(names)}


def origins(ui_port: int) -> str:
    """The origins under which a browser may have opened the Temporal UI."""
    return f"http://{LOOPBACK}:{ui_port},http://localhost:{ui_port}"


def _whole(point: EntryPoint) -> bool:
    """Whether what the entry point's extras require is installed, by the metadata of its package."""
    if not point.extras or point.dist is None:
        return True
    wanted = [
        requirement
        for requirement in point.dist.requires or ()
        if any(re.search(rf"extra\s*==\s*['\"]{re.escape(extra)}['\"]", requirement) for extra in point.extras)
    ]
    return all(_installed(requirement) for requirement in wanted)


def _installed(requirement: str) -> bool:
    name = _NAME.match(requirement)
    try:
        return name is not None and distribution(name[0]) is not None
    except PackageNotFoundError:
        return False
