import subprocess
import sys

import trenova_activities
import trenova_activities.channels
import trenova_activities.database
import trenova_activities.testing

ROOT = """
BURY_DELIVERY_ACTIVITY BUSINESS_UNIT_ID BY_HAND_TAG DRY_RUN_TAG FAILURE_TAG JOB_MEMO REDELIVERY_TAG SCHEDULED_TAG
SUCCESS_TAG JobMemo job_memo CANCEL_SHIPMENTS_ACTIVITY CANCEL_SHIPMENTS_JOB CANCEL_SHIPMENTS_SCHEDULE
CANCEL_SHIPMENTS_WORKFLOW CHANNELS CHECK_DATABASE_ACTIVITY CHECK_DATABASE_WORKFLOW CONFIGURATION_COPIED_ACTIVITY
CONFIGURATION_COPIED_WORKFLOW CancelShipmentsByCreatedAtWorkflow CancelShipmentsPayload CancelShipmentsProgress
CancelShipmentsResult CancelledOrganization ChannelName CheckDatabasePayload CheckDatabaseResult CheckDatabaseWorkflow
ConfigurationCopiedPayload DELETE_AUDIT_ENTRIES_ACTIVITY DELETE_AUDIT_ENTRIES_JOB DELETE_AUDIT_ENTRIES_SCHEDULE
DELETE_AUDIT_ENTRIES_WORKFLOW DUPLICATE_SHIPMENT_ACTIVITY DUPLICATE_SHIPMENT_JOB DUPLICATE_SHIPMENT_WORKFLOW
DeleteAuditEntriesPayload DeleteAuditEntriesProgress DeleteAuditEntriesResult DeleteAuditEntriesWorkflow
COMPENSATION_CONFLICT EMAIL_DELIVERY_ACTIVITY JOB_EVENTS JOB_NOTIFICATION_ACTIVITY JOB_NOTIFICATION_WORKFLOW JOB_TYPE
MAX_BATCH MAX_COPIES MAX_TRANSFERS NOTIFICATION_JOB NOTIFICATION_QUEUE ORGANIZATION_ID REDELIVER_NOTIFICATION_WORKFLOW
REDIS_DELIVERY_ACTIVITY REOPEN_DELIVERY_ACTIVITY REQUEST_DIGEST SEARCH_ATTRIBUTES SHIPMENT_QUEUE SYSTEM_QUEUE TAGS
TRANSFER_CANCEL_ACTIVITY TRANSFER_COPY_ACTIVITY TRANSFER_RELEASE_ACTIVITY TRANSFER_RESERVE_ACTIVITY
TRANSFER_RESTORE_ACTIVITY TRANSFER_SHIPMENTS_JOB TRANSFER_SHIPMENTS_WORKFLOW TRANSFER_VERIFY_ACTIVITY
TRANSFER_WITHDRAW_ACTIVITY WEBHOOK_DELIVERY_ACTIVITY Compensation CompensationConflictError DeliveryPayload
DeliveryReceipt DeliveryState DuplicateShipmentPayload DuplicateShipmentResult DuplicateShipmentWorkflow FailureNotice
JobEvent JobNotificationPayload JobReadiness JobSchedule NotUndone NotUndoneError NotificationAction
NotificationResult PartialFailure PlannedDelivery PurgedOrganization RedeliverNotificationWorkflow RedeliverPayload
RedeliverResult RelatedEntity ReservedTransfer RunState Saga SagaEntry SagaState
SendConfigurationCopiedNotificationWorkflow SendJobCompleteNotificationWorkflow SkippedOrganization StepOutcome
TransferCall TransferShipmentsPayload TransferShipmentsResult TransferShipmentsWorkflow TransferStepDone as_argument
cancel_workflow_id duplicate_workflow_id event_of longest_attempt purge_workflow_id redelivery_workflow_id
shortest_heartbeat start_cancel start_duplicate start_purge start_redelivery start_transfer transfer_workflow_id
progress_of steer
CONTINUATION_MEMO Continuation ContinuationBudget continuation_due continue_as_new RunLimits Counts JobProgress
verified_actor Actor CancelRequest LimitsRequest PauseRequest ResumeRequest Standstill SteeringAction
SteeringAnswer SteeringState CANCEL CANCELED_MEMO CHANGE_LIMITS PAUSE PROGRESS RESUME
NightlyStand
"""
DATABASE = """
DEMO_SEED EVERY_EVENT JOBS Approval BrakeOptions CancellationActivities Catalog Clock Database DatabaseOptions
DeliveryActivities History HoldScope JobTables Manifest Migration NotificationActivities NotificationPreferences
NotifyRoles PaceOptions Plan PlanOptions PlanRefusedError PlanRequiredError PlannedTenant Preference ProNumberFormat
ProNumberOptions RetentionActivities Seeded ShipmentActivities StoredPlan SystemActivities Tenant TenantManifest
TransferActivities WriteRate allow_by_default allow_retention approve_plan asked_for check database_clock find_delivery
find_plan found list_deliveries list_holds list_plans make_plan manifest_lines migrate organization_names place_hold
ready_catalog release_hold reserve_sequence retention_notes retention_sql revoke_retention sample_organizations seed
seed_history verify_manifest
"""
CHANNELS = """
Channel ChannelOptions Channels DELIVERY_HEADER EmailChannel EmailOptions ForbiddenAddressError Message Probe
RateOptions RedisChannel RedisOptions Resolver RoleMembers Rule SIGNATURE_HEADER SignatureError SystemResolver
WebhookChannel WebhookEndpoint WebhookOptions open_channels sign verify_signature
"""


