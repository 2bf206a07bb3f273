"""Temporal schedules as code: definitions that are validated before they reach the server."""

from trenova_schedules._create import CreatedReport, create_missing
from trenova_schedules._definition import OWNER_MEMO, ScheduleDefinition
from trenova_schedules._managing._audit import Actor, AuditEntry, AuditSink
from trenova_schedules._managing._changing import ANY_ETAG
from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._listed import KnownSchedule, ListedSchedule
from trenova_schedules._managing._listed_receipts import ListedReceipt, ReceiptFilter, ReceiptPage
from trenova_schedules._managing._listing import Registry, SchedulePage, ScheduleSort
from trenova_schedules._managing._patch import SchedulePatch
from trenova_schedules._managing._pausing import CatchUp, MissedTicks
from trenova_schedules._managing._receipts import Receipt, ReceiptStore
from trenova_schedules._managing._results import BulkAction, BulkItem, BulkOutcome, BulkResult, ScheduleChange
from trenova_schedules._managing._service import ScheduleService
from trenova_schedules._managing._triggering import TriggeredRun
from trenova_schedules._previewing import (
    DayOfRuns,
    Fire,
    FireDiff,
    Fix,
    Hazard,
    HazardKind,
    LintFinding,
    MovedFire,
    Preview,
    Severity,
    fire_diff,
    fires_of,
    fixed,
    lint,
    matching_times,
    preview,
)
from trenova_schedules._reading import (
    CalendarDocument,
    IntervalDocument,
    RunDocument,
    ScheduleConflictError,
    ScheduleCounts,
    ScheduleDocument,
)
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
    "ANY_ETAG",
    "ANY_WORKFLOW",
    "OWNER_MEMO",
    "SCHEDULES_GROUP",
    "Actor",
    "AppliedReport",
    "AppliedSchedule",
    "AuditEntry",
    "AuditSink",
    "BackfillPolicy",
    "BulkAction",
    "BulkItem",
    "BulkOutcome",
    "BulkResult",
    "CalendarDocument",
    "CatchUp",
    "CreatedReport",
    "DayOfRuns",
    "FieldChange",
    "FieldOverride",
    "Fire",
    "FireDiff",
    "Fix",
    "Hazard",
    "HazardKind",
    "IntervalDocument",
    "KnownSchedule",
    "LintFinding",
    "ListedReceipt",
    "ListedSchedule",
    "MissedTicks",
    "MovedFire",
    "Outcome",
    "Plan",
    "PlanKind",
    "PlannedSchedule",
    "Preview",
    "Receipt",
    "ReceiptFilter",
    "ReceiptPage",
    "ReceiptStore",
    "Reconciler",
    "Registrations",
    "Registry",
    "RunDocument",
    "ScheduleChange",
    "ScheduleConflictError",
    "ScheduleContribution",
    "ScheduleCounts",
    "ScheduleDefinition",
    "ScheduleDocument",
    "ScheduleFilter",
    "SchedulePage",
    "SchedulePatch",
    "ScheduleService",
    "ScheduleSlo",
    "ScheduleSort",
    "Severity",
    "TriggeredRun",
    "create_missing",
    "fire_diff",
    "fires_of",
    "fixed",
    "lint",
    "matching_times",
    "preview",
]
