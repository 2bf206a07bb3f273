"""A purge or a notification from the command line: start it, show how it goes and what came of it."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from trenova_activities._cli_follow import connect, console, follow_to_end, say_if_known, valid
from trenova_activities._cli_nightly import exit_status, left_alone, show_exceptions
from trenova_activities._names import NOTIFICATION_QUEUE
from trenova_activities._notice_labels import notice_labels
from trenova_activities._notification_contract import JobNotificationPayload
from trenova_activities._notification_workflows import SendJobCompleteNotificationWorkflow
from trenova_activities._retention_contract import DeleteAuditEntriesPayload, DeleteAuditEntriesResult
from trenova_activities._starting_nightly import start_purge


async def run_purge(asked: Mapping[str, Any], *, key: str | None, follow: bool) -> int:
    """Start a deletion of outlived audit entries; follow it to its end if asked to.

    Returns:
        The exit status: 0, or 3 if an organization failed or each one was skipped.

    Raises:
        ApplicationError: The request is not valid, or the key is in use.
        WorkflowFailureError: The purge failed.
    """
    payload = valid(DeleteAuditEntriesPayload, asked)
    client = await connect()
    handle = await start_purge(client, payload, key=key)
    console.print(f"Workflow {handle.id}", soft_wrap=True)
    await say_if_known(handle)
    if not follow:
        return 0
    await follow_to_end(client, handle, "dry run" if payload.dry_run else "purge")
    result = await handle.result()
    _show(result, dry_run=payload.dry_run)
    return exit_status(result.data)


async def run_notify(asked: Mapping[str, Any], *, follow: bool) -> None:
    """Send one notification; wait until it is delivered if asked to.

    Raises:
        ApplicationError: The request is not valid.
        WorkflowFailureError: It could not be stored.
    """
    job = asked["job_id"] or f"{asked['job_type']}/{uuid.uuid4().hex}"
    payload = valid(JobNotificationPayload, {**asked, "job_id": job, "timestamp": int(datetime.now(UTC).timestamp())})
    client = await connect()
    handle = await client.start_workflow(
        SendJobCompleteNotificationWorkflow.run,
        payload,
        id=f"{job}/notify",
        task_queue=NOTIFICATION_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        **notice_labels(payload).arguments(),
    )
    console.print(f"Workflow {handle.id}", soft_wrap=True)
    if follow:
        await follow_to_end(client, handle, "notification")
        console.print((await handle.result()).result, soft_wrap=True, markup=False)


def _show(result: DeleteAuditEntriesResult, *, dry_run: bool) -> None:
    table = Table("organization", "days", "entries before", "to delete" if dry_run else "deleted")
    for one in result.organizations:
        before = datetime.fromtimestamp(one.cutoff, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        table.add_row(one.organization_id, str(one.retention_days), before, f"{one.deleted_count:,}")
    if table.row_count:
        console.print(table)
    show_exceptions(result.skipped_orgs, result.partial_failures)
    for line in left_alone(result.data):
        console.print(line, soft_wrap=True)
    more = " Lists are cut to 100 entries; the tables of the run have all." if result.truncated else ""
    console.print(f"{result.result}{more}", soft_wrap=True, markup=False)