def test_the_public_names_are_these():
    assert sorted(trenova_activities.__all__) == sorted(ROOT.split())
    assert sorted(trenova_activities.database.__all__) == sorted(DATABASE.split())
    assert sorted(trenova_activities.channels.__all__) == sorted(CHANNELS.split())
    assert sorted(trenova_activities.testing.__all__) == [
        "CURRENT_TENANTS",
        "CurrentTenant",
        "PostgresServer",
        "install_current_tms",
    ]


def test_the_names_on_the_wire_never_change():
    names = {name: getattr(trenova_activities, name) for name in ROOT.split() if name.isupper()}
    assert {name: value for name, value in names.items() if isinstance(value, str)} == {
        "BURY_DELIVERY_ACTIVITY": "BuryNotificationDeliveryActivity",
        "CANCEL": "cancel",
        "CANCELED_MEMO": "trenova.canceled",
        "CHANGE_LIMITS": "changeLimits",
        "CONTINUATION_MEMO": "trenova.continuation",
        "PAUSE": "pause",
        "PROGRESS": "progress",
        "RESUME": "resume",
        "CANCEL_SHIPMENTS_ACTIVITY": "CancelShipmentsByCreatedAtActivity",
        "CANCEL_SHIPMENTS_JOB": "cancel_shipments",
        "CANCEL_SHIPMENTS_WORKFLOW": "CancelShipmentsByCreatedAtWorkflow",
        "CHECK_DATABASE_ACTIVITY": "CheckDatabaseActivity",
        "CHECK_DATABASE_WORKFLOW": "CheckDatabaseWorkflow",
        "CONFIGURATION_COPIED_ACTIVITY": "SendConfigurationCopiedNotificationActivity",
        "CONFIGURATION_COPIED_WORKFLOW": "SendConfigurationCopiedNotificationWorkflow",
        "DELETE_AUDIT_ENTRIES_ACTIVITY": "DeleteAuditEntriesActivity",
        "DELETE_AUDIT_ENTRIES_JOB": "delete_audit_entries",
        "DELETE_AUDIT_ENTRIES_WORKFLOW": "DeleteAuditEntriesWorkflow",
        "DUPLICATE_SHIPMENT_ACTIVITY": "DuplicateShipmentActivity",
        "DUPLICATE_SHIPMENT_JOB": "duplicate_shipment",
        "DUPLICATE_SHIPMENT_WORKFLOW": "DuplicateShipmentWorkflow",
        "EMAIL_DELIVERY_ACTIVITY": "DeliverNotificationByEmailActivity",
        "BY_HAND_TAG": "by-hand",
        "DRY_RUN_TAG": "dry-run",
        "FAILURE_TAG": "tells-failure",
        "JOB_MEMO": "trenova.job",
        "REDELIVERY_TAG": "redelivery",
        "SCHEDULED_TAG": "scheduled",
        "SUCCESS_TAG": "tells-success",
        "JOB_NOTIFICATION_ACTIVITY": "SendNotificationActivity",
        "JOB_NOTIFICATION_WORKFLOW": "SendJobCompleteNotificationWorkflow",
        "NOTIFICATION_JOB": "notification",
        "NOTIFICATION_QUEUE": "notification-queue",
        "REDELIVER_NOTIFICATION_WORKFLOW": "RedeliverNotificationWorkflow",
        "REDIS_DELIVERY_ACTIVITY": "DeliverNotificationByRedisActivity",
        "REOPEN_DELIVERY_ACTIVITY": "ReopenNotificationDeliveryActivity",
        "REQUEST_DIGEST": "trenova.request-digest",
        "SHIPMENT_QUEUE": "shipment-queue",
        "SYSTEM_QUEUE": "system-queue",
        "COMPENSATION_CONFLICT": "compensation_conflict",
        "TRANSFER_CANCEL_ACTIVITY": "CancelTransferSourcesActivity",
        "TRANSFER_COPY_ACTIVITY": "CopyTransferredShipmentsActivity",
        "TRANSFER_RELEASE_ACTIVITY": "ReleaseTransferNumbersActivity",
        "TRANSFER_RESERVE_ACTIVITY": "ReserveTransferNumbersActivity",
        "TRANSFER_RESTORE_ACTIVITY": "RestoreTransferSourcesActivity",
        "TRANSFER_SHIPMENTS_JOB": "transfer_shipments",
        "TRANSFER_SHIPMENTS_WORKFLOW": "TransferShipmentsWorkflow",
        "TRANSFER_VERIFY_ACTIVITY": "VerifyTransferStepActivity",
        "TRANSFER_WITHDRAW_ACTIVITY": "WithdrawTransferCopiesActivity",
        "WEBHOOK_DELIVERY_ACTIVITY": "DeliverNotificationByWebhookActivity",
    }
    assert [key.name for key in trenova_activities.SEARCH_ATTRIBUTES] == [
        "TrenovaOrganizationId",
        "TrenovaBusinessUnitId",
        "TrenovaJobType",
        "TrenovaTags",
    ]


def test_the_root_imports_no_database():
    code = "import sys, trenova_activities; print([name for name in ('sqlalchemy', 'alembic') if name in sys.modules])"

    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_options_and_signatures_need_no_extra_of_a_channel():
    names = ("aiolimiter", "aiosmtplib", "httpx", "jinja2", "redis", "sqlalchemy")
    code = f"import sys, trenova_activities.channels; print([name for name in {names!r} if name in sys.modules])"

    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
