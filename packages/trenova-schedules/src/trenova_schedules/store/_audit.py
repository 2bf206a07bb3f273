"""Who did what to which schedule, when and why: only ever added to."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_schedules._managing._audit import AuditEntry
from trenova_schedules.store._engine import StoreEngine
from trenova_schedules.store._exporting import csv_header, csv_line
from trenova_schedules.store._pauses import close_pause, open_pause
from trenova_schedules.store._times import from_seconds, seconds
from trenova_store import insert_missing

_PAGE = 500
_UNKNOWN = "The process ended before it could say what came of this. Look at the schedule."
BEGUN_FOR = timedelta(hours=1)
"""After which nobody is at work any more on what was begun; requests and resumptions end long before."""


class AuditFilter(BaseModel):
    """Which entries; all that match everything that is given.

    Attributes:
        schedule_id: About this schedule.
        actor: By this actor.
        action: With this action.
        organization_id: Of this organization.
        request_id: Of this request.
        since: At this time or later.
        until: Before this time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    schedule_id: str | None = None
    actor: str | None = None
    action: str | None = None
    organization_id: str | None = None
    request_id: str | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class AuditPage(BaseModel):
    """Entries, newest first.

    Attributes:
        entries: At most as many as were asked for.
        next_cursor: What to ask with for the next page; None at the end.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    entries: tuple[AuditEntry, ...]
    next_cursor: int | None = None


class AuditTrail:
    """The audit trail; triggers of the database refuse to change or delete what is in it.

    Args:
        engine: Of the store.
    """

    def __init__(self, engine: StoreEngine) -> None:
        self._engine = engine
        self._table = engine.tables.audit
        self._begun = engine.tables.begun

    async def record(self, *entries: AuditEntry) -> None:
        """Add entries, all or none; those whose id is there already are left as they are.

        Where the documents of an entry say that a schedule was paused or resumed, the ledger is told the time.

        Raises:
            UnavailableError: The store cannot be reached.
        """
        rows = [{**entry.model_dump(exclude={"at"}), "at": seconds(entry.at)} for entry in entries]
        async with self._engine.write() as connection:
            await insert_missing(connection, self._table, rows, key=("id",))
            await connection.execute(delete(self._begun).where(self._begun.c.id.in_([entry.id for entry in entries])))
            for entry in entries:
                await self._tell_pause(connection, entry)

    async def begin(self, entry: AuditEntry) -> None:
        """Keep that something is about to be done, until an entry of that id says what came of it.

        Raises:
            UnavailableError: The store cannot be reached; nothing shall be done then.
        """
        row = {"id": entry.id, "at": seconds(entry.at), "entry": entry.model_dump(mode="json")}
        async with self._engine.write() as connection:
            await insert_missing(connection, self._begun, [row], key=("id",))

    async def forget(self, entry: AuditEntry) -> None:
        """Take that back, since nothing was done."""
        async with self._engine.write() as connection:
            await connection.execute(delete(self._begun).where(self._begun.c.id == entry.id))

    async def settle(self, *, before: datetime) -> int:
        """Tell as ``unknown`` what was begun before a time and not told since; return how many entries that made.

        Its process has ended in the middle: whether the schedule was changed is to be seen at the schedule.
        """
        table = self._begun
        async with self._engine.read() as connection:
            found = (
                (await connection.execute(select(table.c.entry).where(table.c.at < seconds(before)))).scalars().all()
            )
        for entry in map(AuditEntry.model_validate, found):
            await self.record(entry.model_copy(update={"outcome": "unknown", "after": {"problem": _UNKNOWN}}))
        return len(found)

    async def _tell_pause(self, connection: AsyncConnection, entry: AuditEntry) -> None:
        """Keep the exact time of a pause or a resumption, which the ledger cannot learn by looking."""
        if entry.schedule_id is None or entry.outcome != "done" or entry.after is None:
            return
        was, now = bool((entry.before or {}).get("paused")), bool(entry.after.get("paused"))
        if was != now:
            pauses = self._engine.tables.pauses
            await (open_pause if now else close_pause)(connection, pauses, entry.schedule_id, seconds(entry.at))

    async def read(
        self, wanted: AuditFilter | None = None, *, cursor: int | None = None, limit: int = 100
    ) -> AuditPage:
        """Return a page of entries, newest first; entries that arrive meanwhile shift no page.

        Args:
            wanted: Which; all by default.
            cursor: ``next_cursor`` of the page before.
            limit: How many at most, 1 to 1000.
        """
        table = self._table
        conditions = _conditions(self._table.c, wanted or AuditFilter())
        if cursor is not None:
            conditions.append(table.c.number < cursor)
        query = select(table).where(*conditions).order_by(table.c.number.desc()).limit(limit + 1)
        async with self._engine.read() as connection:
            rows = list((await connection.execute(query)).mappings())
        more = len(rows) > limit
        rows = rows[:limit]
        return AuditPage(
            entries=tuple(_entry(row) for row in rows), next_cursor=rows[-1]["number"] if more and rows else None
        )

    async def export(
        self, wanted: AuditFilter | None = None, *, form: Literal["csv", "jsonl"] = "jsonl"
    ) -> AsyncIterator[str]:
        """Yield lines with their ends, newest entry first; read page by page, so of any size.

        Args:
            wanted: Which entries; all by default.
            form: ``jsonl`` for a JSON object a line, ``csv`` for a header and RFC 4180 rows. In CSV, text that a
                spreadsheet would run as a formula is led by an apostrophe.
        """
        if form == "csv":
            yield csv_header(AuditEntry)
        cursor: int | None = None
        while True:
            page = await self.read(wanted, cursor=cursor, limit=_PAGE)
            for entry in page.entries:
                yield csv_line(entry) if form == "csv" else f"{entry.model_dump_json(by_alias=True)}\n"
            cursor = page.next_cursor
            if cursor is None:
                return


def _conditions(columns: Any, wanted: AuditFilter) -> list[ColumnElement[bool]]:
    same = ("schedule_id", "actor", "action", "organization_id", "request_id")
    found = [columns[name] == value for name in same if (value := getattr(wanted, name)) is not None]
    if wanted.since is not None:
        found.append(columns.at >= seconds(wanted.since))
    if wanted.until is not None:
        found.append(columns.at < seconds(wanted.until))
    return found


def _entry(row: RowMapping) -> AuditEntry:
    fields = {name: value for name, value in row.items() if name not in {"number", "at"}}
    return AuditEntry(at=from_seconds(row["at"]), **fields)
