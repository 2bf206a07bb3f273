"""``trenova-activities status``: how a job stands, as the Temporal server knows it."""

import json
from collections.abc import Mapping
from datetime import datetime

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus, WorkflowFailureError

from trenova_activities._cli_follow import RPC_TIMEOUT, connect, console, failure_of, stage_of
from trenova_errors import ResourceNotFoundError

_GOOD = frozenset({WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED})


async def show_status(workflow_id: str) -> bool:
    """Print the state of the newest run of a workflow.

    Returns:
        Whether it is running or completed.

    Raises:
        ResourceNotFoundError: There is no such workflow.
    """
    client = await connect()
    description = await _describe(client, workflow_id)
    status = description.status or WorkflowExecutionStatus.RUNNING
    _print("workflow", f"{description.id} (run {description.run_id})")
    _print("job", description.workflow_type)
    _print("state", status.name.lower().replace("_", " "))
    _print("started", _moment(description.start_time))
    if description.close_time is not None:
        _print("ended", _moment(description.close_time))
    if status is WorkflowExecutionStatus.RUNNING:
        for activity in description.raw_description.pending_activities:
            _print("doing", await stage_of(client, activity))
    else:
        await _print_outcome(client, description)
    return status in _GOOD


async def _describe(client: Client, workflow_id: str) -> WorkflowExecutionDescription:
    from temporalio.service import RPCError, RPCStatusCode

    try:
        return await client.get_workflow_handle(workflow_id).describe(rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise ResourceNotFoundError.of("workflow", workflow_id) from None


async def _print_outcome(client: Client, description: WorkflowExecutionDescription) -> None:
    handle = client.get_workflow_handle(description.id, run_id=description.run_id)
    try:
        result = await handle.result(follow_runs=False, rpc_timeout=RPC_TIMEOUT)
    except WorkflowFailureError as error:
        _print("failure", _reason(error))
        return
    sentence = result.get("result") if isinstance(result, Mapping) else None
    _print("result", str(sentence or json.dumps(result, default=str)))


def _reason(error: BaseException) -> str:
    kind, message = failure_of(error)
    return message if not kind or message.startswith(f"{kind}: ") else f"{kind}: {message}"


def _print(name: str, value: str) -> None:
    console.print(f"{name:9}", value, soft_wrap=True, markup=False)


def _moment(moment: datetime) -> str:
    return moment.astimezone().isoformat(sep=" ", timespec="seconds")
