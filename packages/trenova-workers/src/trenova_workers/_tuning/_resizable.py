"""Slots whose number changes while the worker runs."""

import asyncio
import threading
from collections import deque

from temporalio.worker import (
    CustomSlotSupplier,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
)


class ResizableSupplier(CustomSlotSupplier):
    """Gives at most ``size`` slots. The SDK calls some methods from threads of its own, hence the lock."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._given = 0
        self._lock = threading.Lock()
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def size(self) -> int:
        """The most slots given at once."""
        return self._size

    @property
    def given(self) -> int:
        """Slots given now: those at work, and one per open poll."""
        return self._given

    def resize(self, size: int) -> None:
        """Change the number from now on.

        Nothing is cancelled: with fewer slots, the next is given only when so many have come back. An open poll keeps
        the slot that it already has, so for a moment as many more than ``size`` can be at work as polls were open.

        Raises:
            ValueError: ``size`` is below 1; the SDK would wait for ever, in its shutdown too.
        """
        if size < 1:
            raise ValueError(f"A worker needs at least one slot, got {size}. Stop it if it is to do nothing.")
        with self._lock:
            self._size = size
        self._wake()

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:  # noqa: ARG002 (the signature is the SDK's)
        """Wait for a slot."""
        while True:
            with self._lock:
                if self._given < self._size:
                    self._given += 1
                    return SlotPermit()
                turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._give_up(turn)
                raise

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:  # noqa: ARG002
        """Take a slot if one is free, for work that comes without a poll."""
        with self._lock:
            if self._given >= self._size:
                return None
            self._given += 1
            return SlotPermit()

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        """Nothing changes: a slot counts from when it is given."""

    def release_slot(self, ctx: SlotReleaseContext) -> None:  # noqa: ARG002
        """Take a slot back and let the next one that waits try."""
        with self._lock:
            self._given -= 1
        self._wake()

    def _wake(self) -> None:
        with self._lock:
            free = max(0, self._size - self._given)
            turns = [self._waiting.popleft() for _ in range(min(free, len(self._waiting)))]
        for turn in turns:
            loop = turn.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_grant, turn)

    def _give_up(self, turn: "asyncio.Future[None]") -> None:
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return
        self._wake()  # it had been woken and does not take its turn


def _grant(turn: "asyncio.Future[None]") -> None:
    if not turn.done():
        turn.set_result(None)
