"""Start the jobs as a caller should: deterministic ids, one run per key, conflicts found."""

import contextlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from trenova_activities._duplication_contract import DuplicateShipmentPayload, DuplicateShipmentResult
from trenova_activities._duplication_workflow import DuplicateShipmentWorkflow
from trenova_activities._labels import RunLabels, checked_tags
from trenova_activities._names import (
    DUPLICATE_SHIPMENT_JOB,
    DUPLICATE_SHIPMENT_WORKFLOW,
    MAX_WORKFLOW_ID,
    NOTIFY_SUFFIX,
    REQUEST_DIGEST,
    SHIPMENT_QUEUE,
)
from trenova_errors import ConflictError, InvalidInputError


def duplicate_workflow_id(organization_id: str, key: str) -> str:
    """Return ``duplicate-shipment/<organization>/<key>``, the same for every caller of a key."""
    return checked_id(f"duplicate-shipment/{organization_id}/{key}", reserve=len(NOTIFY_SUFFIX))


def checked_id(workflow_id: str, *, reserve: int = 0) -> str:
    """Return a workflow id made from a key, unless Temporal would not take it.

    Args:
        workflow_id: The id.
        reserve: Bytes that the ids of its children add.

    Raises:
        InvalidInputError: It is too long.
    """
    if (length := len(workflow_id.encode())) > (most := MAX_WORKFLOW_ID - reserve):
        raise InvalidInputError(
            f"The workflow id made from the idempotency key has {length} bytes; "
            f"at most {most} are possible. Use a shorter key."
        )
    return workflow_id


async def start_duplicate(
    client: Client,
    payload: DuplicateShipmentPayload,
    *,
    task_queue: str = SHIPMENT_QUEUE,
    tags: Sequence[str] = (),
) -> WorkflowHandle[DuplicateShipmentWorkflow, DuplicateShipmentResult]:
    """Start a duplication, or find the run that already does exactly this.

    Args:
        client: Any client whose data converter writes what the workers read (``ErrorsPlugin`` suffices).
        payload: What to do. Without an idempotency key one is made up, so every call is a new request.
        task_queue: Another queue that serves the job.
        tags: Words to find the run by (``TrenovaTags``), at most 10; never encrypted.

    Returns:
        The handle of the run, whether this call started it or an earlier one with the same key did.
        A failed run of the key is started again.

    Raises:
        ConflictError: The key was used for another request.
        InvalidInputError: A tag is none.
    """
    labels = _labels(payload, checked_tags(tags))
    if payload.idempotency_key is None:
        payload = payload.model_copy(update={"idempotency_key": uuid.uuid4().hex})
    workflow_id = duplicate_workflow_id(payload.organization_id, str(payload.idempotency_key))
    try:
        return await client.start_workflow(
            DuplicateShipmentWorkflow.run,
            payload,
            id=workflow_id,
            task_queue=task_queue,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            **labels.arguments(digest=payload.digest()),
        )
    except WorkflowAlreadyStartedError:
        await refuse_other_request(
            client, workflow_id, payload, key=str(payload.idempotency_key), workflow_type=DUPLICATE_SHIPMENT_WORKFLOW
        )
        return client.get_workflow_handle_for(DuplicateShipmentWorkflow.run, workflow_id)


class Request(Protocol):
    """A payload whose fingerprint tells one request from another."""

    def digest(self) -> str:
        """Return the fingerprint."""


async def refuse_other_request(
    client: Client, workflow_id: str, payload: Request, *, key: str, workflow_type: str
) -> None:
    """Compare with what the run was asked; Temporal itself would join silently.

    Args:
        client: Who asks.
        workflow_id: The run that is there.
        payload: What is asked now.
        key: The caller's word for the request, for the message.
        workflow_type: A run of another type has another input, and so is another request.

    Raises:
        ConflictError: It was asked something else.
    """
    handle = client.get_workflow_handle(workflow_id)
    run = await handle.describe()
    memo: Mapping[str, Any] = await run.memo()
    known = memo.get(REQUEST_DIGEST)
    if known is None and run.workflow_type == workflow_type:
        # Started by a caller that keeps no digest: its input is in the first event.
        first = await anext(aiter(handle.fetch_history_events(page_size=1)))
        payloads = first.workflow_execution_started_event_attributes.input.payloads
        with contextlib.suppress(InvalidInputError):  # what is no request now was none like this one
            [asked] = await client.data_converter.decode(payloads, [type(payload)])
            known = asked.digest()
    if known != payload.digest():
        raise ConflictError(
            f"The idempotency key {key!r} was already used for another request "
            f"(workflow {workflow_id!r}). Use a new key, or repeat the request unchanged.",
            workflow_id=workflow_id,
        )


def _labels(payload: DuplicateShipmentPayload, tags: tuple[str, ...]) -> RunLabels:
    copies = "one copy" if payload.count == 1 else f"{payload.count} copies"
    parts = {"commodities": payload.include_commodities, "additional charges": payload.include_additional_charges}
    copied = "".join(f", {'with' if wanted else 'without'} {part}" for part, wanted in parts.items())
    plan = "The earliest planned arrival becomes the present." if payload.override_dates else "Planned times are kept."
    return RunLabels(
        job_type=DUPLICATE_SHIPMENT_JOB,
        summary=f"Duplicate {payload.shipment_id}, {copies}",
        details=(
            f"Makes {copies} of shipment {payload.shipment_id}{copied}. {plan}\n\n"
            "All are made in one transaction or none is, and the same idempotency key never makes them twice.\n\n"
            f"Asked by {payload.user_id}, as the caller says, who is told how it ended."
        ),
        organization_id=payload.organization_id,
        business_unit_id=payload.business_unit_id,
        requested_by=payload.user_id,
        tags=tags,
    )
