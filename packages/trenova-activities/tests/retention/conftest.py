"""The audit logs that retention must work on: ours on SQLite and PostgreSQL, and that of a current TMS."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from auditlog import AuditLog, opened

NAMES = {"sqlite": "embedded_sqlite_url", "postgresql": "embedded_postgres_url", "current": "current_tms_url"}


@pytest.fixture(params=sorted(NAMES))
def log_url(request: pytest.FixtureRequest) -> str:
    """SQLite and PostgreSQL with our schema, and a current TMS; each log is append-only."""
    return str(request.getfixturevalue(NAMES[request.param]))


@pytest.fixture
async def closed_log(log_url: str) -> AsyncIterator[AuditLog]:
    """A log that lets nobody through yet."""
    async with opened(log_url, allow=False) as log:
        yield log


@pytest.fixture
async def log(log_url: str) -> AsyncIterator[AuditLog]:
    """A log that lets the job through."""
    async with opened(log_url) as log:
        yield log
