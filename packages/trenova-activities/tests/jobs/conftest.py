"""Databases with rows in them, seeded once and copied for each test."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tms import Tms, opened, seeded


@pytest.fixture(scope="session")
def seeded_sqlite(embedded_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seeded") / "tms.db"
    shutil.copyfile(embedded_sqlite_template, path)
    asyncio.run(seeded(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def seeded_postgres(postgres_server, embedded_postgres_template: str) -> Iterator[str]:
    url = postgres_server.create_database(template=embedded_postgres_template)
    asyncio.run(seeded(url))
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql", "current"])
def filled_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """SQLite and PostgreSQL with our schema, and a current TMS that is not ours."""
    if request.param == "sqlite":
        path = tmp_path / "tms.db"
        shutil.copyfile(request.getfixturevalue("seeded_sqlite"), path)
        yield f"sqlite+aiosqlite:///{path}"
    elif request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        url = server.create_database(template=request.getfixturevalue("seeded_postgres"))
        yield url
        server.drop_database(url)
    else:
        yield request.getfixturevalue("current_tms_url")


@pytest.fixture
async def tms(filled_url: str) -> AsyncIterator[Tms]:
    async with opened(filled_url) as tms:
        yield tms


@pytest.fixture
async def current_tms(current_tms_url: str) -> AsyncIterator[Tms]:
    async with opened(current_tms_url) as tms:
        yield tms
