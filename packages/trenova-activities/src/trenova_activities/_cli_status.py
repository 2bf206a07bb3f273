"""``trenova-activities status``: how a job stands, as the Temporal server knows it."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus, WorkflowFailureError

from trenova_activities._cli_follow import RPC_TIMEOUT, connect_to_read, console, failure_of, moment, stage_of
from trenova_activities._cli_nightly import left_alone
from trenova_activities._cli_steering import progress_lines
from trenova_activities._cli_waiting import readable, why_it_waits
from trenova_activities._names import CANCELED_MEMO
from trenova_activities._nightly_labels import NIGHTLY_JOBS, in_words
from trenova_activities._progress_contract import JobProgress
from trenova_activities._steering_client import progress_of
from trenova_errors import ApplicationError, ConflictError, InvalidInputError, ResourceNotFoundError

_MOST_LISTED = 20
_LISTS_OF_WORK = ("processedOrgs", "organizations")
_PATIENCE = timedelta(seconds=5)
_CUT_SHORT = frozenset({WorkflowExecutionStatus.CANCELED, WorkflowExecutionStatus.TERMINATED})
_GOOD = frozenset({WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED})


async def show_status(workflow_id: str) -> bool:
    """Print the state of the newest run of a workflow.

    Returns:
        Whether it is running or completed.

    Raises:
        InvalidInputError: The id is empty.
        ResourceNotFoundError: There is no such workflow.
    """
    if not workflow_id.strip():
        raise InvalidInputError(
            "The workflow id is empty. Give the one that 'start' printed, e.g. cancel-shipments/<key>."
        )
    client, unusable = await connect_to_read()
    description = await _describe(client, workflow_id)
    status = description.status or WorkflowExecutionStatus.RUNNING
    _print("workflow", f"{description.id} (run {description.run_id})")
    _print("job", description.workflow_type)
    asked, unread = await readable(_asked(client, description))
    if asked or unread:
        _print("asked", asked or unread)
    _print("state", status.name.lower().replace("_", " "))
    _print("started", moment(description.start_time))
    if description.close_time is not None:
        _print("ended", moment(description.close_time))
    if unusable:
        _print("keys", unusable)
    if (canceled := await _canceled(description)) is not None:
        _print("canceled", canceled)
    if status is WorkflowExecutionStatus.RUNNING:
        await _print_running(client, description)
    else:
        await _print_outcome(client, description)
    if status in _CUT_SHORT and description.workflow_type in NIGHTLY_JOBS:
        look = f"trenova-activities manifest verify {description.run_id}"
        _print("done", f"what it did before stands: '{look}' adds it up")
    return status in _GOOD


async def _print_running(client: Client, description: WorkflowExecutionDescription) -> None:
    """Print how far the run is, what it does at the moment and what it waits for."""
    if description.workflow_type in NIGHTLY_JOBS:
        await _print_progress(client, description.id)
    for activity in description.raw_description.pending_activities:
        doing, *organizations = await stage_of(client, activity)
        _print("doing", doing)
        for line in organizations:
            _print("", line)
    async for line in why_it_waits(client, description):
        _print("waits", line)


async def _print_progress(client: Client, workflow_id: str) -> None:
    """Print what the run itself tells; a run of an older worker does not, and none does while there is no worker."""
    progress, unread = await readable(_told(client, workflow_id))
    if isinstance(progress, JobProgress):
        for name, line in progress_lines(progress):
            _print(name, line)
    elif progress or unread:
        _print("progress", progress or unread)


async def _told(client: Client, workflow_id: str) -> JobProgress | str:
    """Return how far a run says that it is, or why it does not; nothing if its worker is too old to know."""
    try:
        return await progress_of(client, workflow_id, patience=_PATIENCE)
    except ConflictError:
        return ""
    except ApplicationError as error:
        return f"unknown. {error.message}"


async def _canceled(description: WorkflowExecutionDescription) -> str | None:
    """Say by whom and why a run was canceled, where it was told so by an update or a signal."""
    said, unread = await readable(description.memo_value(CANCELED_MEMO, None, type_hint=str))
    return said or unread or None


async def _asked(client: Client, description: WorkflowExecutionDescription) -> str | None:
    """Say what a run was asked: by its input if it is a nightly job's, whoever started it, else by its summary."""
    if (job := NIGHTLY_JOBS.get(description.workflow_type)) is not None:
        handle = client.get_workflow_handle(description.id, run_id=description.run_id)
        first = await anext(aiter(handle.fetch_history_events(page_size=1)))
        payloads = first.workflow_execution_started_event_attributes.input.payloads
        # What is no request, or was encrypted with a key that is not here, has no words.
        with contextlib.suppress(ApplicationError, RuntimeError, ValueError):
            [payload] = await client.data_converter.decode(payloads, [job.payload])
            return in_words(job.words, payload)
    return await description.static_summary()


async def _describe(client: Client, workflow_id: str) -> WorkflowExecutionDescription:
    from temporalio.service import RPCError, RPCStatusCode

    try:
        return await client.get_workflow_handle(workflow_id).describe(rpc_timeout=RPC_TIMEOUT)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise ResourceNotFoundError.of("workflow", workflow_id) from None


async def _print_outcome(client: Client, description: WorkflowExecutionDescription) -> None:
    handle = client.get_workflow_handle(description.id, run_id=description.run_id)
    try:
        result, unread = await readable(handle.result(follow_runs=False, rpc_timeout=RPC_TIMEOUT))
    except WorkflowFailureError as error:
        _print("failure", _reason(error))
        return
    if unread:
        _print("outcome", unread)
        return
    sentence = result.get("result") if isinstance(result, Mapping) else None
    _print("result", str(sentence or json.dumps(result, default=str)))
    if isinstance(result, Mapping):
        for line in (*_organizations(result), *left_alone(result.get("data") or {})):
            _print("", line)


def _organizations(result: Mapping[str, Any]) -> Iterator[str]:
    """Say what came of each organization, if it is the result of a nightly job; at most 20 of each kind."""
    data = result.get("data") or {}
    others = ((name, (name,)) for name in ("skippedOrgs", "partialFailures"))
    for whole, names in (("processedOrgs", _LISTS_OF_WORK), *others):
        listed = [one for name in names for one in result.get(name) or ()]
        yield from map(_organization, listed[:_MOST_LISTED])
        left = int(data.get(whole, len(listed))) - min(len(listed), _MOST_LISTED)
        if left > 0:
            yield f"... and {left:,} more"


def _organization(one: Mapping[str, Any]) -> str:
    for name, word in (("reason", "skipped, "), ("error", "failed, ")):
        if name in one:
            return f"{one['organizationId']}: {word}{one[name]}"
    rows = one.get("cancelledCount", one.get("deletedCount", 0))
    return f"{one['organizationId']}: {rows:,} rows"


def _reason(error: BaseException) -> str:
    kind, message = failure_of(error)
    return message if not kind or message.startswith(f"{kind}: ") else f"{kind}: {message}"


def _print(name: str, value: str) -> None:
    console.print(f"{name:9}", value, soft_wrap=True, markup=False)
