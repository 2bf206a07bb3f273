"""Tell whoever asked how a job ended: a workflow of its own, started by the job's; deterministic code only."""

import hashlib

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from trenova_activities._names import (
        JOB_NOTIFICATION_WORKFLOW,
        MAX_WORKFLOW_ID,
        NOTIFICATION_QUEUE,
        NOTIFY_SUFFIX,
    )
    from trenova_activities._notice_labels import notice_labels
    from trenova_activities._notification_contract import JobNotificationPayload


async def start_notification(notification: JobNotificationPayload) -> None:
    """Start the notification and wait until the server has it; a newer outcome replaces an older message."""
    try:
        await workflow.start_child_workflow(
            JOB_NOTIFICATION_WORKFLOW,
            notification,
            id=notification_id(workflow.info().workflow_id),
            task_queue=NOTIFICATION_QUEUE,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            id_reuse_policy=WorkflowIDReusePolicy.TERMINATE_IF_RUNNING,
            **notice_labels(notification, requested_by=notification.user_id).child_arguments(),
        )
    except FailureError:
        workflow.logger.warning("The notification could not be started", exc_info=True)


def notification_id(workflow_id: str) -> str:
    """Return ``<workflow id>/notify``; where the server would refuse its length, a fingerprint stands for the end."""
    wanted = workflow_id + NOTIFY_SUFFIX
    if len(wanted.encode()) <= MAX_WORKFLOW_ID:
        return wanted
    fingerprint = hashlib.sha256(workflow_id.encode()).hexdigest()
    room = MAX_WORKFLOW_ID - len(fingerprint) - len(NOTIFY_SUFFIX) - 1
    return f"{workflow_id.encode()[:room].decode(errors='ignore')}~{fingerprint}{NOTIFY_SUFFIX}"
