"""Work that is done a little at a time behind the pages, which show what there is of it so far."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, Generic, TypeVar

from temporalio.service import RPCError

from trenova_errors import ApplicationError

K = TypeVar("K", bound=Hashable)

_POLITE_S: Final = 0.05
_POLITE_TIMES: Final = 100


class Backlog(Generic[K]):
    """Does one thing with each of many keys, a bounded number at a time, each once however often it is asked for.

    Args:
        do: What is done with a key; where it fails, the key is passed over until somebody adds it again.
        at_once: How many are under way at most.
    """

    def __init__(self, do: Callable[[K], Awaitable[None]], *, at_once: int) -> None:
        self._do = do
        self._at_once = at_once
        self._waiting: dict[K, None] = {}
        self._in_hand: set[K] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._held = 0

    @property
    def left(self) -> int:
        """How many are not done yet."""
        return len(self._waiting) + len(self._in_hand)

    def add(self, keys: Iterable[K]) -> None:
        """Put keys at the end; what waits or is under way stays where it is."""
        self._waiting.update((key, None) for key in keys if key not in self._in_hand)
        while len(self._tasks) < min(self._at_once, len(self._waiting)):
            task = asyncio.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Begin nothing new while somebody waits for something else of the same server, for five seconds at most."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1

    async def settle(self, within: float) -> bool:
        """Wait until everything is done, for so many seconds at most; return whether it is."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=within)
        return not self.left

    async def _work(self) -> None:
        while self._waiting:
            for _ in range(_POLITE_TIMES):
                if self._held:
                    await asyncio.sleep(_POLITE_S)
            if not self._waiting:
                return
            key = next(iter(self._waiting))
            del self._waiting[key]
            self._in_hand.add(key)
            try:
                await self._do(key)
            except (RPCError, ApplicationError):  # whoever shows it says what is not known
                continue
            finally:
                self._in_hand.discard(key)
