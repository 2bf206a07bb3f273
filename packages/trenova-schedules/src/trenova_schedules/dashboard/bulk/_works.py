"""Work on many schedules that outlasts the request which began it; its page asks how far it is."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Final

from starlette.requests import Request

from trenova_schedules._managing._results import BulkItem, BulkResult

SOON_S: Final = 2.0
"""For how long an answer waits for the end of the work before it says how far it is."""
FORGOTTEN: Final = "This server knows nothing of it any more; it may have been started anew since."
"""What is said of work that is not found."""
_KEPT_S: Final = 600.0

Doing = Callable[["Work"], Awaitable[BulkResult]]


class Work:
    """One piece of work, under way or over.

    Args:
        total: Schedules that it is about.
        about: What was asked for, for whoever shows what came of it.
        do: The work.

    Attributes:
        heard_of: How many of the schedules are through.
    """

    def __init__(self, total: int, about: Any, do: Doing) -> None:
        self.total, self.about, self.heard_of = total, about, 0
        self._task = asyncio.ensure_future(do(self))
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())  # nobody may ask any more

    def heard(self, _: BulkItem) -> None:
        """Count a schedule that is through."""
        self.heard_of += 1

    @property
    def is_over(self) -> bool:
        """Whether it has ended, one way or another."""
        return self._task.done()

    async def soon(self) -> BulkResult | None:
        """Return what came of it, or None where it goes on for longer than a moment.

        Raises:
            Exception: What the work raised.
        """
        done, _ = await asyncio.wait({self._task}, timeout=SOON_S)
        return self._task.result() if done else None


class Works:
    """The works of one application, by key; what is over is known for ten minutes more.

    Work ends with its process: what a bulk action had changed until then is in its receipt.
    """

    def __init__(self) -> None:
        self._works: dict[Hashable, Work] = {}

    def begin(self, key: Hashable, total: int, about: Any, do: Doing) -> Work:
        """Return the work of a key that is under way; where there is none, begin it."""
        found = self._works.get(key)
        if found is None or found.is_over:
            found = self._works[key] = Work(total, about, do)
            self._forget_later(key, found)
        return found

    def take_up(self, key: Hashable, total: int, about: Any, do: Doing) -> Work:
        """Return the work of a key, also one that is over and that nobody has forgotten; or begin it."""
        return self.find(key) or self.begin(key, total, about, do)

    def forget(self, key: Hashable) -> None:
        """Forget the work of a key, since whoever asked for it has the answer."""
        self._works.pop(key, None)

    def find(self, key: Hashable) -> Work | None:
        """Return the work of a key, or None where nobody has begun it here or it is forgotten."""
        return self._works.get(key)

    def _forget_later(self, key: Hashable, work: Work) -> None:
        def forget() -> None:
            if self._works.get(key) is work:
                self._works.pop(key) if work.is_over else self._forget_later(key, work)

        asyncio.get_running_loop().call_later(_KEPT_S, forget)


def works_of(request: Request) -> Works:
    """Return the works of the application of a request."""
    found: Works = request.app.state.works
    return found
