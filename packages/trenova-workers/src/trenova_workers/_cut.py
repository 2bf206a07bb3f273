"""Ends running activities at once, so that the server hears of it and retries them elsewhere."""

import asyncio
from typing import Any

from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from trenova_errors import UnavailableError


class Cut(Interceptor):
    """Knows every running activity of the workers that it is set on."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self.done = False

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """See base class."""
        return _Tracked(next, self)

    def now(self) -> int:
        """Fail all running activities as retryable and return their number.

        A drain lets the SDK cancel activities only when its grace is over; without this the server
        would learn of their end from a timeout, minutes later.
        """
        self.done = True
        for task in self._running:
            task.cancel()
        return len(self._running)

    async def track(self, activity: ActivityInboundInterceptor, work: ExecuteActivityInput) -> Any:
        """Run one activity."""
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            return await activity.execute_activity(work)
        except asyncio.CancelledError:
            if not self.done:
                raise
            task.uncancel()
            raise UnavailableError(
                "The worker was told to stop at once while this activity ran; another one tries it again."
            ) from None
        finally:
            self._running.discard(task)


class _Tracked(ActivityInboundInterceptor):
    def __init__(self, next_: ActivityInboundInterceptor, cut: Cut) -> None:
        super().__init__(next_)
        self._cut = cut

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 (the SDK's name)
        return await self._cut.track(self.next, input)
