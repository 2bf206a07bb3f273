"""A current TMS database, which is not ours, to try jobs against."""

from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from trenova_activities.testing._blocking import run_sql


@dataclass(frozen=True)
class CurrentTenant:
    """Ids of one tenant's sample rows.

    Attributes:
        organization_id: Its organization.
        business_unit_id: Its business unit.
        user_id: A dispatcher, who asks for jobs.
        shipment_id: A shipment under way with two moves of three stops, commodities, charges, assignments.
        invoiced_shipment_id: A shipment that is finished, without moves.
        canceled_shipment_id: A canceled one with one move of two stops.
    """

    organization_id: str
    business_unit_id: str
    user_id: str
    shipment_id: str
    invoiced_shipment_id: str
    canceled_shipment_id: str


def _tenant(name: str) -> CurrentTenant:
    return CurrentTenant(
        organization_id=f"org_{name}",
        business_unit_id=f"bu_{name}",
        user_id=f"usr_{name}",
        shipment_id=f"shp_{name}",
        invoiced_shipment_id=f"shp_{name}_invoiced",
        canceled_shipment_id=f"shp_{name}_canceled",
    )


CURRENT_TENANTS: Final = (_tenant("north"), _tenant("south"))
"""The two tenants of the sample; their data has the same shape, and some of it the same values."""


def install_current_tms(url: str) -> tuple[CurrentTenant, CurrentTenant]:
    """Create the tables of a current TMS in an empty PostgreSQL database and fill them with two tenants.

    It has what production has and our own schema has not: enums, domains, generated columns, columns that no
    job knows, triggers, partial and GIN indexes, an append-only audit log, and the current names
    (``scheduled_window_start``, ``ReadyToInvoice``). Our job tables are not among it; ``migrate`` adds them.

    Args:
        url: A PostgreSQL URL, with or without ``+asyncpg``; its user creates tables there.
    """
    folder = files("trenova_activities.testing")
    rows = folder.joinpath("_current_tms_rows.sql").read_text(encoding="utf-8")
    sample = [rows.replace(":tenant", name).replace(":n", str(n)) for n, name in enumerate(("north", "south"), 1)]
    run_sql(url, folder.joinpath("_current_tms.sql").read_text(encoding="utf-8"), *sample)
    return CURRENT_TENANTS
