"""End the run that an attempt works for: a workflow cannot ask the server to cancel itself, its activity can."""

from datetime import timedelta
from typing import Final

from temporalio import activity

_PATIENCE: Final = timedelta(seconds=10)


async def cancel_own_run(reason: str) -> None:
    """Ask the server to cancel the workflow run of this attempt.

    Args:
        reason: Kept with the request in the history; ``workflow.cancellation_reason()`` is this.

    Raises:
        RPCError: The server did not take it.
    """
    info = activity.info()
    assert info.workflow_id is not None
    run = activity.client().get_workflow_handle(info.workflow_id, run_id=info.workflow_run_id)
    await run.cancel(reason=reason, rpc_timeout=_PATIENCE)
