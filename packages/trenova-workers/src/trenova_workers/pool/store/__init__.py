"""What outlives a pool manager: its lease, its workers, states, orders, decisions and audit trail.

Needs the extra ``[pool]`` for SQLite, and ``[postgresql]`` beside it for PostgreSQL. :class:`PoolStore` is the
beginning.
"""

from trenova_store import StoreMigration as PoolMigration
from trenova_workers.pool.store._audit import PoolAudit, PoolAuditEntry, PoolAuditPage
from trenova_workers.pool.store._decisions import (
    DECISIONS_KEPT,
    DecisionPage,
    Decisions,
    HistoryPoint,
    KeptDecision,
    PoolHistory,
)
from trenova_workers.pool.store._drains import DrainOrder, DrainOrders
from trenova_workers.pool.store._leases import LEASE_S, Lease, LeaseHolder, LeaseLostError, Leases
from trenova_workers.pool.store._options import PoolStoreOptions
from trenova_workers.pool.store._orders import OrderBook, Pause, PoolOrders
from trenova_workers.pool.store._states import PoolBounds, PoolPhase, PoolState, PoolStates
from trenova_workers.pool.store._store import PoolStore
from trenova_workers.pool.store._workers import Ending, WorkerRecord, WorkerRecords

__all__ = [
    "DECISIONS_KEPT",
    "LEASE_S",
    "DecisionPage",
    "Decisions",
    "DrainOrder",
    "DrainOrders",
    "Ending",
    "HistoryPoint",
    "KeptDecision",
    "Lease",
    "LeaseHolder",
    "LeaseLostError",
    "Leases",
    "OrderBook",
    "Pause",
    "PoolAudit",
    "PoolAuditEntry",
    "PoolAuditPage",
    "PoolBounds",
    "PoolHistory",
    "PoolMigration",
    "PoolOrders",
    "PoolPhase",
    "PoolState",
    "PoolStates",
    "PoolStore",
    "PoolStoreOptions",
    "WorkerRecord",
    "WorkerRecords",
]
