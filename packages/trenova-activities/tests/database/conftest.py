"""The databases of these tests: nothing in them, our schema without rows, and a TMS that is not ours."""

from collections.abc import AsyncIterator

import pytest

from trenova_activities.database import Database, DatabaseOptions


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/empty.db"
    return request.getfixturevalue("empty_postgres_url")


@pytest.fixture
async def empty(empty_url) -> AsyncIterator[Database]:
    async with Database.open(DatabaseOptions(url=empty_url)) as database:
        yield database


@pytest.fixture
async def embedded(tms_url) -> AsyncIterator[Database]:
    async with Database.open(DatabaseOptions(url=tms_url)) as database:
        yield database


@pytest.fixture
async def foreign(current_tms_url) -> AsyncIterator[Database]:
    async with Database.open(DatabaseOptions(url=current_tms_url)) as database:
        yield database
