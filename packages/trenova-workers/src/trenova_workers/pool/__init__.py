"""Pools of workers: how many run, and why (extra ``[pool]``).

A pool manager observes the queues of its pools, decides with the control law of ``trenova_workers.scaling``, and starts
and drains workers through a :class:`Backend`; :class:`ProcessBackend` runs them as processes of this machine.
``trenova-workers pool run`` is the command, :func:`open_manager` the same from Python.
"""

try:
    from trenova_workers.pool._backend import Backend, Capabilities
    from trenova_workers.pool._calendar import ScheduleCalendar
    from trenova_workers.pool._config import load_pools
    from trenova_workers.pool._dependencies import DependencyHealth, DependencyProbes
    from trenova_workers.pool._dependency_options import DependencyOptions
    from trenova_workers.pool._desk import Clerk, PoolDesk
    from trenova_workers.pool._figures import Figures, QueueObserver
    from trenova_workers.pool._managed import ManagedPool
    from trenova_workers.pool._manager import PoolManager
    from trenova_workers.pool._observer import TemporalObserver
    from trenova_workers.pool._options import (
        BuildOptions,
        ContentionOptions,
        CrashOptions,
        PoolOptions,
        PoolsOptions,
        ProcessOptions,
    )
    from trenova_workers.pool._reports import ManagerReport, PoolReport, PoolsReport, WorkersReport
    from trenova_workers.pool._running import OpenedManager, open_manager, open_store
    from trenova_workers.pool._worker import PoolVersion, PoolView, PoolWorker, WorkerEnd, WorkerPhase, WorkerSlots
    from trenova_workers.pool.processes import ProcessBackend
except ModuleNotFoundError as error:
    missing = str(error.name).partition(".")[0]
    raise ModuleNotFoundError(
        f'A pool manager needs its extra: uv pip install "trenova-workers[pool]" ({missing} is missing).',
        name=error.name,
    ) from None

__all__ = [
    "Backend",
    "BuildOptions",
    "Capabilities",
    "Clerk",
    "ContentionOptions",
    "CrashOptions",
    "DependencyHealth",
    "DependencyOptions",
    "DependencyProbes",
    "Figures",
    "ManagedPool",
    "ManagerReport",
    "OpenedManager",
    "PoolDesk",
    "PoolManager",
    "PoolOptions",
    "PoolReport",
    "PoolVersion",
    "PoolView",
    "PoolWorker",
    "PoolsOptions",
    "PoolsReport",
    "ProcessBackend",
    "ProcessOptions",
    "QueueObserver",
    "ScheduleCalendar",
    "TemporalObserver",
    "WorkerEnd",
    "WorkerPhase",
    "WorkerSlots",
    "WorkersReport",
    "load_pools",
    "open_manager",
    "open_store",
]
