"""An engine on SQLite and one on PostgreSQL, both real and of one test alone."""

from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest

from trenova_store import StoreEngine, StoreOptions, translated
from trenova_store.testing import PostgresServer


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server that lives as long as the session."""
    try:
        server = PostgresServer()
    except RuntimeError as error:
        pytest.skip(str(error))
    with server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """An empty PostgreSQL database of this test."""
    return postgres_server.create_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database: every test runs once on each kind."""
    return f"sqlite:///{tmp_path}/store.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def opened():
    """Make an engine of a URL and further options."""

    def make(url: str, **further: object) -> StoreEngine:
        options = StoreOptions(url=url, **further)
        return StoreEngine(
            options, application="shelves", translated=partial(translated, options.place, "shelves db migrate")
        )

    return make


@pytest.fixture
async def engine(url: str, opened) -> AsyncIterator[StoreEngine]:
    """An engine of an empty database."""
    made = opened(url)
    yield made
    await made.close()
