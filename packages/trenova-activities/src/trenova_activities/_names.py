"""Names on the wire: task queues, workflows, activities, search attributes. Only ever added to."""

from typing import Final

from temporalio.common import SearchAttributeKey

SHIPMENT_QUEUE: Final = "shipment-queue"
NOTIFICATION_QUEUE: Final = "notification-queue"
SYSTEM_QUEUE: Final = "system-queue"

DUPLICATE_SHIPMENT_WORKFLOW: Final = "DuplicateShipmentWorkflow"
DUPLICATE_SHIPMENT_ACTIVITY: Final = "DuplicateShipmentActivity"
JOB_NOTIFICATION_WORKFLOW: Final = "SendJobCompleteNotificationWorkflow"
JOB_NOTIFICATION_ACTIVITY: Final = "SendNotificationActivity"
CONFIGURATION_COPIED_WORKFLOW: Final = "SendConfigurationCopiedNotificationWorkflow"
CONFIGURATION_COPIED_ACTIVITY: Final = "SendConfigurationCopiedNotificationActivity"
EMAIL_DELIVERY_ACTIVITY: Final = "DeliverNotificationByEmailActivity"
WEBHOOK_DELIVERY_ACTIVITY: Final = "DeliverNotificationByWebhookActivity"
REDIS_DELIVERY_ACTIVITY: Final = "DeliverNotificationByRedisActivity"
BURY_DELIVERY_ACTIVITY: Final = "BuryNotificationDeliveryActivity"
REOPEN_DELIVERY_ACTIVITY: Final = "ReopenNotificationDeliveryActivity"
REDELIVER_NOTIFICATION_WORKFLOW: Final = "RedeliverNotificationWorkflow"
CANCEL_SHIPMENTS_WORKFLOW: Final = "CancelShipmentsByCreatedAtWorkflow"
CANCEL_SHIPMENTS_ACTIVITY: Final = "CancelShipmentsByCreatedAtActivity"
DELETE_AUDIT_ENTRIES_WORKFLOW: Final = "DeleteAuditEntriesWorkflow"
DELETE_AUDIT_ENTRIES_ACTIVITY: Final = "DeleteAuditEntriesActivity"
TRANSFER_SHIPMENTS_WORKFLOW: Final = "TransferShipmentsWorkflow"
TRANSFER_RESERVE_ACTIVITY: Final = "ReserveTransferNumbersActivity"
TRANSFER_COPY_ACTIVITY: Final = "CopyTransferredShipmentsActivity"
TRANSFER_CANCEL_ACTIVITY: Final = "CancelTransferSourcesActivity"
TRANSFER_VERIFY_ACTIVITY: Final = "VerifyTransferStepActivity"
TRANSFER_RESTORE_ACTIVITY: Final = "RestoreTransferSourcesActivity"
TRANSFER_WITHDRAW_ACTIVITY: Final = "WithdrawTransferCopiesActivity"
TRANSFER_RELEASE_ACTIVITY: Final = "ReleaseTransferNumbersActivity"
CHECK_DATABASE_WORKFLOW: Final = "CheckDatabaseWorkflow"
CHECK_DATABASE_ACTIVITY: Final = "CheckDatabaseActivity"

CHANNELS_PATCH: Final = "notification-channels"
"""Marks runs of the notification workflows that deliver through channels beside the stored row."""

STEERING_PATCH: Final = "run-steering"
"""Marks runs that obey what they are told; see docs/steering.md."""

CONTINUATION_PATCH: Final = "continuation-budget"
"""Marks nightly runs that continue as new for another reason than the server's suggestion."""

PAUSE: Final = "pause"
RESUME: Final = "resume"
CANCEL: Final = "cancel"
CHANGE_LIMITS: Final = "changeLimits"
"""Updates of every run that can be steered; the first three are signals too."""

PROGRESS: Final = "progress"
"""The query of every run that can be steered."""

CANCELED_MEMO: Final = "trenova.canceled"
"""The memo of a run that was canceled with a reason: by whom, when and why."""

NOTIFY_SUFFIX: Final = "/notify"
"""The notification of a job runs under the job's workflow id and this."""

MAX_WORKFLOW_ID: Final = 1000
"""Bytes of a workflow id that the server takes (its setting limit.maxIDLength)."""

DUPLICATE_SHIPMENT_JOB: Final = "duplicate_shipment"
TRANSFER_SHIPMENTS_JOB: Final = "transfer_shipments"
CANCEL_SHIPMENTS_JOB: Final = "cancel_shipments"
DELETE_AUDIT_ENTRIES_JOB: Final = "delete_audit_entries"
NOTIFICATION_JOB: Final = "notification"
"""Both notification workflows, as what they need of a database is the same."""

ORGANIZATION_ID: Final = SearchAttributeKey.for_keyword("TrenovaOrganizationId")
BUSINESS_UNIT_ID: Final = SearchAttributeKey.for_keyword("TrenovaBusinessUnitId")
JOB_TYPE: Final = SearchAttributeKey.for_keyword("TrenovaJobType")
TAGS: Final = SearchAttributeKey.for_keyword_list("TrenovaTags")

SEARCH_ATTRIBUTES: Final = (ORGANIZATION_ID, BUSINESS_UNIT_ID, JOB_TYPE, TAGS)
"""All four; they must be registered on a namespace before the first start that carries them."""

REQUEST_DIGEST: Final = "trenova.request-digest"
"""Memo key under which a run keeps the fingerprint of its request."""

JOB_MEMO: Final = "trenova.job"
"""Memo key under which a run says what it is, who asked and what for: a :class:`JobMemo`."""

SCHEDULED_TAG: Final = "scheduled"
BY_HAND_TAG: Final = "by-hand"
DRY_RUN_TAG: Final = "dry-run"
REDELIVERY_TAG: Final = "redelivery"
SUCCESS_TAG: Final = "tells-success"
FAILURE_TAG: Final = "tells-failure"
"""Our own values of ``TrenovaTags``; a notification also has ``about:<job type>``, and what its parent has."""
