"""What is on the server, as far as reconciling has to know it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from temporalio.api.common.v1 import Payload
from temporalio.api.schedule.v1 import ScheduleListEntry
from temporalio.api.workflowservice.v1 import (
    DescribeScheduleRequest,
    DescribeScheduleResponse,
    ListSchedulesRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ApplicationError
from trenova_schedules._definition import APPLIED_MEMO, CRON_MEMO, OWNER_MEMO
from trenova_schedules._previewing._unsaved import PREVIEW_PREFIX
from trenova_schedules._reading._memo import action_converter
from trenova_schedules._reconciling._plain import Json, plain_values
from trenova_schedules._reconciling._record import recorded_fields

_WITHIN: Final = timedelta(seconds=30)
_PAGE: Final = 1000


@dataclass(frozen=True)
class Marks:
    """What our memo keys say of a schedule.

    Attributes:
        owner: None without our mark, or with one that this client's data converter cannot read.
        applied: Fields as last applied; None where that never happened or cannot be read.
        cron: The text of the memo ``trenova.cron``; None without one.
    """

    owner: str | None
    applied: dict[str, Json] | None
    cron: Any


async def describe(client: Client, schedule_id: str) -> DescribeScheduleResponse | None:
    """Return the server's description; None where there is no such schedule.

    Raises:
        temporalio.service.RPCError: The server could not be asked.
    """
    request = DescribeScheduleRequest(namespace=client.namespace, schedule_id=schedule_id)
    try:
        return await client.workflow_service.describe_schedule(request, retry=True, timeout=_WITHIN)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None


async def marks_of(client: Client, found: DescribeScheduleResponse) -> Marks:
    """Read our memo keys, which may be encrypted."""
    start = found.schedule.action.start_workflow
    fields = start.memo.fields
    texts = [fields[key] for key in (APPLIED_MEMO, CRON_MEMO) if key in fields]
    read = iter(await plain_values(action_converter(client, start.workflow_id), texts))
    return Marks(
        owner=await owner_in(client, found.memo.fields.get(OWNER_MEMO)),
        applied=recorded_fields(next(read)) if APPLIED_MEMO in fields else None,
        cron=next(read) if CRON_MEMO in fields else None,
    )


async def owner_in(client: Client, payload: Payload | None) -> str | None:
    """Return the owner that a memo names; None for none, and for one that cannot be read."""
    if payload is None:
        return None
    try:
        [owner] = await plain_values(client.data_converter, [payload])
    except ApplicationError:
        return None
    return owner if isinstance(owner, str) else None


async def owned_ids(client: Client, owner: str) -> list[str]:
    """Return the ids of all schedules that carry this owner's mark, sorted.

    The server's list follows its schedules within a second or so.
    """
    owned: list[str] = []
    token = b""
    while True:
        request = ListSchedulesRequest(namespace=client.namespace, maximum_page_size=_PAGE, next_page_token=token)
        page = await client.workflow_service.list_schedules(request, retry=True, timeout=_WITHIN)
        owned += await _owned(client, page.schedules, owner)
        token = page.next_page_token
        if not token:
            return sorted(owned)


async def _owned(client: Client, entries: Sequence[ScheduleListEntry], owner: str) -> list[str]:
    ours = [one for one in entries if OWNER_MEMO in one.memo.fields and not one.schedule_id.startswith(PREVIEW_PREFIX)]
    owners = await asyncio.gather(*(owner_in(client, one.memo.fields[OWNER_MEMO]) for one in ours))
    return [one.schedule_id for one, name in zip(ours, owners, strict=True) if name == owner]
