"""What the run of a notification is, in words, whoever starts it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from trenova_activities._labels import RunLabels, is_tag
from trenova_activities._names import (
    CANCEL_SHIPMENTS_JOB,
    DELETE_AUDIT_ENTRIES_JOB,
    DUPLICATE_SHIPMENT_JOB,
    FAILURE_TAG,
    NOTIFICATION_JOB,
    SUCCESS_TAG,
    TRANSFER_SHIPMENTS_JOB,
)
from trenova_activities._notification_contract import JobNotificationPayload

_JOBS: Final[Mapping[str, str]] = MappingProxyType(
    {
        CANCEL_SHIPMENTS_JOB: "the cancellation of stale shipments",
        DELETE_AUDIT_ENTRIES_JOB: "the deletion of outlived audit entries",
        DUPLICATE_SHIPMENT_JOB: "the duplication of a shipment",
        TRANSFER_SHIPMENTS_JOB: "the transfer of shipments",
    }
)
_MOST_OF_A_RESULT: Final = 2_000
_HOW: Final = (
    "The notification is stored once for each job and target, then it leaves through the channels that are set up. "
    "The job has ended whatever becomes of it."
)


def notice_labels(notification: JobNotificationPayload, *, requested_by: str | None = None) -> RunLabels:
    """Say whom a notification tells of what.

    Args:
        notification: What it is asked.
        requested_by: Who asked for the job that it tells of, as the caller said.
    """
    about = f"about:{notification.job_type}"
    return RunLabels(
        job_type=NOTIFICATION_JOB,
        summary=notice_summary(notification),
        details="\n\n".join(
            line
            for line in (
                f"The job `{notification.job_id}` {'succeeded' if notification.success else 'failed'}."
                if notification.job_id
                else "",
                f"What {notification.target} is told: {notification.result[:_MOST_OF_A_RESULT]}"
                if notification.result
                else "",
                _HOW,
            )
            if line
        ),
        organization_id=notification.organization_id,
        business_unit_id=notification.business_unit_id,
        requested_by=requested_by,
        tags=(SUCCESS_TAG if notification.success else FAILURE_TAG, *((about,) if is_tag(about) else ())),
    )


def notice_summary(notification: JobNotificationPayload) -> str:
    """Say in a line whom a notification tells of what."""
    job = _JOBS.get(notification.job_type, notification.job_type)
    return f"Tell {notification.target} {'how' if notification.success else 'why'} {job} {_ended(notification)}"


def _ended(notification: JobNotificationPayload) -> str:
    return "ended" if notification.success else "failed"
