"""Ctrl-C and SIGTERM: the first asks, the second insists."""

import asyncio
import signal
import time
from collections.abc import Callable
from typing import Self

# A terminal and a wrapper such as `uv run` may both deliver one Ctrl-C.
_SAME = 0.3


class Signals:
    """Listens while it is entered; ``asked`` is set by the first signal."""

    def __init__(self, on_second: Callable[[], None]) -> None:
        self.asked = asyncio.Event()
        self.insisted = False
        self._on_second = on_second
        self._first = 0.0
        self._listening = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def __enter__(self) -> Self:
        for number in self._listening:
            asyncio.get_running_loop().add_signal_handler(number, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        for number in self._listening:
            asyncio.get_running_loop().remove_signal_handler(number)

    def _receive(self) -> None:
        if not self.asked.is_set():
            self._first = time.monotonic()
            self.asked.set()
        elif time.monotonic() - self._first > _SAME:
            self.insisted = True
            self._on_second()
