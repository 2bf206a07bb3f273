"""What a copy of a shipment takes over, what it clears and what it starts anew (the TMS's own rules)."""

from typing import Any, Final

from trenova_activities.database._copying import CopyRules

NEW: Final = "New"
"""The status of everything in a copy; both vocabularies of the TMS have it."""

STOP_STARTS: Final = ("planned_arrival", "scheduled_window_start")
"""When a stop is planned to begin, in the older and in the current vocabulary."""

STOP_PLAN: Final = frozenset({"planned_arrival", "planned_departure", "scheduled_window_start", "scheduled_window_end"})
"""The columns of a stop's plan, unix seconds; they shift together so that the spacing is kept."""

_SHIPMENT_CLEARED: Final = frozenset(
    {
        *(
            "owner_id",
            "canceled_by_id",
            "cancel_reason",
            "canceled_at",
            "actual_ship_date",
            "actual_delivery_date",
        ),
        *("tender_status", "entry_method", "order_id", "consolidation_group_id"),
        *("billing_transfer_status", "transferred_to_billing_at", "marked_ready_to_bill_at", "billed_at"),
        *("rate_quote_id", "rate_agreement_id", "rate_agreement_rule_id", "rating_detail"),
        *("fuel_surcharge_locked", "rate_locked", "auto_rated"),
    }
)
_STOP_CLEARED: Final = frozenset({"actual_arrival", "actual_departure"})
_CHARGE_CLEARED: Final = frozenset({"detention_occurrence_id"})


def _stamps(at: int) -> dict[str, Any]:
    return {"version": 0, "created_at": at, "updated_at": at}


def shipment_rules(*, requester: str, at: int, fresh: dict[str, Any]) -> CopyRules:
    """Return the rules for the shipments themselves.

    Args:
        requester: Becomes ``entered_by_id``.
        at: Time of the copy, unix seconds.
        fresh: What else differs from the source: charge totals, the customer.
    """
    return CopyRules(
        fresh={"status": NEW, "entered_by_id": requester, **fresh, **_stamps(at)},
        cleared=_SHIPMENT_CLEARED,
        cleared_prefixes=("rate_override_",),
    )


def move_rules(at: int) -> CopyRules:
    """Return the rules for moves: loaded, sequence and distance stay."""
    return CopyRules(fresh={"status": NEW, **_stamps(at)})


def stop_rules(at: int, *, shift: int) -> CopyRules:
    """Return the rules for stops; the plan moves by ``shift`` seconds."""
    return CopyRules(
        fresh={"status": NEW, **_stamps(at)},
        cleared=_STOP_CLEARED,
        shifted=STOP_PLAN,
        shift=shift,
    )


def commodity_rules(at: int) -> CopyRules:
    """Return the rules for commodities."""
    return CopyRules(fresh=_stamps(at))


def charge_rules(at: int) -> CopyRules:
    """Return the rules for additional charges; a detention belongs to the source's own stops."""
    return CopyRules(fresh=_stamps(at), cleared=_CHARGE_CLEARED)
