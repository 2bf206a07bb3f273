"""What schedules leave in a database: audit trail, specification versions, tick ledger, registry.

Needs the extras ``[database]`` and ``[sqlite]`` or ``[postgresql]``. :class:`ScheduleStore` is the beginning;
:func:`migrate` creates its tables.
"""

from trenova_schedules._managing._audit import AuditEntry
from trenova_schedules._managing._listed_receipts import ListedReceipt, ReceiptFilter, ReceiptPage
from trenova_schedules._managing._receipts import Receipt
from trenova_schedules._tick import Tick, TickClass
from trenova_schedules.store._alerts import AlertState, AlertStates
from trenova_schedules.store._audit import BEGUN_FOR, AuditFilter, AuditPage, AuditTrail
from trenova_schedules.store._idempotency import KEYS_KEPT, digest_of
from trenova_schedules.store._observation import Observation
from trenova_schedules.store._receipts import Receipts
from trenova_schedules.store._registry import RegisteredSchedule, Registry
from trenova_schedules.store._store import ScheduleStore, migrate
from trenova_schedules.store._ticks import TickLedger, TickSpan
from trenova_schedules.store._versions import PauseInterval, SpecVersion, SpecVersions
from trenova_store import KeyClaim as Claim
from trenova_store import RequestKeys as IdempotencyKeys
from trenova_store import StoreMigration, StoreOptions

__all__ = [
    "BEGUN_FOR",
    "KEYS_KEPT",
    "AlertState",
    "AlertStates",
    "AuditEntry",
    "AuditFilter",
    "AuditPage",
    "AuditTrail",
    "Claim",
    "IdempotencyKeys",
    "ListedReceipt",
    "Observation",
    "PauseInterval",
    "Receipt",
    "ReceiptFilter",
    "ReceiptPage",
    "Receipts",
    "RegisteredSchedule",
    "Registry",
    "ScheduleStore",
    "SpecVersion",
    "SpecVersions",
    "StoreMigration",
    "StoreOptions",
    "Tick",
    "TickClass",
    "TickLedger",
    "TickSpan",
    "digest_of",
    "migrate",
]
