"""What process 1 of a container owes: signals that the kernel would drop, and orphans that nobody else reaps."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from trenova_workers._leave import leave

FIRST = 1
"""The id of the first process of a namespace."""

# Our own children are waited for within milliseconds of their end; an orphan by nobody.
_AFTER_S = 60.0
_EVERY_S = 5.0
_FATAL = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def end_when_told() -> None:
    """As process 1, end on the signals that end any other process; `run` replaces them by its drain.

    The kernel drops what is sent to process 1 unless there is a handler, so that a container which is
    stopped while it starts would be killed only when its grace is over.
    """
    if os.getpid() != FIRST:
        return
    for number in _FATAL:
        signal.signal(number, _end)


def _end(number: int, _: FrameType | None) -> None:
    leave(128 + number)


@contextmanager
def orphans_reaped(*, after_s: float = _AFTER_S, every_s: float = _EVERY_S) -> Iterator[None]:
    """As process 1, collect children of ended processes that have become ours; otherwise do nothing.

    Args:
        after_s: How long one must have been dead. The status of a child of our own that nobody asked for
            in this time is lost.
        every_s: How often to look.
    """
    if os.getpid() != FIRST:
        yield
        return
    task = asyncio.create_task(_reap(after_s, every_s), name="reaper")
    try:
        yield
    finally:
        task.cancel()


async def _reap(after_s: float, every_s: float) -> None:
    seen: dict[int, float] = {}
    while True:
        now = time.monotonic()
        seen = {pid: seen.get(pid, now) for pid in _dead_children()}
        for pid, since in seen.items():
            if now - since >= after_s:
                _collect(pid)
        await asyncio.sleep(every_s)


def _collect(pid: int) -> None:
    with suppress(ChildProcessError):  # somebody waited for it in the meantime
        os.waitpid(pid, os.WNOHANG)


def _dead_children() -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):  # it has just gone
            # After the name, which may hold spaces and brackets: state, parent.
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if state == "Z" and int(parent) == os.getpid():
                yield int(entry.name)
