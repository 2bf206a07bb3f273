"""The TMS's database: the connection, its migrations, what jobs need of it, and a sample to try them on.

Needs the extra ``database`` and a driver: ``sqlite`` or ``postgresql``.
"""

from trenova_activities.database._catalog import Catalog
from trenova_activities.database._comparison import asked_for, found
from trenova_activities.database._duplication import ShipmentActivities
from trenova_activities.database._engine import Clock, Database, database_clock
from trenova_activities.database._inspection import SystemActivities
from trenova_activities.database._job_tables import JobTables
from trenova_activities.database._migrate import Migration, migrate
from trenova_activities.database._notifications import NotificationActivities
from trenova_activities.database._options import DatabaseOptions
from trenova_activities.database._pro_numbers import ProNumberFormat, ProNumberOptions, reserve_sequence
from trenova_activities.database._requirements import JOBS, check, ready_catalog
from trenova_activities.database._seed import Seeded, seed
from trenova_activities.database._tenant import Tenant

__all__ = [
    "JOBS",
    "Catalog",
    "Clock",
    "Database",
    "DatabaseOptions",
    "JobTables",
    "Migration",
    "NotificationActivities",
    "ProNumberFormat",
    "ProNumberOptions",
    "Seeded",
    "ShipmentActivities",
    "SystemActivities",
    "Tenant",
    "asked_for",
    "check",
    "database_clock",
    "found",
    "migrate",
    "ready_catalog",
    "reserve_sequence",
    "seed",
]
