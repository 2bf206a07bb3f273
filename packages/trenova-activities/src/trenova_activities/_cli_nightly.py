"""A nightly job from the command line: start it, show how it goes and what came of it."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from trenova_activities._cancellation_contract import CancelShipmentsPayload, CancelShipmentsResult
from trenova_activities._cli_follow import connect, console, follow_to_end, valid
from trenova_activities._nightly_contract import PartialFailure, SkippedOrganization
from trenova_activities._starting_nightly import start_cancel


async def run_cancel(asked: Mapping[str, Any], *, key: str | None, follow: bool) -> None:
    """Start a cancellation; follow it to its end if asked to.

    Raises:
        ApplicationError: The request is not valid, or the key is in use.
        WorkflowFailureError: The cancellation failed.
    """
    payload = valid(CancelShipmentsPayload, asked)
    client = await connect()
    handle = await start_cancel(client, payload, key=key)
    console.print(f"Workflow {handle.id}", soft_wrap=True)
    if follow:
        await follow_to_end(client, handle, "dry run" if payload.dry_run else "cancellation")
        _show(await handle.result())


def _show(result: CancelShipmentsResult) -> None:
    table = Table("organization", "shipments", "first pro numbers")
    for one in result.processed_orgs:
        if one.cancelled_count:
            numbers = ", ".join(one.cancelled_pro_nums[:3])
            table.add_row(one.organization_id, f"{one.cancelled_count:,}", numbers)
    if table.row_count:
        console.print(table)
    show_exceptions(result.skipped_orgs, result.partial_failures)
    more = " Lists are cut to 100 entries; the tables of the run have all." if result.truncated else ""
    console.print(f"{result.result}{more}", soft_wrap=True)


def show_exceptions(skipped: list[SkippedOrganization], failed: list[PartialFailure]) -> None:
    """Print which organizations were left alone or failed, and why."""
    for one in skipped:
        console.print(f"skipped {one.organization_id}: {one.reason}", soft_wrap=True, markup=False)
    for failure in failed:
        console.print(f"failed {failure.organization_id}: {failure.error}", soft_wrap=True, markup=False)
