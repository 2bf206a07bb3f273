"""End the run that an attempt works for: a workflow cannot ask the server to cancel itself, its activity can."""

from datetime import timedelta
from typing import Final

from temporalio import activity

from trenova_activities._names import CANCELED_MEMO

_PATIENCE: Final = timedelta(seconds=10)


async def cancel_own_run() -> None:
    """Ask the server to cancel the workflow run of this attempt.

    What people write never goes with the request, where it would stay in clear.

    Raises:
        RPCError: The server did not take it.
    """
    info = activity.info()
    assert info.workflow_id is not None
    run = activity.client().get_workflow_handle(info.workflow_id, run_id=info.workflow_run_id)
    await run.cancel(reason=f"see the memo {CANCELED_MEMO}", rpc_timeout=_PATIENCE)
