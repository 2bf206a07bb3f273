"""The activities that run in this process: how many, how those ended that a drain met, and how to end all at once."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from temporalio import activity
from temporalio.exceptions import CancelledError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from trenova_errors import UnavailableError

Outcome = Literal["finished", "checkpointed", "cancelled", "failed", "cut"]


@dataclass
class Ended:
    """How activities ended since a drain began.

    Attributes:
        finished: With a result, or cancelled because somebody wanted it.
        checkpointed: With a result that says that the work goes on elsewhere.
        cancelled: By the drain, when its grace was over; the server tries them again.
        failed: With an error of their own.
        cut: By a second signal, or after they had ignored their cancellation; the server tries them again.
    """

    finished: int = 0
    checkpointed: int = 0
    cancelled: int = 0
    failed: int = 0
    cut: int = 0

    def count(self, outcome: Outcome) -> None:
        """Note one more."""
        setattr(self, outcome, getattr(self, outcome) + 1)

    def facts(self) -> dict[str, int]:
        """Return the counts by name, for logs."""
        return asdict(self)


class RunningActivities(Interceptor):
    """Knows every running activity, local ones included, of the workers that it is set on.

    Args:
        goes_on: Whether the result of an activity says that its work goes on in another call.
    """

    def __init__(self, goes_on: Callable[[Any], bool]) -> None:
        self._goes_on = goes_on
        self._tasks: set[asyncio.Task[Any]] = set()
        self._cut = False
        self.ended = Ended()

    def __len__(self) -> int:
        return len(self._tasks)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        """See base class."""
        return _Tracked(next, self)

    def count_anew(self) -> None:
        """Count how activities end from now on."""
        self.ended = Ended()

    def cut(self) -> int:
        """Fail all running activities as retryable and return their number.

        A drain lets the SDK cancel activities only when its grace is over; without this the server
        would learn of their end from a timeout, minutes later.
        """
        self._cut = True
        for task in self._tasks:
            task.cancel()
        return len(self._tasks)

    async def track(self, inner: ActivityInboundInterceptor, work: ExecuteActivityInput) -> Any:
        """Run one activity."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            result = await inner.execute_activity(work)
        except (asyncio.CancelledError, CancelledError) as error:
            if self._cut and isinstance(error, asyncio.CancelledError):
                self.ended.count("cut")
                task.uncancel()
                raise UnavailableError(
                    "The worker was told to stop at once while this activity ran; another one tries it again."
                ) from None
            details = activity.cancellation_details()
            self.ended.count("cancelled" if details and details.worker_shutdown else "finished")
            raise
        except BaseException:
            self.ended.count("failed")
            raise
        else:
            self.ended.count("checkpointed" if self._goes_on(result) else "finished")
            return result
        finally:
            self._tasks.discard(task)


class _Tracked(ActivityInboundInterceptor):
    def __init__(self, next_: ActivityInboundInterceptor, running: RunningActivities) -> None:
        super().__init__(next_)
        self._running = running

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 (the SDK's name)
        return await self._running.track(self.next, input)
