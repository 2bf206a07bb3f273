"""One dev server, on a file that can be looked into, for all tests that need a real one."""

import logging
import sys
import sysconfig
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.common import SearchAttributeKey
from temporalio.testing import WorkflowEnvironment

# The sandbox imports workflows by the name of their module, so they need one that is importable.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def logging_stays() -> Iterator[None]:
    """Undo what commands, which tests run in this process, do to the log of theirs."""
    library = logging.getLogger("trenova_codecs")
    level = library.level
    yield
    library.setLevel(level)


@dataclass(frozen=True)
class DevServer:
    """Where a dev server listens, and the database file that it stores everything in."""

    address: str
    database: Path


@asynccontextmanager
async def _serve(folder: Path) -> AsyncIterator[DevServer]:
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    database = folder / "temporal.db"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary),
        dev_server_log_level="error",
        dev_server_database_filename=str(database),
        search_attributes=[SearchAttributeKey.for_keyword("PlantedCity")],
        dev_server_extra_args=["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=1"],
    ) as env:
        yield DevServer(env.client.service_client.config.target_host, database)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def dev_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DevServer]:
    """Yield a dev server that lives as long as the test session."""
    async with _serve(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
async def own_server(tmp_path: Path) -> AsyncIterator[DevServer]:
    """Yield a dev server that stores nothing but what one test sends."""
    async with _serve(tmp_path) as server:
        yield server
