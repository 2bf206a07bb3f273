"""Fixtures for pytest: databases that are real, and of one test alone.

Import those you want into your ``conftest.py``::

    from trenova_activities.testing.fixtures import current_tms_template, current_tms_url, postgres_server

A fixture needs those that it names as arguments, so import these as well. Databases are copies of one
migrated template per session; each test has its own.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from trenova_activities.database import Database, DatabaseOptions, migrate
from trenova_activities.testing._blocking import block_on
from trenova_activities.testing._current_tms import install_current_tms
from trenova_store.testing import PostgresServer


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for the session."""
    with PostgresServer() as server:
        yield server


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """An empty PostgreSQL database of this test."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(scope="session")
def embedded_postgres_template(postgres_server: PostgresServer) -> str:
    """The database that ``embedded_postgres_url`` copies: the embedded TMS, migrated and empty."""
    return _migrated(postgres_server.create_database())


@pytest.fixture
def embedded_postgres_url(postgres_server: PostgresServer, embedded_postgres_template: str) -> Iterator[str]:
    """The embedded TMS on PostgreSQL, without rows."""
    url = postgres_server.create_database(template=embedded_postgres_template)
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(scope="session")
def embedded_sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that ``embedded_sqlite_url`` copies: the embedded TMS, migrated and empty."""
    path = tmp_path_factory.mktemp("embedded") / "tms.db"
    _migrated(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture
def embedded_sqlite_url(embedded_sqlite_template: Path, tmp_path: Path) -> str:
    """The embedded TMS on SQLite, without rows."""
    path = tmp_path / "tms.db"
    shutil.copyfile(embedded_sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def tms_url(request: pytest.FixtureRequest) -> str:
    """The embedded TMS without rows: every test runs once on SQLite and once on PostgreSQL."""
    name = "embedded_sqlite_url" if request.param == "sqlite" else "embedded_postgres_url"
    return str(request.getfixturevalue(name))


@pytest.fixture(scope="session")
def current_tms_template(postgres_server: PostgresServer) -> str:
    """The database that ``current_tms_url`` copies: a current TMS with its sample rows and our job tables."""
    url = postgres_server.create_database()
    install_current_tms(url)
    return _migrated(url)


@pytest.fixture
def current_tms_url(postgres_server: PostgresServer, current_tms_template: str) -> Iterator[str]:
    """A current TMS that is not ours, with the rows of ``CURRENT_TENANTS`` and our job tables."""
    url = postgres_server.create_database(template=current_tms_template)
    yield url
    postgres_server.drop_database(url)


def _migrated(url: str) -> str:
    block_on(_migrate(url))
    return url


async def _migrate(url: str) -> None:
    async with Database.open(DatabaseOptions(url=url)) as database:
        await migrate(database)
