"""One dev server for all tests that need a real one, and databases from templates."""

import sys
import sysconfig
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from trenova_activities import SEARCH_ATTRIBUTES
from trenova_activities.testing.fixtures import (  # noqa: F401 -- fixtures
    current_tms_template,
    current_tms_url,
    embedded_postgres_template,
    embedded_postgres_url,
    embedded_sqlite_template,
    embedded_sqlite_url,
    empty_postgres_url,
    postgres_server,
    tms_url,
)
from trenova_errors import ErrorsPlugin

sys.path.insert(0, str(Path(__file__).parent))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave our own schema on PostgreSQL to slow runs where a test that is run once also takes the current TMS's.

    Tests without that mark go through all of them everywhere.
    """

    def on(item: pytest.Item) -> tuple[str, str]:
        name, _, database = item.nodeid.partition("[")
        return name, database

    known = {on(item) for item in items}
    for item in items:
        name, database = on(item)
        twin = (name, database.replace("postgresql", "current", 1))
        if "postgresql" in database and twin in known and item.get_closest_marker("integration"):
            item.add_marker("slow")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def temporal_address() -> AsyncIterator[str]:
    """The address of a dev server that lives as long as the test session."""
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary), search_attributes=list(SEARCH_ATTRIBUTES)
    ) as env:
        yield env.client.service_client.config.target_host


@pytest.fixture
async def client(temporal_address: str) -> Client:
    """A client as the README tells callers to make one."""
    return await Client.connect(temporal_address, plugins=[ErrorsPlugin()], identity="tests")


@pytest.fixture
def queue() -> str:
    """A task queue of this test alone."""
    return f"queue-{uuid.uuid4().hex}"


@pytest.fixture
def shifted_clock() -> Callable[[int], dict[str, str]]:
    """Make the environment of a Python process whose own clock is so many seconds ahead."""
    folder = Path(__file__).parent / "shifted_clock"
    return lambda seconds: {"PYTHONPATH": str(folder), "SHIFTED_SECONDS": str(seconds)}
