"""One list of the server for everybody who asks at one time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from trenova_schedules._managing._listed import ListedSchedule

_YOUNG_S: Final = 0.3


class SharedList:
    """The last list: one that has begun a moment ago is everybody's, and no older one, so that a change shows."""

    def __init__(self) -> None:
        self._task: asyncio.Task[list[ListedSchedule]] | None = None
        self._begun = 0.0

    async def get(self, ask: Callable[[], Awaitable[list[ListedSchedule]]]) -> list[ListedSchedule]:
        """Return it, or ask for a new one.

        Raises:
            temporalio.service.RPCError: The server could not be asked.
        """
        now = asyncio.get_running_loop().time()
        if self._task is None or now - self._begun > _YOUNG_S:
            self._begun = now
            self._task = asyncio.ensure_future(_asked(ask))
        # Whoever goes away takes it from nobody else.
        return await asyncio.shield(self._task)


async def _asked(ask: Callable[[], Awaitable[list[ListedSchedule]]]) -> list[ListedSchedule]:
    return await ask()
