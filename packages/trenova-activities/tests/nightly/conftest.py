"""The databases of the nightly jobs: ours on SQLite and PostgreSQL, and a current TMS that is not ours."""

import sys
import sysconfig
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from world import World, opened

NAMES = {"sqlite": "embedded_sqlite_url", "postgresql": "embedded_postgres_url", "current": "current_tms_url"}


@pytest.fixture(params=sorted(NAMES))
def nightly_url(request: pytest.FixtureRequest) -> str:
    """SQLite and PostgreSQL with our schema, and a current TMS."""
    return str(request.getfixturevalue(NAMES[request.param]))


@pytest.fixture
async def world(nightly_url: str) -> AsyncIterator[World]:
    async with opened(nightly_url) as world:
        yield world


@pytest.fixture(scope="session")
def temporal_binary() -> str:
    """The dev server's binary."""
    return str(Path(sysconfig.get_path("scripts")) / "temporal")
