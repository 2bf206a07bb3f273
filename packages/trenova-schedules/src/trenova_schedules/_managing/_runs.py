"""Whether the run of a tick is there."""

from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.schedule.v1 import Schedule
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

_WITHIN: Final = timedelta(seconds=30)


def run_id_of(schedule: Schedule, nominal: datetime) -> str:
    """Return the id of the workflow that the server starts for a nominal time."""
    base = schedule.action.start_workflow.workflow_id
    if schedule.policies.keep_original_workflow_id:
        return base
    return f"{base}-{nominal.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


async def latest_run(client: Client, workflow_id: str) -> str | None:
    """Return the run id of a workflow, of the latest run if it has several; None if the server knows none.

    It does not ask visibility, so what has been started a moment ago is found.
    """
    request = DescribeWorkflowExecutionRequest(
        namespace=client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
    )
    try:
        answer = await client.workflow_service.describe_workflow_execution(request, retry=True, timeout=_WITHIN)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None
    return answer.workflow_execution_info.execution.run_id
