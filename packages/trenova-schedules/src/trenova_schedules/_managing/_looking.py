"""Look at schedules; nothing is changed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from temporalio.client import Client

from trenova_errors import InvalidInputError, ResourceNotFoundError
from trenova_schedules._managing._exporting import FORMAT, exported
from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._listing import (
    Registry,
    SchedulePage,
    ScheduleSort,
    bounded,
    described,
    find_schedules,
    page_of,
)
from trenova_schedules._managing._pausing import MissedTicks, missed_ticks
from trenova_schedules._reading import ScheduleDocument, read_schedule

_MOST_LISTED: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class ScheduleReader:
    """Looks at schedules.

    Attributes:
        client: Of the namespace. Its data converter reads memos.
        registry: Knows schedules without the server; for labels and queues in lists, and for 10,000 of them.
        at_once: How many requests are under way at most.
    """

    client: Client
    registry: Registry | None = None
    at_once: int = 16

    async def list(
        self,
        wanted: ScheduleFilter | None = None,
        *,
        sort: ScheduleSort = ScheduleSort.ID,
        descending: bool = False,
        limit: int = 100,
        cursor: str | None = None,
        details: bool = False,
        live: bool = True,
    ) -> SchedulePage:
        """Return a page of the schedules that match.

        Args:
            wanted: Which; all by default.
            sort: By what.
            descending: Whether the last come first.
            limit: How many at most, 1 to 10,000.
            cursor: ``next_cursor`` of the page before, of the same filter and order.
            details: Look at each schedule of the page.
            live: Ask the server; otherwise only the registry is read, which knows less and is faster for many.

        Raises:
            InvalidInputError: The filter, the limit or the cursor is not valid, or there is no registry to read.
            temporalio.service.RPCError: The server could not be asked.
        """
        _require_limit(limit)
        if not live and self.registry is None:
            raise InvalidInputError("There is no registry to list from. Ask the server, or open a store.")
        lines = await find_schedules(
            self.client, wanted or ScheduleFilter(), registry=self.registry, live=live, at_once=self.at_once
        )
        page = page_of(lines, sort, descending=descending, limit=limit, cursor=cursor)
        if details:
            page = page.model_copy(update={"schedules": await described(self.client, page.schedules, self.at_once)})
        return page

    async def describe(self, schedule_id: str) -> ScheduleDocument:
        """Return everything about a schedule.

        Raises:
            ResourceNotFoundError: There is none with this id.
        """
        return (await read_schedule(self.client, schedule_id)).document

    async def missed(self, schedule_id: str, *, since: datetime | None = None) -> MissedTicks:
        """Return how many ticks a resume with catch-up would start now.

        Args:
            schedule_id: Of the schedule.
            since: Where the caller knows better since when it has been paused.

        Raises:
            InvalidInputError: More than 100,000.
            ResourceNotFoundError: There is none with this id.
        """
        return (await missed_ticks(self.client, await read_schedule(self.client, schedule_id), since))[0]

    async def export(self, wanted: ScheduleFilter | None = None) -> dict[str, Any]:
        """Return every schedule that matches as one JSON document, for :meth:`import_`.

        Nothing is lost in it; arguments and memos are encrypted there as they are on the server.

        Raises:
            ResourceNotFoundError: One that is asked for by its id is not there, or does not match the rest.
        """
        lines = await find_schedules(
            self.client, wanted or ScheduleFilter(), registry=self.registry, live=True, at_once=self.at_once
        )
        ids = sorted(line.id for line in lines)
        if missing := sorted(set(wanted.ids if wanted else ()).difference(ids)):
            raise ResourceNotFoundError.of("schedule", missing[0], namespace=self.client.namespace)
        documents = await bounded(self.at_once, ids, lambda one: exported(self.client, one))
        return {"format": FORMAT, "namespace": self.client.namespace, "schedules": documents}


def _require_limit(limit: int) -> None:
    if not 1 <= limit <= _MOST_LISTED:
        raise InvalidInputError(f"A page has 1 to {_MOST_LISTED} schedules; {limit} were asked for.")
