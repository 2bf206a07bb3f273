"""Temporal schedules as code: definitions that are validated before they reach the server."""

from trenova_schedules._create import CreatedReport, create_missing
from trenova_schedules._definition import OWNER_MEMO, ScheduleDefinition
from trenova_schedules._reconciling._contribution import SCHEDULES_GROUP, ScheduleContribution
from trenova_schedules._reconciling._merge import FieldChange, FieldOverride
from trenova_schedules._reconciling._plan import (
    AppliedReport,
    AppliedSchedule,
    Outcome,
    Plan,
    PlanKind,
    PlannedSchedule,
)
from trenova_schedules._reconciling._reconcile import Reconciler
from trenova_schedules._reconciling._serving import ANY_WORKFLOW, Registrations
from trenova_schedules._slo import BackfillPolicy, ScheduleSlo

__all__ = [
    "ANY_WORKFLOW",
    "OWNER_MEMO",
    "SCHEDULES_GROUP",
    "AppliedReport",
    "AppliedSchedule",
    "BackfillPolicy",
    "CreatedReport",
    "FieldChange",
    "FieldOverride",
    "Outcome",
    "Plan",
    "PlanKind",
    "PlannedSchedule",
    "Reconciler",
    "Registrations",
    "ScheduleContribution",
    "ScheduleDefinition",
    "ScheduleSlo",
    "create_missing",
]
