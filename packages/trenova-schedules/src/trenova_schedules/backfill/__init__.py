"""Backfills: run the ticks of a schedule that were missed, as a durable workflow that can be watched and steered.

A worker of the queue ``system-queue`` registers :class:`BackfillScheduleWorkflow` and
``BackfillActivities(client).all``; callers use :func:`preview_backfill` and :func:`start_backfill`.
"""

from temporalio import workflow

# One class of each model in the sandbox too, since strict models take no other one's instances.
with workflow.unsafe.imports_passed_through():
    from trenova_schedules.backfill._activities import BackfillActivities
    from trenova_schedules.backfill._client import (
        BackfillHandle,
        backfill_workflow_id,
        preview_backfill,
        start_backfill,
    )
    from trenova_schedules.backfill._contract import BackfillInput, BackfillMark, Hole, Started, Verified
    from trenova_schedules.backfill._judging import RunLedger
    from trenova_schedules.backfill._limits import BackfillLimits
    from trenova_schedules.backfill._listing import BackfillEntry, list_backfills
    from trenova_schedules.backfill._names import BACKFILL_MEMO, BACKFILL_QUEUE, BACKFILL_WORKFLOW
    from trenova_schedules.backfill._outcome_contract import BackfillPreview, BackfillProgress, BackfillResult
    from trenova_schedules.backfill._request import BackfillRequest
    from trenova_schedules.backfill._steering_client import progress_of, steer
    from trenova_schedules.backfill._steering_contract import (
        CancelRequest,
        LimitsRequest,
        PauseRequest,
        ResumeRequest,
        SteeringAnswer,
        SteeringState,
    )
    from trenova_schedules.backfill._tick_ledger import TickLedgerRuns

from trenova_schedules.backfill._workflow import BackfillScheduleWorkflow

__all__ = [
    "BACKFILL_MEMO",
    "BACKFILL_QUEUE",
    "BACKFILL_WORKFLOW",
    "BackfillActivities",
    "BackfillEntry",
    "BackfillHandle",
    "BackfillInput",
    "BackfillLimits",
    "BackfillMark",
    "BackfillPreview",
    "BackfillProgress",
    "BackfillRequest",
    "BackfillResult",
    "BackfillScheduleWorkflow",
    "CancelRequest",
    "Hole",
    "LimitsRequest",
    "PauseRequest",
    "ResumeRequest",
    "RunLedger",
    "Started",
    "SteeringAnswer",
    "SteeringState",
    "TickLedgerRuns",
    "Verified",
    "backfill_workflow_id",
    "list_backfills",
    "preview_backfill",
    "progress_of",
    "start_backfill",
    "steer",
]
