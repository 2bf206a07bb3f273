"""How many rows are due: counted when a tenant is begun, up to a bound, and extended by their times beyond it."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._nightly_job import NightlyJob
from trenova_activities.database._tenant import Tenant

MOST_COUNTED: Final = 500_000
"""Rows of one tenant that are counted; to count them takes a few percent of the time that it takes to change them."""


@dataclass(frozen=True)
class Due:
    """What is due of one tenant.

    Attributes:
        rows: How many rows; an estimate, and at least ``MOST_COUNTED``, where there are more than that.
        oldest_at: Time of the oldest, unix seconds; None if there is none.
    """

    rows: int
    oldest_at: int | None


async def count_due(connection: AsyncConnection, job: NightlyJob, tenant: Tenant, cutoff: int) -> Due:
    """Count the rows of a tenant that a job's rule means now."""
    times = job.due(tenant, cutoff).limit(MOST_COUNTED).subquery()
    query = select(func.count(), func.min(times.c[0]), func.max(times.c[0]))
    rows, oldest, youngest = (await connection.execute(query)).one()
    if rows < MOST_COUNTED:
        return Due(int(rows), oldest)
    return Due(_extended(int(rows), oldest, youngest, cutoff), oldest)


def _extended(rows: int, oldest: int, youngest: int, cutoff: int) -> int:
    """Return how many rows there are up to the cut-off if as many are written in any time as among those counted."""
    return rows if youngest <= oldest else max(rows, round(rows * (cutoff - oldest) / (youngest - oldest)))
