"""The background jobs of a transport management system: contracts, workflows and how to start them.

This root needs no database; the activities and what they act on are in ``trenova_activities.database``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from temporalio import workflow

# The sandbox imports this module for every run; only the workflow that runs needs to be new there.
with workflow.unsafe.imports_passed_through():
    from trenova_activities._cancellation_contract import (
        CancelledOrganization,
        CancelShipmentsPayload,
        CancelShipmentsProgress,
        CancelShipmentsResult,
    )
    from trenova_activities._check_contract import CheckDatabasePayload, CheckDatabaseResult, JobReadiness
    from trenova_activities._continuation import (
        CONTINUATION_MEMO,
        Continuation,
        ContinuationBudget,
        continuation_due,
        continue_as_new,
    )
    from trenova_activities._delivery_contract import (
        CHANNELS,
        ChannelName,
        DeliveryPayload,
        DeliveryReceipt,
        DeliveryState,
        PlannedDelivery,
        RedeliverPayload,
        RedeliverResult,
    )
    from trenova_activities._duplication_contract import (
        MAX_COPIES,
        DuplicateShipmentPayload,
        DuplicateShipmentResult,
    )
    from trenova_activities._events import JOB_EVENTS, JobEvent, event_of
    from trenova_activities._labels import JobMemo, job_memo
    from trenova_activities._names import (
        BURY_DELIVERY_ACTIVITY,
        BUSINESS_UNIT_ID,
        BY_HAND_TAG,
        CANCEL,
        CANCEL_SHIPMENTS_ACTIVITY,
        CANCEL_SHIPMENTS_JOB,
        CANCEL_SHIPMENTS_WORKFLOW,
        CANCELED_MEMO,
        CHANGE_LIMITS,
        CHECK_DATABASE_ACTIVITY,
        CHECK_DATABASE_WORKFLOW,
        CONFIGURATION_COPIED_ACTIVITY,
        CONFIGURATION_COPIED_WORKFLOW,
        DELETE_AUDIT_ENTRIES_ACTIVITY,
        DELETE_AUDIT_ENTRIES_JOB,
        DELETE_AUDIT_ENTRIES_WORKFLOW,
        DRY_RUN_TAG,
        DUPLICATE_SHIPMENT_ACTIVITY,
        DUPLICATE_SHIPMENT_JOB,
        DUPLICATE_SHIPMENT_WORKFLOW,
        EMAIL_DELIVERY_ACTIVITY,
        FAILURE_TAG,
        JOB_MEMO,
        JOB_NOTIFICATION_ACTIVITY,
        JOB_NOTIFICATION_WORKFLOW,
        JOB_TYPE,
        NOTIFICATION_JOB,
        NOTIFICATION_QUEUE,
        ORGANIZATION_ID,
        PAUSE,
        PROGRESS,
        REDELIVER_NOTIFICATION_WORKFLOW,
        REDELIVERY_TAG,
        REDIS_DELIVERY_ACTIVITY,
        REOPEN_DELIVERY_ACTIVITY,
        REQUEST_DIGEST,
        RESUME,
        SCHEDULED_TAG,
        SEARCH_ATTRIBUTES,
        SHIPMENT_QUEUE,
        SUCCESS_TAG,
        SYSTEM_QUEUE,
        TAGS,
        TRANSFER_CANCEL_ACTIVITY,
        TRANSFER_COPY_ACTIVITY,
        TRANSFER_RELEASE_ACTIVITY,
        TRANSFER_RESERVE_ACTIVITY,
        TRANSFER_RESTORE_ACTIVITY,
        TRANSFER_SHIPMENTS_JOB,
        TRANSFER_SHIPMENTS_WORKFLOW,
        TRANSFER_VERIFY_ACTIVITY,
        TRANSFER_WITHDRAW_ACTIVITY,
        WEBHOOK_DELIVERY_ACTIVITY,
    )
    from trenova_activities._nightly_contract import (
        FailureNotice,
        NightlyStand,
        PartialFailure,
        RunState,
        SkippedOrganization,
    )
    from trenova_activities._nightly_limits import MAX_BATCH, RunLimits
    from trenova_activities._notification_contract import (
        ConfigurationCopiedPayload,
        JobNotificationPayload,
        NotificationAction,
        NotificationResult,
        RelatedEntity,
    )
    from trenova_activities._progress_contract import Counts, JobProgress
    from trenova_activities._retention_contract import (
        DeleteAuditEntriesPayload,
        DeleteAuditEntriesProgress,
        DeleteAuditEntriesResult,
        PurgedOrganization,
    )
    from trenova_activities._saga import Saga
    from trenova_activities._saga_contract import (
        COMPENSATION_CONFLICT,
        Compensation,
        CompensationConflictError,
        NotUndone,
        NotUndoneError,
        SagaEntry,
        SagaState,
        StepOutcome,
        as_argument,
    )
    from trenova_activities._schedules import (
        CANCEL_SHIPMENTS_SCHEDULE,
        DELETE_AUDIT_ENTRIES_SCHEDULE,
        JobSchedule,
    )
    from trenova_activities._starting import duplicate_workflow_id, start_duplicate
    from trenova_activities._starting_nightly import (
        cancel_workflow_id,
        purge_workflow_id,
        start_cancel,
        start_purge,
    )
    from trenova_activities._starting_redelivery import redelivery_workflow_id, start_redelivery
    from trenova_activities._starting_transfer import start_transfer, transfer_workflow_id
    from trenova_activities._steering import verified_actor
    from trenova_activities._steering_client import progress_of, steer
    from trenova_activities._steering_contract import (
        Actor,
        CancelRequest,
        LimitsRequest,
        PauseRequest,
        ResumeRequest,
        Standstill,
        SteeringAction,
        SteeringAnswer,
        SteeringState,
    )
    from trenova_activities._timeouts import longest_attempt, shortest_heartbeat
    from trenova_activities._transfer_contract import (
        MAX_TRANSFERS,
        ReservedTransfer,
        TransferCall,
        TransferShipmentsPayload,
        TransferShipmentsResult,
        TransferStepDone,
    )

if TYPE_CHECKING:
    from trenova_activities._cancellation_workflow import CancelShipmentsByCreatedAtWorkflow
    from trenova_activities._check_workflow import CheckDatabaseWorkflow
    from trenova_activities._duplication_workflow import DuplicateShipmentWorkflow
    from trenova_activities._notification_workflows import (
        SendConfigurationCopiedNotificationWorkflow,
        SendJobCompleteNotificationWorkflow,
    )
    from trenova_activities._redelivery_workflow import RedeliverNotificationWorkflow
    from trenova_activities._retention_workflow import DeleteAuditEntriesWorkflow
    from trenova_activities._transfer_workflow import TransferShipmentsWorkflow

__all__ = [
    "BURY_DELIVERY_ACTIVITY",
    "BUSINESS_UNIT_ID",
    "BY_HAND_TAG",
    "CANCEL",
    "CANCELED_MEMO",
    "CANCEL_SHIPMENTS_ACTIVITY",
    "CANCEL_SHIPMENTS_JOB",
    "CANCEL_SHIPMENTS_SCHEDULE",
    "CANCEL_SHIPMENTS_WORKFLOW",
    "CHANGE_LIMITS",
    "CHANNELS",
    "CHECK_DATABASE_ACTIVITY",
    "CHECK_DATABASE_WORKFLOW",
    "COMPENSATION_CONFLICT",
    "CONFIGURATION_COPIED_ACTIVITY",
    "CONFIGURATION_COPIED_WORKFLOW",
    "CONTINUATION_MEMO",
    "DELETE_AUDIT_ENTRIES_ACTIVITY",
    "DELETE_AUDIT_ENTRIES_JOB",
    "DELETE_AUDIT_ENTRIES_SCHEDULE",
    "DELETE_AUDIT_ENTRIES_WORKFLOW",
    "DRY_RUN_TAG",
    "DUPLICATE_SHIPMENT_ACTIVITY",
    "DUPLICATE_SHIPMENT_JOB",
    "DUPLICATE_SHIPMENT_WORKFLOW",
    "EMAIL_DELIVERY_ACTIVITY",
    "FAILURE_TAG",
    "JOB_EVENTS",
    "JOB_MEMO",
    "JOB_NOTIFICATION_ACTIVITY",
    "JOB_NOTIFICATION_WORKFLOW",
    "JOB_TYPE",
    "MAX_BATCH",
    "MAX_COPIES",
    "MAX_TRANSFERS",
    "NOTIFICATION_JOB",
    "NOTIFICATION_QUEUE",
    "ORGANIZATION_ID",
    "PAUSE",
    "PROGRESS",
    "REDELIVERY_TAG",
    "REDELIVER_NOTIFICATION_WORKFLOW",
    "REDIS_DELIVERY_ACTIVITY",
    "REOPEN_DELIVERY_ACTIVITY",
    "REQUEST_DIGEST",
    "RESUME",
    "SCHEDULED_TAG",
    "SEARCH_ATTRIBUTES",
    "SHIPMENT_QUEUE",
    "SUCCESS_TAG",
    "SYSTEM_QUEUE",
    "TAGS",
    "TRANSFER_CANCEL_ACTIVITY",
    "TRANSFER_COPY_ACTIVITY",
    "TRANSFER_RELEASE_ACTIVITY",
    "TRANSFER_RESERVE_ACTIVITY",
    "TRANSFER_RESTORE_ACTIVITY",
    "TRANSFER_SHIPMENTS_JOB",
    "TRANSFER_SHIPMENTS_WORKFLOW",
    "TRANSFER_VERIFY_ACTIVITY",
    "TRANSFER_WITHDRAW_ACTIVITY",
    "WEBHOOK_DELIVERY_ACTIVITY",
    "Actor",
    "CancelRequest",
    "CancelShipmentsByCreatedAtWorkflow",
    "CancelShipmentsPayload",
    "CancelShipmentsProgress",
    "CancelShipmentsResult",
    "CancelledOrganization",
    "ChannelName",
    "CheckDatabasePayload",
    "CheckDatabaseResult",
    "CheckDatabaseWorkflow",
    "Compensation",
    "CompensationConflictError",
    "ConfigurationCopiedPayload",
    "Continuation",
    "ContinuationBudget",
    "Counts",
    "DeleteAuditEntriesPayload",
    "DeleteAuditEntriesProgress",
    "DeleteAuditEntriesResult",
    "DeleteAuditEntriesWorkflow",
    "DeliveryPayload",
    "DeliveryReceipt",
    "DeliveryState",
    "DuplicateShipmentPayload",
    "DuplicateShipmentResult",
    "DuplicateShipmentWorkflow",
    "FailureNotice",
    "JobEvent",
    "JobMemo",
    "JobNotificationPayload",
    "JobProgress",
    "JobReadiness",
    "JobSchedule",
    "LimitsRequest",
    "NightlyStand",
    "NotUndone",
    "NotUndoneError",
    "NotificationAction",
    "NotificationResult",
    "PartialFailure",
    "PauseRequest",
    "PlannedDelivery",
    "PurgedOrganization",
    "RedeliverNotificationWorkflow",
    "RedeliverPayload",
    "RedeliverResult",
    "RelatedEntity",
    "ReservedTransfer",
    "ResumeRequest",
    "RunLimits",
    "RunState",
    "Saga",
    "SagaEntry",
    "SagaState",
    "SendConfigurationCopiedNotificationWorkflow",
    "SendJobCompleteNotificationWorkflow",
    "SkippedOrganization",
    "Standstill",
    "SteeringAction",
    "SteeringAnswer",
    "SteeringState",
    "StepOutcome",
    "TransferCall",
    "TransferShipmentsPayload",
    "TransferShipmentsResult",
    "TransferShipmentsWorkflow",
    "TransferStepDone",
    "as_argument",
    "cancel_workflow_id",
    "continuation_due",
    "continue_as_new",
    "duplicate_workflow_id",
    "event_of",
    "job_memo",
    "longest_attempt",
    "progress_of",
    "purge_workflow_id",
    "redelivery_workflow_id",
    "shortest_heartbeat",
    "start_cancel",
    "start_duplicate",
    "start_purge",
    "start_redelivery",
    "start_transfer",
    "steer",
    "transfer_workflow_id",
    "verified_actor",
]

_WORKFLOWS: Final = {
    "CancelShipmentsByCreatedAtWorkflow": "_cancellation_workflow",
    "CheckDatabaseWorkflow": "_check_workflow",
    "DeleteAuditEntriesWorkflow": "_retention_workflow",
    "RedeliverNotificationWorkflow": "_redelivery_workflow",
    "DuplicateShipmentWorkflow": "_duplication_workflow",
    "SendConfigurationCopiedNotificationWorkflow": "_notification_workflows",
    "SendJobCompleteNotificationWorkflow": "_notification_workflows",
    "TransferShipmentsWorkflow": "_transfer_workflow",
}


def __getattr__(name: str) -> Any:
    """Import a workflow when it is asked for; eagerly, each run would pay for the definitions of all others."""
    if name not in _WORKFLOWS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WORKFLOWS[name]}"), name)
