"""A store on SQLite and one on PostgreSQL, both real and of one test alone."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from trenova_schedules.store import ScheduleStore, StoreOptions, migrate
from trenova_store.testing import PostgresServer


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
    return f"sqlite:///{tmp_path}/store.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
async def store(url: str) -> AsyncIterator[ScheduleStore]:
    """A migrated store."""
    async with ScheduleStore.open(StoreOptions(url=url)) as opened:
        await migrate(opened)
        yield opened
