"""Who is told that a run nobody asked for has failed, wholly or in part."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from trenova_activities._nightly_contract import MAX_LISTED, FailureNotice
from trenova_activities.database._engine import Database
from trenova_activities.database._nightly_job import NightlyJob
from trenova_activities.database._nightly_rules import tenants_page
from trenova_activities.database._nightly_run import NightlyRun, RunRequest
from trenova_activities.database._nightly_summary import Summary
from trenova_activities.database._notify_roles import NotifyRoles
from trenova_activities.database._tenant import Tenant

_BROKEN_OFF: Final = "The run broke off before it was done. Your administrator finds the reason in its workflow."


def failed_tenants(whole: Summary, roles: NotifyRoles) -> list[FailureNotice]:
    """Return one notice for each failed tenant that the summary lists."""
    return [
        FailureNotice(
            organization_id=row.organization_id,
            business_unit_id=row.business_unit_id,
            role=roles.role_of(row.organization_id),
            words=f"{row.error} {row.counted:,} records had been changed by then.",
        )
        for row in whole.failed
    ]


async def involved_tenants(
    database: Database, job: NightlyJob, request: RunRequest, roles: NotifyRoles
) -> list[FailureNotice]:
    """Return a notice for each tenant of a run that broke off, at most 100.

    They are those that were begun, or, where the run did not get that far, those that want the job.
    """
    run = await NightlyRun.find(database, request)
    begun = await _begun(database, run) if run is not None else []
    tenants = begun or await _wanting(database, job, request.payload.organization_ids)
    return [
        FailureNotice(**tenant.values, role=roles.role_of(tenant.organization_id), words=_BROKEN_OFF)
        for tenant in tenants[:MAX_LISTED]
    ]


async def _begun(database: Database, run: NightlyRun) -> list[Tenant]:
    table = database.jobs.job_run_tenants
    keys = (table.c.organization_id, table.c.business_unit_id)
    query = select(*keys).where(*run.mine(table)).order_by(*keys).limit(MAX_LISTED)
    async with database.read() as connection:
        return [Tenant(*row) for row in await connection.execute(query)]


async def _wanting(database: Database, job: NightlyJob, organization_ids: Sequence[str]) -> list[Tenant]:
    query = tenants_page(job, organization_ids, after=None, wanted=True)
    async with database.read() as connection:
        return [Tenant(*row) for row in await connection.execute(query)]
