"""A nightly job from the command line: start it, show how it goes and what came of it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.table import Table

from trenova_activities._cancellation_contract import CancelShipmentsPayload, CancelShipmentsResult
from trenova_activities._cli_follow import connect, console, follow_to_end, say_if_known, valid
from trenova_activities._nightly_contract import PartialFailure, SkippedOrganization
from trenova_activities._starting_nightly import start_cancel

INCOMPLETE: Final = 3
"""Exit status of a run that ended and did not do all: an organization failed, or each one was skipped."""


async def run_cancel(asked: Mapping[str, Any], *, key: str | None, follow: bool) -> int:
    """Start a cancellation; follow it to its end if asked to.

    Returns:
        The exit status: 0 or :data:`INCOMPLETE`.

    Raises:
        ApplicationError: The request is not valid, or the key is in use.
        WorkflowFailureError: The cancellation failed.
    """
    payload = valid(CancelShipmentsPayload, asked)
    client = await connect()
    handle = await start_cancel(client, payload, key=key)
    console.print(f"Workflow {handle.id}", soft_wrap=True)
    await say_if_known(handle)
    if not follow:
        return 0
    await follow_to_end(client, handle, "dry run" if payload.dry_run else "cancellation")
    result = await handle.result()
    _show(result)
    return exit_status(result.data)


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
    for line in left_alone(result.data):
        console.print(line, soft_wrap=True)
    console.print(f"{result.result}{more}", soft_wrap=True)


def exit_status(data: Mapping[str, object]) -> int:
    """Say in a line what a run did not do, and return 0 or :data:`INCOMPLETE`.

    Args:
        data: Of the result, with the lengths of the whole lists.
    """
    worked, skipped, failed = (
        int(str(data.get(name, 0))) for name in ("processedOrgs", "skippedOrgs", "partialFailures")
    )
    if failed:
        console.print(f"Not done: {failed:,} of the organizations failed. Exit status {INCOMPLETE}.", soft_wrap=True)
    elif skipped and not worked:
        whole = f"Nothing was done: {_organizations(skipped)} skipped, and none was worked through."
        console.print(f"{whole} Exit status {INCOMPLETE}.", soft_wrap=True)
    else:
        return 0
    return INCOMPLETE


def _organizations(count: int) -> str:
    return "1 organization was" if count == 1 else f"{count:,} organizations were"


def left_alone(data: Mapping[str, object]) -> Iterator[str]:
    """Say how many rows were left alone although their organization was worked through; nothing where none were.

    Args:
        data: Of the result of a nightly job.
    """
    odd, held = int(str(data.get("oddRows", 0))), int(str(data.get("held", 0)))
    if odd:
        what = "1 row has" if odd == 1 else f"{odd:,} rows have"
        yield f"{what} an impossible time (none, negative or in milliseconds) and stay as they are."
    if held:
        yield f"Legal holds keep {'1 entry' if held == 1 else f'{held:,} entries'} of those that are old enough."


def show_exceptions(skipped: list[SkippedOrganization], failed: list[PartialFailure]) -> None:
    """Print which organizations were left alone or failed, and why."""
    for one in skipped:
        console.print(f"skipped {one.organization_id}: {one.reason}", soft_wrap=True, markup=False)
    for failure in failed:
        console.print(f"failed {failure.organization_id}: {failure.error}", soft_wrap=True, markup=False)
