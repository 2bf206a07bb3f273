"""The ledger of schedules, harvested here in the database of the jobs, and backfills, which judge by it."""

import dataclasses
import logging
from datetime import timedelta
from typing import Final

from temporalio.client import ScheduleOverlapPolicy

from trenova_schedules import BackfillPolicy, ScheduleDefinition, ScheduleSlo
from trenova_schedules.backfill import BackfillActivities, BackfillScheduleWorkflow, TickLedgerRuns
from trenova_schedules.ledger import (
    HARVEST_WORKFLOW,
    AlertKind,
    HarvestPayload,
    HarvestScheduleLedgerWorkflow,
    LedgerActivities,
    ScheduleAlert,
)
from trenova_schedules.store import ScheduleStore
from trenova_workers import Work

HARVEST_SCHEDULE: Final = "harvest-schedule-ledger-schedule"
_EVERY: Final = timedelta(minutes=15)
_log = logging.getLogger(__name__)


class LogNotifier:
    """Tells failures and recoveries of schedules in the log."""

    async def notify(self, alert: ScheduleAlert) -> None:
        """Log one alert; its key tells one that is told again after a crash."""
        level = logging.ERROR if alert.kind is AlertKind.FAILURE else logging.WARNING
        facts = {"schedule": alert.schedule_id, "key": alert.key, "owner": alert.owner, "runbook": alert.runbook}
        _log.log(level, alert.message, extra=facts)


def with_ledger(work: Work, store: ScheduleStore) -> Work:
    """Add the harvest and backfills to what a worker registers."""
    ledger = LedgerActivities(store, notifier=LogNotifier())
    backfills = BackfillActivities(ledger=TickLedgerRuns(store.ticks))
    return dataclasses.replace(
        work,
        workflows=[*work.workflows, HarvestScheduleLedgerWorkflow, BackfillScheduleWorkflow],
        activities=[*work.activities, *ledger.all, *backfills.all],
    )


def harvest_definition(task_queue: str, owner: str) -> ScheduleDefinition:
    """Return when the ledger is harvested: more often than any namespace forgets closed runs.

    It only looks, so it begins at once.
    """
    return ScheduleDefinition(
        id=HARVEST_SCHEDULE,
        workflow=HARVEST_WORKFLOW,
        task_queue=task_queue,
        args=(HarvestPayload(),),
        interval=_EVERY,
        overlap=ScheduleOverlapPolicy.SKIP,
        catchup_window=_EVERY,
        owner=owner,
        slo=ScheduleSlo(margin=timedelta(minutes=5), failure_threshold=3),
        backfill=BackfillPolicy.NEVER,  # a run looks back as far as it has to
        run_summary="Write down what became of every tick of every schedule",
    )
