"""Audit logs with many entries, on SQLite and PostgreSQL, and activities whose metrics are kept."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "retention"))
sys.path.insert(0, str(Path(__file__).parent))

from auditlog import AuditLog, opened


@pytest.fixture
async def log(tms_url: str) -> AsyncIterator[AuditLog]:
    """A log that lets the job through."""
    async with opened(tms_url) as log:
        yield log
