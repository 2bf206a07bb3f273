"""Every workflow that a service could register says how its runs move between versions."""

from temporalio import workflow
from temporalio.common import VersioningBehavior

import trenova_activities
import trenova_schedules.backfill
import trenova_schedules.ledger
from trenova_workers._behaviors import behaviors_of

LASTS_FOR_HOURS = {
    "CancelShipmentsByCreatedAtWorkflow",
    "DeleteAuditEntriesWorkflow",
    "TransferShipmentsWorkflow",
    "BackfillScheduleWorkflow",
}


def workflows_in(module) -> list[type]:
    named = [getattr(module, name) for name in module.__all__]
    return [one for one in named if isinstance(one, type) and workflow._Definition.from_class(one)]


def test_short_runs_are_pinned_and_long_ones_move():
    modules = [trenova_activities, trenova_schedules.backfill, trenova_schedules.ledger]
    workflows = {one for module in modules for one in workflows_in(module)}
    declared = behaviors_of(workflows)  # would raise for one that says nothing

    assert len(declared) == len(workflows) >= 8
    moving = {one.__name__ for one in workflows if one.versioning_behavior == VersioningBehavior.AUTO_UPGRADE}
    assert moving == LASTS_FOR_HOURS
