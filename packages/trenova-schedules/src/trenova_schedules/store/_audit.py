"""Who did what to which schedule, when and why: only ever added to."""

import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from sqlalchemy import ColumnElement, select
from sqlalchemy.engine import RowMapping

from trenova_schedules.store._engine import StoreEngine
from trenova_schedules.store._exporting import csv_header, csv_line
from trenova_schedules.store._times import from_seconds, now, seconds
from trenova_schedules.store._upsert import insert_missing

_PAGE = 500


class AuditEntry(BaseModel):
    """One thing that somebody did, or tried to do.

    Attributes:
        id: Of the entry; recording the same id again changes nothing, so a retried request is told once.
        at: When; unix seconds are kept.
        actor: Who: the subject of a token, or the identity of a command line.
        action: What, e.g. ``pause``, ``update``, ``trigger``, ``delete``, ``backfill.start``.
        schedule_id: To which schedule; None for what is about none or several.
        organization_id: Whose schedule it is, where schedules belong to organizations.
        outcome: ``done``; ``refused`` when it was not allowed or conflicted; ``failed``.
        reason: Why, in the actor's words.
        request_id: Of the request, to find it in logs.
        source: Through which door: ``cli``, ``rest``, ``reconcile``, ``ledger`` or ``api``.
        before: The document before; None where there was none.
        after: The document afterwards; None where there is none.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True)

    id: str = Field(default_factory=lambda: uuid.uuid4().hex, max_length=100)
    at: AwareDatetime = Field(default_factory=now)
    actor: str = Field(min_length=1, max_length=200)
    action: str = Field(min_length=1, max_length=50)
    schedule_id: str | None = Field(default=None, max_length=1000)
    organization_id: str | None = Field(default=None, max_length=100)
    outcome: Literal["done", "refused", "failed"] = "done"
    reason: str | None = None
    request_id: str | None = Field(default=None, max_length=100)
    source: str = Field(default="api", max_length=20)
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


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

    async def record(self, *entries: AuditEntry) -> None:
        """Add entries, all or none; those whose id is there already are left as they are.

        Raises:
            UnavailableError: The store cannot be reached.
        """
        rows = [{**entry.model_dump(exclude={"at"}), "at": seconds(entry.at)} for entry in entries]
        async with self._engine.write() as connection:
            await insert_missing(connection, self._table, rows, key=("id",))

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
