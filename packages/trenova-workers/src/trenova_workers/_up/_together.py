"""Steps that run at once, and end together."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any


async def together(*steps: Coroutine[Any, Any, object]) -> None:
    """Run all at once; the first error ends the others and is raised."""
    tasks = [asyncio.ensure_future(step) for step in steps]
    try:
        await asyncio.gather(*tasks)
    finally:
        await cancel(tasks)


async def cancel(tasks: Sequence["asyncio.Future[Any]"]) -> None:
    """Cancel all and wait for their ends."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
