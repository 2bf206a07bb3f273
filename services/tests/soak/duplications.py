"""Whether a duplication was done once, with everything that belongs to it."""

from collections.abc import Sequence

from tms_rows import Tms

from trenova_activities import DuplicateShipmentPayload


async def wrong_with(
    tms: Tms, request: DuplicateShipmentPayload, shipment_ids: Sequence[str], workflow_id: str
) -> list[str]:
    """Compare what a duplication left with what it was asked.

    Args:
        tms: The TMS, at rest.
        request: What was asked; with a key of its own.
        shipment_ids: The copies, as the run says.
        workflow_id: The run.

    Returns:
        What is wrong, for people.
    """
    copies = list(shipment_ids)
    wrong = []
    if await tms.found(request, copies) != await tms.asked(request):
        wrong.append("copies that are not what was asked for")
    if await tms.audited(copies) != sorted(copies):
        wrong.append("other than one audit entry a copy")
    if len(keys := await tms.keys(request.idempotency_key)) != 1:
        wrong.append(f"{len(keys)} idempotency keys")
    told = [row.delivery_status for row in await tms.notifications(workflow_id)]
    if told != ["delivered"]:
        wrong.append(f"notifications {told}")
    return wrong


def more_copies(before: int, now: int, known: int) -> list[str]:
    """Tell of shipments that no run knows of.

    Args:
        before: Shipments before the first duplication.
        now: Shipments afterwards.
        known: Shipments that were planted, and the copies of all runs.
    """
    return [] if now == before + known else [f"{now - before} shipments more than before, and {known} are known"]
