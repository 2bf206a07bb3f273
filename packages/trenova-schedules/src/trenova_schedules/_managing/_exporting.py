"""Schedules as JSON documents, to be kept or to be made again elsewhere.

A document is the server's own message in protobuf's JSON, so that nothing is lost; arguments and memos stay encrypted
as they are, and are read elsewhere only with the same keys.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from google.protobuf import json_format
from temporalio.api.common.v1 import Memo, SearchAttributes
from temporalio.api.schedule.v1 import Schedule
from temporalio.api.workflowservice.v1 import CreateScheduleRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import InvalidInputError
from trenova_schedules._managing._checking import compiled
from trenova_schedules._managing._results import BulkItem, BulkOutcome
from trenova_schedules._reading import read_schedule

FORMAT: Final = "trenova-schedules/1"
"""What a file of exported schedules says of itself."""

_WITHIN: Final = timedelta(seconds=30)
_PARTS: Final[Mapping[str, type[Any]]] = {"schedule": Schedule, "memo": Memo, "searchAttributes": SearchAttributes}


async def exported(client: Client, schedule_id: str) -> dict[str, Any]:
    """Return a schedule as a document."""
    raw = (await read_schedule(client, schedule_id)).raw
    attributes = SearchAttributes()
    for name, payload in raw.search_attributes.indexed_fields.items():
        if not name.startswith("Temporal"):
            attributes.indexed_fields[name].CopyFrom(payload)
    parts = {"schedule": raw.schedule, "memo": raw.memo, "searchAttributes": attributes}
    return {"id": schedule_id, **{name: json_format.MessageToDict(part) for name, part in parts.items()}}


async def imported(
    client: Client, document: Mapping[str, Any], identity: str, *, note: str | None, dry_run: bool
) -> BulkItem:
    """Create the schedule of a document; one that exists is left as it is.

    Args:
        client: Of the namespace in which it is created.
        document: As :func:`exported` has made it.
        identity: Who creates it, for the server's own records.
        note: With which one that was not paused is created paused; None lets it run as it did.
        dry_run: Only look whether it could be created.

    Raises:
        InvalidInputError: It is no such document, the server refuses it, or it would never fire.
    """
    schedule_id, parts = _parsed(document)
    spec = await compiled(client, schedule_id, parts["schedule"])
    parts["schedule"].spec.CopyFrom(spec)
    if note is not None and not parts["schedule"].state.paused:
        parts["schedule"].state.paused, parts["schedule"].state.notes = True, note
    if dry_run:
        return BulkItem(schedule_id=schedule_id, outcome=BulkOutcome.PLANNED)
    request = CreateScheduleRequest(
        namespace=client.namespace,
        schedule_id=schedule_id,
        schedule=parts["schedule"],
        memo=parts["memo"],
        search_attributes=parts["searchAttributes"],
        identity=identity,
        request_id=str(uuid.uuid4()),
    )
    try:
        await client.workflow_service.create_schedule(request, retry=True, timeout=_WITHIN)
    except RPCError as error:
        if error.status is RPCStatusCode.ALREADY_EXISTS:
            return BulkItem(schedule_id=schedule_id, outcome=BulkOutcome.UNCHANGED, reason="it exists")
        if error.status is not RPCStatusCode.INVALID_ARGUMENT:
            raise
        raise InvalidInputError(
            f"Temporal refuses schedule {schedule_id!r}: {error.message}. Nothing was changed.", schedule_id=schedule_id
        ) from error
    return BulkItem(schedule_id=schedule_id, outcome=BulkOutcome.DONE)


def documents_of(exchanged: Any) -> Sequence[Mapping[str, Any]]:
    """Return the documents in an exported file.

    Raises:
        InvalidInputError: It is none.
    """
    if not isinstance(exchanged, Mapping) or exchanged.get("format") != FORMAT:
        raise InvalidInputError(f"This is no export of schedules; one says {FORMAT!r} under 'format'.")
    documents = exchanged.get("schedules")
    if not isinstance(documents, list) or not all(isinstance(one, Mapping) for one in documents):
        raise InvalidInputError("The export holds no list of schedules under 'schedules'. Export them again.")
    return documents


def _parsed(document: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    schedule_id = document.get("id")
    if not isinstance(schedule_id, str) or not schedule_id or "schedule" not in document:
        raise InvalidInputError("A document needs an 'id' and a 'schedule'. Export it again. Nothing was changed.")
    try:
        parts = {name: json_format.ParseDict(document.get(name, {}), kind()) for name, kind in _PARTS.items()}
    except json_format.ParseError as error:
        raise InvalidInputError(
            f"The document of schedule {schedule_id!r} cannot be read: {error}. Nothing was changed.",
            schedule_id=schedule_id,
        ) from None
    if not parts["schedule"].action.HasField("start_workflow"):
        raise InvalidInputError(
            f"The document of schedule {schedule_id!r} starts no workflow. Nothing was changed.",
            schedule_id=schedule_id,
        )
    return schedule_id, parts
