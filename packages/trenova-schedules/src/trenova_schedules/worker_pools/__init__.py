"""What the dashboard's page of workers shows, and whom it asks.

Workers and their pools are another package's. Whoever serves the dashboard gives :func:`trenova_schedules.server.serve`
something that fulfils :class:`WorkerPools`; ``system-worker console`` does, with a client of the pool manager's API.
"""

from trenova_schedules.worker_pools._models import (
    ManagerSeen,
    PoolDecision,
    PoolDecisions,
    PoolDetail,
    PoolOverride,
    PoolPause,
    PoolPoint,
    PoolSeen,
    PoolsSeen,
    SlotsInUse,
    WorkerSeen,
)
from trenova_schedules.worker_pools._protocol import NoPoolManagerError, WorkerPools

__all__ = [
    "ManagerSeen",
    "NoPoolManagerError",
    "PoolDecision",
    "PoolDecisions",
    "PoolDetail",
    "PoolOverride",
    "PoolPause",
    "PoolPoint",
    "PoolSeen",
    "PoolsSeen",
    "SlotsInUse",
    "WorkerPools",
    "WorkerSeen",
]
