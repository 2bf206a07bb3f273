"""Where plain activities run: on threads of this process, or in processes of their own."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.managers import SyncManager
from typing import Literal, TypedDict

from temporalio.worker import SharedStateManager

from trenova_workers._tuning._host import this_host

_YIELDING = 5
"""By how much computing processes are nicer than the worker that polls and reports for them."""


class ActivityArguments(TypedDict):
    """The arguments of ``temporalio.worker.Worker`` that say where plain activities run."""

    activity_executor: Executor
    shared_state_manager: SharedStateManager | None


class Executors:
    """The executor that all workers of a process share. Its threads or processes are made when first needed."""

    def __init__(self, kind: Literal["threads", "processes"], most: int) -> None:
        self._manager: SyncManager | None = None
        self._listener: ThreadPoolExecutor | None = None
        self._shared: SharedStateManager | None = None
        self.executor: Executor = (
            ThreadPoolExecutor(max_workers=most, thread_name_prefix="activity")
            if kind == "threads"
            else self._processes(min(most, this_host().cores))
        )

    def arguments(self) -> ActivityArguments:
        """Return what each worker is given."""
        return ActivityArguments(activity_executor=self.executor, shared_state_manager=self._shared)

    def shutdown(self, *, wait: bool) -> None:
        """Begin nothing more; with ``wait``, return when the last activity has ended."""
        self.executor.shutdown(wait=wait, cancel_futures=True)
        if self._manager:
            self._manager.shutdown()
        if self._listener:
            self._listener.shutdown(wait=False, cancel_futures=True)

    def _processes(self, most: int) -> ProcessPoolExecutor:
        # A fork would take the SDK's native threads along, dead.
        spawn = multiprocessing.get_context("spawn")
        self._manager = SyncManager(ctx=spawn)
        with _interrupts_ignored():
            self._manager.start(tie_to_parent)
        self._listener = ThreadPoolExecutor(1, thread_name_prefix="heartbeats")
        self._shared = SharedStateManager.create_from_multiprocessing(self._manager, self._listener)
        return ProcessPoolExecutor(most, mp_context=spawn, initializer=_begin)


def _begin() -> None:
    """Compute only when the worker's own process has nothing to do: it fetches work and reports for all of them."""
    os.nice(_YIELDING)
    tie_to_parent()


def tie_to_parent() -> None:
    """Leave Ctrl-C to the parent, which drains, and end when the parent has ended, however it did."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """A process that starts inherits this, so that Ctrl-C does not meet it before it can ignore it itself."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
