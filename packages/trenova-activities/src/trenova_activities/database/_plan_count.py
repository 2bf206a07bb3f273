"""How many rows a run would change in all, counted no further than somebody needs to know."""

from collections.abc import Sequence

from sqlalchemy import func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities.database._engine import Database
from trenova_activities.database._nightly_job import NightlyJob, Skip
from trenova_activities.database._nightly_rules import tenants_page, verdict_of
from trenova_activities.database._tenant import Tenant


async def count_up_to(database: Database, job: NightlyJob, organization_ids: Sequence[str], most: int) -> int:
    """Count the rows that a run which began now would change; the count ends at ``most``.

    Args:
        database: The TMS's database.
        job: The rule.
        organization_ids: Only these; every one that wants the job if empty.
        most: At least 1.
    """
    asked = sorted(set(organization_ids))
    found, after = 0, None
    async with database.read() as connection:
        as_of = await database.clock(connection)
    while True:
        async with database.read() as connection:
            query = tenants_page(job, asked, after=after, wanted=not asked)
            page = [Tenant(*row) for row in await connection.execute(query)]
        for tenant in page:
            async with database.read() as connection:
                verdict = await verdict_of(connection, job, tenant, as_of)
                if not isinstance(verdict, Skip):
                    found += await eligible_up_to(connection, job, tenant, verdict.at, most - found)
            if found >= most:
                return found
        if not page:
            return found
        after = page[-1]


async def eligible_up_to(connection: AsyncConnection, job: NightlyJob, tenant: Tenant, cutoff: int, most: int) -> int:
    """Count the rows that a batch could change, and stop counting at so many."""
    _, meant = job.meant(tenant, cutoff)
    some = select(literal_column("1").label("one")).where(*meant).limit(most).subquery()
    return int((await connection.execute(select(func.count()).select_from(some))).scalar_one())
