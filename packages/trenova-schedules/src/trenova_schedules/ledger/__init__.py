"""The tick ledger: what became of every time at which a schedule should have fired.

:func:`classify` is a pure function. :class:`HarvestScheduleLedgerWorkflow` applies it to every schedule of a namespace
and keeps the ledger in ``trenova_schedules.store``; :class:`LedgerActivities`, which it needs beside it on a worker,
needs the extra ``[database]``.
"""

from typing import TYPE_CHECKING, Any

from trenova_schedules._tick import Tick, TickClass
from trenova_schedules.ledger._classify import SHORTEST_MARGIN_S, Verdict, classify
from trenova_schedules.ledger._evidence import Evidence, Look, Outage, Overlap, Pause, Run, VersionInForce
from trenova_schedules.ledger._harvest_contract import (
    HarvestPageRequest,
    HarvestPageResult,
    HarvestPayload,
    HarvestResult,
)
from trenova_schedules.ledger._harvest_workflow import HarvestScheduleLedgerWorkflow
from trenova_schedules.ledger._names import HARVEST_ACTIVITY, HARVEST_WORKFLOW, REGISTER_ACTIVITY
from trenova_schedules.ledger._objective import AlertKind, Notifier, ScheduleAlert, Standing, judge

if TYPE_CHECKING:
    from trenova_schedules.ledger._harvest import Harvested, LedgerOptions, harvest_schedule
    from trenova_schedules.ledger._harvest_activities import LedgerActivities
    from trenova_schedules.ledger._metrics import LedgerMetrics

__all__ = [
    "HARVEST_ACTIVITY",
    "HARVEST_WORKFLOW",
    "REGISTER_ACTIVITY",
    "SHORTEST_MARGIN_S",
    "AlertKind",
    "Evidence",
    "HarvestPageRequest",
    "HarvestPageResult",
    "HarvestPayload",
    "HarvestResult",
    "HarvestScheduleLedgerWorkflow",
    "Harvested",
    "LedgerActivities",
    "LedgerMetrics",
    "LedgerOptions",
    "Look",
    "Notifier",
    "Outage",
    "Overlap",
    "Pause",
    "Run",
    "ScheduleAlert",
    "Standing",
    "Tick",
    "TickClass",
    "Verdict",
    "VersionInForce",
    "classify",
    "harvest_schedule",
    "judge",
]

_WITH_DATABASE = {
    "Harvested": "_harvest",
    "LedgerActivities": "_harvest_activities",
    "LedgerMetrics": "_metrics",
    "LedgerOptions": "_harvest",
    "harvest_schedule": "_harvest",
}


def __getattr__(name: str) -> Any:
    # These need SQLAlchemy, which who only classifies or registers the workflow does not have to install.
    if name in _WITH_DATABASE:
        from importlib import import_module

        return getattr(import_module(f"trenova_schedules.ledger.{_WITH_DATABASE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
