"""Tell whoever is responsible that a nightly run failed; deterministic code only."""

import asyncio
from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import FailureError

with workflow.unsafe.imports_passed_through():
    from trenova_activities._names import JOB_NOTIFICATION_WORKFLOW, NOTIFICATION_QUEUE
    from trenova_activities._nightly_contract import FailureNotice
    from trenova_activities._notice_labels import notice_labels
    from trenova_activities._notification_contract import JobNotificationPayload


async def tell(notices: Sequence[FailureNotice], job_type: str) -> None:
    """Start one notification for each notice and wait until the server has them; none of them fails the run."""
    await asyncio.gather(*(_notify(notice, job_type) for notice in notices))


async def _notify(notice: FailureNotice, job_type: str) -> None:
    info = workflow.info()
    notification = JobNotificationPayload(
        organization_id=notice.organization_id,
        business_unit_id=notice.business_unit_id,
        timestamp=int(workflow.now().timestamp()),
        job_id=info.workflow_id,
        job_type=job_type,
        target_role=notice.role,
        success=False,
        result=notice.words,
    )
    try:
        await workflow.start_child_workflow(
            JOB_NOTIFICATION_WORKFLOW,
            notification,
            id=f"{info.workflow_id}/notify/{notice.organization_id}/{notice.business_unit_id}",
            task_queue=NOTIFICATION_QUEUE,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            id_reuse_policy=WorkflowIDReusePolicy.TERMINATE_IF_RUNNING,
            **notice_labels(notification).child_arguments(),
        )
    except FailureError:
        workflow.logger.warning("The notification could not be started", exc_info=True)
