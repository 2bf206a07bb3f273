"""So much at once and no more."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable


async def at_most(at_once: int, work: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """Call all, so many at a time, and return when all are done.

    Raises:
        ExceptionGroup: One failed; the others were cancelled.
    """
    free = asyncio.Semaphore(at_once)

    async def one(call: Callable[[], Awaitable[None]]) -> None:
        async with free:
            await call()

    async with asyncio.TaskGroup() as group:
        for call in work:
            group.create_task(one(call))
