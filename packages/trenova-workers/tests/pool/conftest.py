"""Stores on SQLite and PostgreSQL, pools of real processes, and a control law that says what a test wants."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from trenova_store.testing import PostgresServer
from trenova_workers.pool.store import PoolStore, PoolStoreOptions

sys.path.insert(0, str(Path(__file__).parent))

from pool_site import Site


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that lives as long as the session."""
    try:
        server = PostgresServer()
    except RuntimeError as error:
        pytest.skip(str(error))
    with server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> str:
    """An empty PostgreSQL database of this test."""
    return postgres.create_database()


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
