import subprocess
import sys

import trenova_schedules


def test_the_root_exports_exactly_what_is_public():
    assert set(trenova_schedules.__all__) == {
        "DayOfRuns",
        "Fire",
        "FireDiff",
        "Fix",
        "Hazard",
        "HazardKind",
        "LintFinding",
        "MovedFire",
        "Preview",
        "Severity",
        "fire_diff",
        "fires_of",
        "fixed",
        "lint",
        "matching_times",
        "preview",
        "ANY_ETAG",
        "ANY_WORKFLOW",
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
        "FieldChange",
        "FieldOverride",
        "IntervalDocument",
        "KnownSchedule",
        "ListedReceipt",
        "ListedSchedule",
        "MissedTicks",
        "OWNER_MEMO",
        "Outcome",
        "Plan",
        "PlanKind",
        "PlannedSchedule",
        "Receipt",
        "ReceiptFilter",
        "ReceiptPage",
        "ReceiptStore",
        "Reconciler",
        "Registrations",
        "Registry",
        "RunDocument",
        "SCHEDULES_GROUP",
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
        "TriggeredRun",
        "create_missing",
    }
    assert all(hasattr(trenova_schedules, name) for name in trenova_schedules.__all__)


def test_neither_the_root_nor_what_a_workflow_needs_imports_a_database():
    code = "import sys, trenova_schedules, trenova_schedules.ledger; print('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_the_store_and_the_ledger_export_exactly_what_they_list():
    from trenova_schedules import ledger, store

    for module in (store, ledger):
        assert all(getattr(module, name) is not None for name in module.__all__)
