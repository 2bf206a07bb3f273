"""The TMS's database: the connection, its migrations, what jobs need of it, and a sample to try them on.

Needs the extra ``database`` and a driver: ``sqlite`` or ``postgresql``.
"""

from trenova_activities.database._cancellation_activities import CancellationActivities
from trenova_activities.database._catalog import Catalog
from trenova_activities.database._comparison import asked_for, found, organization_names
from trenova_activities.database._delivery_activities import DeliveryActivities
from trenova_activities.database._delivery_rows import find_delivery, list_deliveries
from trenova_activities.database._duplication import ShipmentActivities
from trenova_activities.database._engine import Clock, Database, database_clock
from trenova_activities.database._holds import HoldScope, list_holds, place_hold, release_hold
from trenova_activities.database._inspection import SystemActivities
from trenova_activities.database._job_tables import JobTables
from trenova_activities.database._log_triggers import retention_notes
from trenova_activities.database._manifest import Manifest, TenantManifest, manifest_lines, verify_manifest
from trenova_activities.database._migrate import Migration, migrate
from trenova_activities.database._notifications import NotificationActivities
from trenova_activities.database._notify_roles import NotifyRoles
from trenova_activities.database._options import DatabaseOptions
from trenova_activities.database._pace_options import BrakeOptions, PaceOptions
from trenova_activities.database._plan import Plan, PlannedTenant
from trenova_activities.database._plan_gate import PlanRefusedError, PlanRequiredError
from trenova_activities.database._plan_making import make_plan
from trenova_activities.database._plan_options import PlanOptions
from trenova_activities.database._plan_rows import Approval, StoredPlan, approve_plan, find_plan, list_plans
from trenova_activities.database._preferences import EVERY_EVENT, NotificationPreferences, Preference
from trenova_activities.database._pro_numbers import ProNumberFormat, ProNumberOptions, reserve_sequence
from trenova_activities.database._requirements import JOBS, check, ready_catalog
from trenova_activities.database._retention_activities import RetentionActivities
from trenova_activities.database._retention_grant import (
    allow_by_default,
    allow_retention,
    retention_sql,
    revoke_retention,
)
from trenova_activities.database._seed import Seeded, sample_organizations, seed
from trenova_activities.database._seed_carriers import DEMO_SEED
from trenova_activities.database._seed_history import History, seed_history
from trenova_activities.database._tenant import Tenant
from trenova_activities.database._transfer import TransferActivities
from trenova_activities.database._write_turns import WriteRate

__all__ = [
    "DEMO_SEED",
    "EVERY_EVENT",
    "JOBS",
    "Approval",
    "BrakeOptions",
    "CancellationActivities",
    "Catalog",
    "Clock",
    "Database",
    "DatabaseOptions",
    "DeliveryActivities",
    "History",
    "HoldScope",
    "JobTables",
    "Manifest",
    "Migration",
    "NotificationActivities",
    "NotificationPreferences",
    "NotifyRoles",
    "PaceOptions",
    "Plan",
    "PlanOptions",
    "PlanRefusedError",
    "PlanRequiredError",
    "PlannedTenant",
    "Preference",
    "ProNumberFormat",
    "ProNumberOptions",
    "RetentionActivities",
    "Seeded",
    "ShipmentActivities",
    "StoredPlan",
    "SystemActivities",
    "Tenant",
    "TenantManifest",
    "TransferActivities",
    "WriteRate",
    "allow_by_default",
    "allow_retention",
    "approve_plan",
    "asked_for",
    "check",
    "database_clock",
    "find_delivery",
    "find_plan",
    "found",
    "list_deliveries",
    "list_holds",
    "list_plans",
    "make_plan",
    "manifest_lines",
    "migrate",
    "organization_names",
    "place_hold",
    "ready_catalog",
    "release_hold",
    "reserve_sequence",
    "retention_notes",
    "retention_sql",
    "revoke_retention",
    "sample_organizations",
    "seed",
    "seed_history",
    "verify_manifest",
]
