"""The schedules of this worker's jobs: created paused, kept as defined, and otherwise left to the operators."""

import logging
from collections.abc import Collection, Mapping
from typing import Final

from temporalio.client import Client

from system_worker._jobs import open_jobs
from system_worker._ledger import HARVEST_SCHEDULE, harvest_definition
from system_worker._registered import LiveRegistrations
from system_worker._settings import Settings
from trenova_activities import DELETE_AUDIT_ENTRIES_SCHEDULE, DELETE_AUDIT_ENTRIES_WORKFLOW, DeleteAuditEntriesWorkflow
from trenova_errors import ConfigurationError
from trenova_schedules import (
    AppliedReport,
    BackfillPolicy,
    Outcome,
    Reconciler,
    ScheduleContribution,
    ScheduleDefinition,
)
from trenova_schedules.ledger import HARVEST_WORKFLOW
from trenova_workers import load_settings

OWNER: Final = "system-worker"
_log = logging.getLogger(__name__)
_LEVELS: Final[Mapping[Outcome, int]] = {
    Outcome.CREATED: logging.INFO,
    Outcome.UPDATED: logging.INFO,
    Outcome.FOREIGN: logging.ERROR,
    Outcome.REFUSED: logging.WARNING,
    Outcome.FAILED: logging.ERROR,
}


def definitions(settings: Settings) -> tuple[ScheduleDefinition, ...]:
    """Return all schedules of this service; what changes anything does not run before an operator resumes it.

    Args:
        settings: Name the queue on which the runs start.
    """
    nightly = ScheduleDefinition(
        **DELETE_AUDIT_ENTRIES_SCHEDULE.fields(),
        task_queue=settings.queues[0],
        owner=OWNER,
        paused=True,
        backfill=BackfillPolicy.COLLAPSE,  # a run takes its cut-off from the moment it begins
    )
    return (nightly, harvest_definition(settings.queues[0], OWNER))


def contribution(environ: Mapping[str, str]) -> ScheduleContribution:
    """Return the same for ``trenova-schedules plan|apply``, which finds it in the group ``trenova.schedules``."""
    settings = load_settings(Settings, environ=environ).values
    return ScheduleContribution(owner=OWNER, definitions=definitions(settings), registrations=LiveRegistrations())


async def reconcile_schedules(settings: Settings, client: Client) -> None:
    """Create what is missing and update what the definitions changed; delete nothing, and keep what operators did.

    Args:
        settings: Name the queue on which the runs start.
        client: Of the namespace in which the schedules belong.
    """
    own = _Registered(settings)
    _log_report(await Reconciler(client, definitions(settings), owner=OWNER, registrations=own).reconcile())


class _Registered:
    """What this service is going to register on its own queue; nobody polls it yet when it is prepared first."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def workflows(self, client: Client, task_queue: str) -> Collection[str] | None:
        """Return the workflows with a schedule that the database has everything for; None for a queue of others."""
        if task_queue not in self._settings.queues:
            return await LiveRegistrations().workflows(client, task_queue)
        async with self._settings.open_database() as database:
            try:
                work = await open_jobs(self._settings, database)
            except ConfigurationError:  # no other job can run, as the log says
                return [HARVEST_WORKFLOW]
        purge = [DELETE_AUDIT_ENTRIES_WORKFLOW] if DeleteAuditEntriesWorkflow in work.workflows else []
        return [*purge, HARVEST_WORKFLOW]


def _log_report(report: AppliedReport) -> None:
    for one in report.schedules:
        facts = {"schedule": one.id, "fields": [change.field for change in one.changes], "reason": one.reason}
        if one.outcome in _LEVELS:
            _log.log(_LEVELS[one.outcome], "a schedule was reconciled: %s", one.outcome.value, extra=facts)
        if one.outcome is Outcome.CREATED and one.id != HARVEST_SCHEDULE:
            _log.info("a schedule was created paused; resume it when the job shall run", extra={"schedule": one.id})
        if one.overrides:
            kept = {"schedule": one.id, "fields": [override.field for override in one.overrides]}
            _log.warning("a schedule is not as defined, because somebody changed it; it is left so", extra=kept)
