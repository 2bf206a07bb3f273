"""A call that is asked to stop ends after the batch under way, and answers with how far it is."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from temporalio import activity

GRACE_S: Final = 5.0
"""How long the batch under way may take from then on. A request comes with the answer to a heartbeat, which the SDK
sends after at most 0.8 of its timeout (10 seconds), so a pause holds within about 15 seconds."""

_Answer = TypeVar("_Answer")


async def handed_over(work: Coroutine[Any, Any, _Answer], *, grace_s: float = GRACE_S) -> _Answer:
    """Wait for work that looks at ``activity.is_cancelled()`` between its steps; a workflow's request only asks it.

    Whatever else cancels the attempt, such as a heartbeat that failed or a worker that will not wait longer, cancels
    the work at once.

    Args:
        work: Ends soon after it was asked to.
        grace_s: How long that may take; then it is cancelled, which rolls its transaction back.

    Raises:
        asyncio.CancelledError: The work was cancelled, and has ended.
    """
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if task.cancelled() or not _asked_to():
            await _ended(task)
            raise
    try:
        await asyncio.wait([task], timeout=grace_s)
    finally:
        if not task.done():
            await _ended(task)
    return await task


def _asked_to() -> bool:
    """Say whether the workflow, and nothing else, wants the attempt to end."""
    details = activity.cancellation_details()
    return details is not None and details.cancel_requested and not (details.not_found or details.timed_out)


async def _ended(task: asyncio.Task[Any]) -> None:
    """Cancel the work and wait until its transaction is closed."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.wait([task])
