"""The jobs of the system queue: the check always, retention if the database has what it needs."""

import logging
from collections.abc import Callable
from typing import Any

from system_worker._settings import Settings
from trenova_activities import (
    DELETE_AUDIT_ENTRIES_JOB,
    CheckDatabaseWorkflow,
    DeleteAuditEntriesProgress,
    DeleteAuditEntriesWorkflow,
)
from trenova_activities.database import Database, RetentionActivities, SystemActivities, check
from trenova_errors import ConfigurationError
from trenova_workers import Work

_log = logging.getLogger(__name__)


async def open_jobs(settings: Settings, database: Database) -> Work:
    """Open the jobs that can run; the check, which says what the others lack, always can.

    A purge that an append-only log will refuse is served all the same: it is opened without a restart.
    """
    workflows: list[type] = [CheckDatabaseWorkflow]
    activities: list[Callable[..., Any]] = [SystemActivities(database).check_database]
    try:
        retention = await RetentionActivities.open(database, settings.notify_roles, plans=settings.plans)
    except ConfigurationError as error:
        _log.error("a job is not served", extra={"job": DELETE_AUDIT_ENTRIES_JOB, "reason": error.message})
    else:
        workflows.append(DeleteAuditEntriesWorkflow)
        activities.append(retention.delete)
        await _say_what_refuses(database)
    return Work(workflows, activities, goes_on=_goes_on)


def _goes_on(result: Any) -> bool:
    return isinstance(result, DeleteAuditEntriesProgress) and not result.done


async def _say_what_refuses(database: Database) -> None:
    for reason in (await check(database, [DELETE_AUDIT_ENTRIES_JOB]))[DELETE_AUDIT_ENTRIES_JOB]:
        _log.warning("every run of a job will be refused", extra={"job": DELETE_AUDIT_ENTRIES_JOB, "reason": reason})
