"""The activity that cancels stale shipments, some twenty seconds at a time."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final, Self

from sqlalchemy import Row
from temporalio import activity

from trenova_activities._cancellation_contract import (
    CancelledOrganization,
    CancelShipmentsPayload,
    CancelShipmentsProgress,
    CancelShipmentsResult,
)
from trenova_activities._names import CANCEL_SHIPMENTS_ACTIVITY, CANCEL_SHIPMENTS_JOB
from trenova_activities.database._cancellation import Cancellation
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

_BATCH: Final = 5_000
"""Shipments per transaction at most; each brings its moves, stops and assignments along."""


class CancellationActivities:
    """The cancellation of stale shipments.

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
        self._job = Cancellation(catalog)
        self._calls = NightlyCalls(database, notify_roles or NotifyRoles(), budget, plans or PlanOptions())

    @classmethod
    async def open(
        cls, database: Database, notify_roles: NotifyRoles | None = None, *, plans: PlanOptions | None = None
    ) -> Self:
        """Read the database and refuse one that lacks something the job needs.

        Raises:
            ConfigurationError: With everything that is lacking.
        """
        return cls(database, await ready_catalog(database, CANCEL_SHIPMENTS_JOB), notify_roles, plans=plans)

    @activity.defn(name=CANCEL_SHIPMENTS_ACTIVITY)
    async def cancel(self, payload: CancelShipmentsPayload) -> CancelShipmentsProgress:
        """Go on where the run stands; the last call brings the result.

        Raises:
            ConfigurationError: The database's clock and the Temporal server's are too far apart.
            PermissionDeniedError: The run needs a plan, or its plan does not let it begin; nothing was touched.
            UnavailableError: The database is gone; the next attempt goes on from its tables.
        """
        call = self._calls.answer(
            self._job,
            payload,
            limit=_BATCH,
            progress=CancelShipmentsProgress,
            result=partial(_result, dry_run=payload.dry_run),
        )
        return await handed_over(call)


def _result(run: NightlyRun, whole: Summary, *, dry_run: bool) -> CancelShipmentsResult:
    processed = [_processed(row) for row in whole.worked]
    return CancelShipmentsResult(
        total_cancelled=whole.tally.rows,
        skipped_orgs=whole.skipped_organizations(),
        processed_orgs=processed,
        partial_failures=whole.partial_failures(),
        result=_sentence(whole, dry_run=dry_run),
        data=whole.data(run, dry_run=dry_run),
        truncated=whole.truncated,
    )


def _processed(row: Row[Any]) -> CancelledOrganization:
    numbers: Sequence[str] = row.samples
    return CancelledOrganization(
        organization_id=row.organization_id,
        business_unit_id=row.business_unit_id,
        cancelled_count=row.counted,
        cancelled_pro_nums=list(numbers),
        truncated=row.counted > len(numbers),
    )


def _sentence(whole: Summary, *, dry_run: bool) -> str:
    rows, done = whole.tally.rows, whole.worked_in_all
    verb = "would be" if dry_run else "was" if rows == 1 else "were"
    shipments = "1 shipment" if rows == 1 else f"{rows:,} shipments"
    organizations = "1 organization" if done == 1 else f"{done:,} organizations"
    return f"{shipments} {verb} canceled for {organizations}{whole.exceptions()}."
