"""What a bulk action changed, so that exactly that can be undone."""

from sqlalchemy import select, update

from trenova_schedules._managing._receipts import Receipt
from trenova_schedules.store._engine import StoreEngine
from trenova_schedules.store._times import from_seconds, maybe_from_seconds, now, seconds
from trenova_schedules.store._upsert import insert_missing


class Receipts:
    """Receipts by id.

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
        fields = {name: value for name, value in row.items() if name not in {"created_at", "undone_at"}}
        times = {"created_at": from_seconds(row["created_at"]), "undone_at": maybe_from_seconds(row["undone_at"])}
        return Receipt(**fields, **times)

    async def undone(self, receipt_id: str, *, actor: str) -> bool:
        """Mark a receipt as undone; return whether this call did, false if it was before or is not there."""
        table = self._table
        statement = update(table).where(table.c.id == receipt_id, table.c.undone_at.is_(None))
        async with self._engine.write() as connection:
            done = await connection.execute(statement.values(undone_at=seconds(now()), undone_by=actor))
            return bool(done.rowcount)
