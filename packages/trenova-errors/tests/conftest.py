"""One dev server for all tests that need a real one."""

import sys
import sysconfig
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from trenova_errors import ErrorsPlugin

# The sandbox imports workflows by the name of their module, so they need one that is importable.
sys.path.insert(0, str(Path(__file__).parent))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server() -> AsyncIterator[str]:
    """Yield the address of a dev server that lives as long as the test session."""
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(dev_server_existing_path=str(binary)) as env:
        yield env.client.service_client.config.target_host


@pytest.fixture
async def client(server: str) -> Client:
    """Connect as the README tells users to."""
    return await Client.connect(server, plugins=[ErrorsPlugin()])
