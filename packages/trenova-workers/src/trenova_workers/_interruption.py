"""SIGTERM and SIGINT: the first asks for a drain, the second for an end at once."""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

# A terminal and a wrapper such as `uv run`, or an init process and its runtime, may both deliver one request.
_SAME_S = 0.3


class Interruption:
    """Counts the requests to stop."""

    def __init__(self) -> None:
        self.first = asyncio.Event()
        self.second = asyncio.Event()
        self._first_at = 0.0
        self.number = 0
        """The last signal received; 0 when it was none."""

    @property
    def reason(self) -> str:
        """What asked for the stop, for logs."""
        return signal.Signals(self.number).name if self.number else "a request to stop"

    def received(self, number: int) -> None:
        """Note one signal; what follows the first within 0.3 s is the same request."""
        now = time.monotonic()
        if not self.first.is_set():
            self._first_at = now
            self.first.set()
        elif now - self._first_at <= _SAME_S:
            return
        else:
            self.second.set()
        self.number = number


@contextmanager
def interrupted_by_signals() -> Iterator[Interruption]:
    """Listen to SIGTERM and SIGINT in place of Python's own handlers."""
    loop = asyncio.get_running_loop()
    interruption = Interruption()
    for number in _SIGNALS:
        loop.add_signal_handler(number, interruption.received, number)
    try:
        yield interruption
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


@contextmanager
def interrupted_by(stop: asyncio.Event) -> Iterator[Interruption]:
    """Leave signals alone and drain when ``stop`` is set."""
    interruption = Interruption()
    interruption.first = stop
    yield interruption


@contextmanager
def cancelled_when(event: asyncio.Event) -> Iterator[None]:
    """Cancel the block when ``event`` is set, and go on after it."""
    task = asyncio.current_task()
    assert task is not None
    block, inside, cancelled = task, True, False

    async def watch() -> None:
        nonlocal cancelled
        await event.wait()
        if inside:
            cancelled = block.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if not cancelled or block.uncancel() > 0:  # someone else cancelled us as well
            raise
    finally:
        inside = False
        watcher.cancel()
