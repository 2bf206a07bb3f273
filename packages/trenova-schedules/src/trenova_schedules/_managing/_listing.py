"""Lists of schedules: of one server's visibility, of a registry, and of both joined."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Protocol, TypeVar

from temporalio.api.workflowservice.v1 import ListSchedulesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import InvalidInputError, ResourceNotFoundError
from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._listed import (
    KnownSchedule,
    ListedSchedule,
    listed_of_document,
    listed_of_entry,
    listed_of_known,
    owners_of,
)
from trenova_schedules._reading import read_schedule
from trenova_schedules._reading._document import WireDocument

T = TypeVar("T")
R = TypeVar("R")

_WITHIN: Final = timedelta(seconds=30)
_PAGE: Final = 1000
_PASSING: Final = "trenova-preview-"
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class Registry(Protocol):
    """Knows schedules without asking the server; ``trenova_schedules.store`` has one."""

    async def read(self, *, after: str = "", limit: int = 1000, owner: str | None = None) -> Sequence[KnownSchedule]:
        """Return schedules that exist, in order of their ids, after this id."""
        ...


class ScheduleSort(StrEnum):
    """By what a list is ordered; the id decides among equals."""

    ID = "id"
    NEXT_FIRE = "next_fire"
    LAST_RUN = "last_run"
    WORKFLOW = "workflow"
    OWNER = "owner"


class SchedulePage(WireDocument):
    """A part of a list.

    Attributes:
        schedules: In the order that was asked for.
        total: How many match in all.
        next_cursor: What to ask with for the next part; None at the end.
    """

    schedules: tuple[ListedSchedule, ...]
    total: int
    next_cursor: str | None = None


async def bounded(at_once: int, items: Iterable[T], do: Callable[[T], Awaitable[R]]) -> list[R]:
    """Do something with each item, a bounded number at a time; results in the order of the items."""
    limit = asyncio.Semaphore(at_once)

    async def one(item: T) -> R:
        async with limit:
            return await do(item)

    return list(await asyncio.gather(*(one(item) for item in items)))


async def find_schedules(
    client: Client, wanted: ScheduleFilter, *, registry: Registry | None, live: bool, at_once: int
) -> list[ListedSchedule]:
    """Return every schedule that matches, in no order."""
    known = await _known(registry, wanted.owner)
    if not live:
        return [line for one in known.values() if (line := listed_of_known(one)).matches(wanted)]
    if wanted.ids and not wanted.query:  # named ones are looked at: a list is late, and may have lost one
        looked = await bounded(at_once, dict.fromkeys(wanted.ids), _looking(client))
        return [line for line in looked if line is not None and line.matches(wanted)]
    lines = await _visible(client, wanted, known)
    if not wanted.query:  # the server's list may lose a schedule until somebody touches it
        found = {line.id for line in lines}
        absent = [one for one in known if one not in found and listed_of_known(known[one]).matches(_lasting(wanted))]
        lines += [line for line in await bounded(at_once, absent, _looking(client)) if line is not None]
    if wanted.needs_description:
        lines = [line for line in lines if line.matches(_listed_part(wanted))]
        unknown = [line.id for line in lines if line.id not in known]  # all of them without a registry
        lines = [line for line in lines if line.id in known]
        lines += [line for line in await bounded(at_once, unknown, _looking(client)) if line is not None]
    return [line for line in lines if line.matches(wanted)]


def page_of(
    lines: Sequence[ListedSchedule], sort: ScheduleSort, *, descending: bool, limit: int, cursor: str | None
) -> SchedulePage:
    """Order the lines and cut a page out of them.

    Raises:
        InvalidInputError: The cursor is none of ours.
    """
    rest = sorted(lines, key=lambda line: _key(line, sort), reverse=descending)
    if cursor is not None:
        reached = _reached(cursor)
        rest = [line for line in rest if (_key(line, sort) < reached if descending else _key(line, sort) > reached)]
    shown = rest[:limit]
    more = len(rest) > limit
    return SchedulePage(
        schedules=tuple(shown), total=len(lines), next_cursor=_cursor(_key(shown[-1], sort)) if more else None
    )


async def described(client: Client, lines: Sequence[ListedSchedule], at_once: int) -> tuple[ListedSchedule, ...]:
    """Look at each schedule of a page; one that has been deleted meanwhile is left as it was listed."""

    async def one(line: ListedSchedule) -> ListedSchedule:
        return line if line.document is not None else (await _looking(client)(line.id) or line)

    return tuple(await bounded(at_once, lines, one))


async def _known(registry: Registry | None, owner: str | None) -> dict[str, KnownSchedule]:
    known: dict[str, KnownSchedule] = {}
    after = ""
    while registry is not None:
        page = await registry.read(after=after, limit=_PAGE, owner=owner or None)
        known.update((one.schedule_id, one) for one in page)
        if len(page) < _PAGE:
            break
        after = page[-1].schedule_id
    return known


async def _visible(client: Client, wanted: ScheduleFilter, known: dict[str, KnownSchedule]) -> list[ListedSchedule]:
    lines: list[ListedSchedule] = []
    token = b""
    while True:
        request = ListSchedulesRequest(
            namespace=client.namespace,
            maximum_page_size=_PAGE,
            next_page_token=token,
            query=wanted.visibility_query(),
        )
        try:
            answer = await client.workflow_service.list_schedules(request, retry=True, timeout=_WITHIN)
        except RPCError as error:
            if error.status is not RPCStatusCode.INVALID_ARGUMENT:
                raise
            raise InvalidInputError(f"Temporal does not take this filter: {error.message}. Mend its query.") from error
        entries = [entry for entry in answer.schedules if not entry.schedule_id.startswith(_PASSING)]
        owners = await owners_of(client, entries)
        lines += [
            listed_of_entry(entry, owner, known.get(entry.schedule_id))
            for entry, owner in zip(entries, owners, strict=True)
        ]
        token = answer.next_page_token
        if not token:
            return lines


def _looking(client: Client) -> Callable[[str], Awaitable[ListedSchedule | None]]:
    async def look(schedule_id: str) -> ListedSchedule | None:
        try:
            return listed_of_document((await read_schedule(client, schedule_id)).document)
        except ResourceNotFoundError:
            return None

    return look


def _lasting(wanted: ScheduleFilter) -> ScheduleFilter:
    """What of a filter a registry can decide: whether a schedule is paused, and its note, may have changed since."""
    return wanted.model_copy(update={"paused": None, "search": ""})


def _listed_part(wanted: ScheduleFilter) -> ScheduleFilter:
    """What of a filter the server's list can decide; a search may find a label, which is not in it."""
    return wanted.model_copy(update={"labels": {}, "task_queue": "", "search": ""})


def _key(line: ListedSchedule, sort: ScheduleSort) -> tuple[str, str]:
    first = {
        ScheduleSort.ID: "",
        ScheduleSort.NEXT_FIRE: (line.next_fires[0] if line.next_fires else _NEVER).isoformat(),
        ScheduleSort.LAST_RUN: (line.recent_runs[-1].started_at or _NEVER).isoformat() if line.recent_runs else "",
        ScheduleSort.WORKFLOW: line.workflow,
        ScheduleSort.OWNER: line.owner or "",
    }[sort]
    return first, line.id


def _cursor(key: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def _reached(cursor: str) -> tuple[str, str]:
    try:
        found: Any = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        first, schedule_id = found
    except ValueError:
        found = first = schedule_id = None
    if not (isinstance(first, str) and isinstance(schedule_id, str)):
        raise InvalidInputError(f"{cursor[:50]!r} is no cursor of a list of schedules. Give the next cursor of a page.")
    return first, schedule_id
