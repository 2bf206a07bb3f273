"""What a bulk action changed, so that exactly that can be undone."""

from typing import Any

from sqlalchemy import ColumnElement, and_, cast, exists, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import RowMapping

from trenova_schedules._managing._listed_receipts import (
    ListedReceipt,
    ReceiptFilter,
    ReceiptPage,
    cursor_after,
    reached,
)
from trenova_schedules._managing._receipts import Receipt
from trenova_schedules.store._engine import StoreEngine
from trenova_schedules.store._times import from_seconds, maybe_from_seconds, now, seconds
from trenova_store import insert_missing

_IDS_ON_SQLITE = "(SELECT json_group_array(json_extract(value, '$.scheduleId')) FROM json_each(items))"
_IDS_ON_POSTGRESQL = "jsonb_path_query_array(items, '$[*].scheduleId')"


class Receipts:
    """Receipts by id, and lists of them.

    Args:
        engine: Of the store.
    """

    def __init__(self, engine: StoreEngine) -> None:
        self._engine = engine
        self._table = engine.tables.receipts

    async def keep(self, receipt: Receipt) -> None:
        """Store a receipt; what was changed is replaced if the same id is kept again before it was undone."""
        table = self._table
        items = [dict(item) for item in receipt.items]
        row = {
            **receipt.model_dump(exclude={"created_at", "undone_at", "undone_by", "items"}),
            "items": items,
            "created_at": seconds(receipt.created_at),
        }
        async with self._engine.write() as connection:
            if not await insert_missing(connection, table, [row], key=("id",)):
                again = update(table).where(table.c.id == receipt.id, table.c.undone_at.is_(None))
                await connection.execute(again.values(items=items))

    async def find(self, receipt_id: str) -> Receipt | None:
        """Return a receipt, or None."""
        table = self._table
        async with self._engine.read() as connection:
            row = (await connection.execute(select(table).where(table.c.id == receipt_id))).mappings().first()
        if row is None:
            return None
        return Receipt(**_fields(row))

    async def read(
        self, wanted: ReceiptFilter | None = None, *, cursor: str | None = None, limit: int = 50
    ) -> ReceiptPage:
        """Return a page of those that match, newest first; what is kept meanwhile shifts no page.

        Args:
            wanted: Which; all by default.
            cursor: ``next_cursor`` of the page before.
            limit: How many at most, 1 to 1000.

        Raises:
            InvalidInputError: The cursor is none of ours.
        """
        table = self._table
        conditions = self._conditions(wanted or ReceiptFilter())
        if cursor is not None:
            at, last = reached(cursor)
            conditions.append(or_(table.c.created_at < at, and_(table.c.created_at == at, table.c.id < last)))
        sqlite = self._engine.options.is_sqlite
        ids: ColumnElement[Any] = literal_column(
            _IDS_ON_SQLITE if sqlite else _IDS_ON_POSTGRESQL, table.c["items"].type
        )
        columns = [column for column in table.c if column.name != "items"]  # which may be large
        query = (
            select(*columns, ids.label("schedule_ids"))
            .where(*conditions)
            .order_by(table.c.created_at.desc(), table.c.id.desc())
            .limit(limit + 1)
        )
        async with self._engine.read() as connection:
            rows = list((await connection.execute(query)).mappings())
        found = tuple(ListedReceipt(**_fields(row)) for row in rows[:limit])
        more = len(rows) > limit and found
        return ReceiptPage(
            receipts=found, next_cursor=cursor_after(found[-1].created_at, found[-1].id) if more else None
        )

    async def undone(self, receipt_id: str, *, actor: str) -> bool:
        """Mark a receipt as undone; return whether this call did, false if it was before or is not there."""
        table = self._table
        statement = update(table).where(table.c.id == receipt_id, table.c.undone_at.is_(None))
        async with self._engine.write() as connection:
            done = await connection.execute(statement.values(undone_at=seconds(now()), undone_by=actor))
            return bool(done.rowcount)

    def _conditions(self, wanted: ReceiptFilter) -> list[ColumnElement[bool]]:
        columns = self._table.c
        found = [columns[name] == value for name in ("action", "actor") if (value := getattr(wanted, name)) is not None]
        if wanted.undone is not None:
            found.append(columns.undone_at.is_not(None) if wanted.undone else columns.undone_at.is_(None))
        if wanted.schedule_id is not None:
            found.append(self._about(wanted.schedule_id))
        return found

    def _about(self, schedule_id: str) -> ColumnElement[bool]:
        items = self._table.c["items"]
        if not self._engine.options.is_sqlite:
            return cast(items, JSONB).contains([{"scheduleId": schedule_id}])
        each = func.json_each(items).table_valued("value")
        return exists(select(1).select_from(each).where(func.json_extract(each.c.value, "$.scheduleId") == schedule_id))


def _fields(row: RowMapping) -> dict[str, Any]:
    fields = {name: value for name, value in row.items() if name not in {"created_at", "undone_at"}}
    return fields | {
        "created_at": from_seconds(row["created_at"]),
        "undone_at": maybe_from_seconds(row["undone_at"]),
    }
