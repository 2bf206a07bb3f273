"""The activity that deletes outlived audit entries, some twenty seconds at a time."""

from functools import partial
from typing import Any, Self

from sqlalchemy import Row
from temporalio import activity

from trenova_activities._names import DELETE_AUDIT_ENTRIES_ACTIVITY, DELETE_AUDIT_ENTRIES_JOB
from trenova_activities._nightly_limits import MAX_BATCH
from trenova_activities._retention_contract import (
    DeleteAuditEntriesPayload,
    DeleteAuditEntriesProgress,
    DeleteAuditEntriesResult,
    PurgedOrganization,
)
from trenova_activities.database._audit_retention import AuditRetention
from trenova_activities.database._catalog import Catalog
from trenova_activities.database._engine import Database
from trenova_activities.database._nightly import Budget
from trenova_activities.database._nightly_call import NightlyCalls
from trenova_activities.database._nightly_handover import handed_over
from trenova_activities.database._nightly_run import NightlyRun
from trenova_activities.database._nightly_summary import Summary
from trenova_activities.database._notify_roles import NotifyRoles
from trenova_activities.database._plan_options import PlanOptions
from trenova_activities.database._requirements import ready_catalog


class RetentionActivities:
    """The retention of the audit log.

    Args:
        database: The TMS's database.
        catalog: Its tables, as reflected when the worker started.
        notify_roles: Who is told of failures.
        budget: How much one call does before it reports.
        plans: When a run needs a plan.
    """

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        notify_roles: NotifyRoles | None = None,
        budget: Budget | None = None,
        plans: PlanOptions | None = None,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._calls = NightlyCalls(database, notify_roles or NotifyRoles(), budget, plans or PlanOptions())

    @classmethod
    async def open(
        cls, database: Database, notify_roles: NotifyRoles | None = None, *, plans: PlanOptions | None = None
    ) -> Self:
        """Read the database and refuse one that lacks something the job needs.

        An append-only log that lets nobody through is none of that: it is looked at in every run, so that
        ``allow_retention`` takes effect without a restart.

        Raises:
            ConfigurationError: With everything that is lacking.
        """
        return cls(database, await ready_catalog(database, DELETE_AUDIT_ENTRIES_JOB), notify_roles, plans=plans)

    @activity.defn(name=DELETE_AUDIT_ENTRIES_ACTIVITY)
    async def delete(self, payload: DeleteAuditEntriesPayload) -> DeleteAuditEntriesProgress:
        """Go on where the run stands; the last call brings the result.

        Raises:
            ConfigurationError: The log is append-only and nobody has let this job through, or the database's
                clock and the Temporal server's are too far apart.
            PermissionDeniedError: The run needs a plan, or its plan does not let it begin; nothing was touched.
            UnavailableError: The database is gone; the next attempt goes on from its tables.
        """
        call = self._calls.answer(
            AuditRetention(self._database, self._catalog),
            payload,
            limit=MAX_BATCH,
            progress=DeleteAuditEntriesProgress,
            result=partial(_result, dry_run=payload.dry_run),
        )
        return await handed_over(call)


def _result(run: NightlyRun, whole: Summary, *, dry_run: bool) -> DeleteAuditEntriesResult:
    return DeleteAuditEntriesResult(
        total_deleted=whole.tally.rows,
        organizations=[_purged(row) for row in whole.worked],
        skipped_orgs=whole.skipped_organizations(),
        partial_failures=whole.partial_failures(),
        result=_sentence(whole, dry_run=dry_run),
        data={**whole.data(run, dry_run=dry_run), "held": whole.tally.held_rows},
        truncated=whole.truncated,
    )


def _purged(row: Row[Any]) -> PurgedOrganization:
    return PurgedOrganization(
        organization_id=row.organization_id,
        business_unit_id=row.business_unit_id,
        deleted_count=row.counted,
        cutoff=row.cutoff,
        retention_days=int(row.setting),
        odd_rows=row.odd_rows,
        held=row.held_rows or 0,
    )


def _sentence(whole: Summary, *, dry_run: bool) -> str:
    rows, done = whole.tally.rows, whole.worked_in_all
    verb = "would be" if dry_run else "was" if rows == 1 else "were"
    entries = "1 audit entry" if rows == 1 else f"{rows:,} audit entries"
    organizations = "1 organization" if done == 1 else f"{done:,} organizations"
    return f"{entries} {verb} deleted for {organizations}{whole.exceptions()}."
