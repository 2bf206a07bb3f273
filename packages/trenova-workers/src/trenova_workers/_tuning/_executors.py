"""Where plain activities run: on threads of this process, or in processes of their own."""

import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.managers import SyncManager
from typing import Any, Literal, ParamSpec, TypedDict, TypeVar

from temporalio.worker import SharedStateManager

from trenova_workers._tuning._host import this_host

_YIELDING = 5
"""By how much computing processes are nicer than the worker that polls and reports for them."""
P = ParamSpec("P")
R = TypeVar("R")


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
        with _stops_blocked():
            self._manager.start(tie_to_parent)
        self._listener = ThreadPoolExecutor(1, thread_name_prefix="heartbeats")
        self._shared = SharedStateManager.create_from_multiprocessing(self._manager, self._listener)
        return _Processes(most, mp_context=spawn, initializer=_begin)


class _Processes(ProcessPoolExecutor):
    """Starts its processes on submission, deaf to requests to stop that reach the whole group."""

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """See base class."""
        with _stops_blocked():
            return super().submit(fn, *args, **kwargs)


def _begin() -> None:
    """Compute only when the worker's own process has nothing to do: it fetches work and reports for all of them."""
    os.nice(_YIELDING)
    tie_to_parent()


def tie_to_parent() -> None:
    """Leave it to the parent to stop, which drains, and end when the parent has ended or says so.

    Ctrl-C goes to everything in the foreground of a terminal, and systemd sends SIGTERM to every process
    of a unit: a child that obeyed would break the activity that it runs.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_outlive_nobody, args=(parent,), name="parent", daemon=True).start()
    threading.Thread(target=_obey_only, args=(parent.pid,), name="sigterm", daemon=True).start()


def _outlive_nobody(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _obey_only(parent: int | None) -> None:
    if not hasattr(signal, "sigwaitinfo"):  # macOS, which has no systemd either
        return
    # Blocked in every thread of this process from its start on, so it is for this one to take.
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(128 + signal.SIGTERM)


@contextmanager
def more_slots_than_processes() -> Iterator[None]:
    """Make workers without the SDK's warning that they have more slots than the executor has processes or threads.

    A slot is also needed by every poll that is open and by every ``async`` activity, which computes in no process.
    """
    with warnings.catch_warnings():
        said = r"Worker max_concurrent_activities is \d+ but activity_executor's max_workers is only \d+"
        warnings.filterwarnings("ignore", said, UserWarning)
        yield


@contextmanager
def _stops_blocked() -> Iterator[None]:
    """A process that starts inherits this, so that no request to stop meets it; our own wait until the end."""
    resource_tracker.ensure_running()  # it would unblock them
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
