"""Why a run waits, as far as the server knows: what its tasks failed with, in words, and what helps."""

import shlex
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Final, TypeVar

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.failure.v1 import Failure
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import Client, WorkflowExecutionDescription

from trenova_errors import ApplicationError, from_failure

_UNKNOWN_KEY: Final = "codec.unknown_key"
_REVOKED_KEY: Final = "codec.revoked_key"
_RECENT_EVENTS: Final = 50
_IN_THE_WAY: Final = (ApplicationError, KeyError, RuntimeError, ValueError)
"""What decoding raises: a codec of ours, the SDK without a codec, a codec of somebody else."""

Read = TypeVar("Read")


async def readable(reading: Awaitable[Read]) -> tuple[Read | None, str]:
    """Return what was read, or why it cannot be read here."""
    try:
        return await reading, ""
    except _IN_THE_WAY as error:
        said = getattr(error, "message", None) or (error.args[0] if error.args else type(error).__name__)
        hint = "; give this command the keys (TRENOVA_CODECS_RING or TRENOVA_DATA_DIR)"
        return None, f"cannot be read here: {said}{hint if isinstance(error, KeyError) else ''}"


async def said_of(client: Client, failure: Failure) -> ApplicationError | str:
    """Return what an attempt failed with, decoded; a sentence where it cannot be read here."""
    error, why_not = await readable(client.data_converter.decode_failure(failure))
    return why_not if error is None else from_failure(error)


async def why_it_waits(client: Client, description: WorkflowExecutionDescription) -> AsyncIterator[str]:
    """Say what the run's own task fails with, and what helps against a key that lacks there or at an activity."""
    lacking: dict[str, str] = {}
    raw = description.raw_description
    attempt = raw.pending_workflow_task.attempt
    if attempt > 1 and (failure := await _last_failure(client, description)) is not None:
        said = await said_of(client, failure)
        yield f"its workflow task fails, attempt {attempt}: {_words(said)}"
        lacking |= _lacks(said)
    for activity in raw.pending_activities:
        if activity.HasField("last_failure"):
            lacking |= _lacks(await said_of(client, activity.last_failure))
    for key_id, code in lacking.items():
        for line in _help(key_id, code, description.id):
            yield line


def _words(said: ApplicationError | str) -> str:
    return said if isinstance(said, str) else said.message


def _lacks(said: ApplicationError | str) -> dict[str, str]:
    """Return the key that lacks, and as what."""
    if isinstance(said, str) or said.code not in {_UNKNOWN_KEY, _REVOKED_KEY}:
        return {}
    return {str(said.facts.get("key_id")): said.code}


def _help(key_id: str, code: str, workflow_id: str) -> Iterator[str]:
    restore = f"trenova-codecs keys restore {_typed(key_id)}"
    if code == _REVOKED_KEY:
        yield f"for key {key_id!r}, which is revoked; if it may be read again: {restore}"
    else:
        yield f"for key {key_id!r}, which the worker does not hold: distribute the ring that has it"
        yield f"if it was retired: {restore}"
    yield (
        "if it is gone for ever: temporal workflow terminate "
        f"--workflow-id {_typed(workflow_id)} --reason 'its key is gone'"
    )


def _typed(value: str) -> str:
    """Write what a shell takes as one word; ids come from payloads, so that they may be anything."""
    return shlex.quote(value) if value.isprintable() else "<id>"


async def _last_failure(client: Client, description: WorkflowExecutionDescription) -> Failure | None:
    """Return what the last workflow task that has an event failed with; further attempts of it have none."""
    answer = await client.workflow_service.get_workflow_execution_history_reverse(
        GetWorkflowExecutionHistoryReverseRequest(
            namespace=client.namespace,
            execution=WorkflowExecution(workflow_id=description.id, run_id=description.run_id),
            maximum_page_size=_RECENT_EVENTS,
        )
    )
    for event in answer.history.events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            return event.workflow_task_failed_event_attributes.failure
    return None
