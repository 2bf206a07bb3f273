"""What a transfer has done so far, kept in the row of its idempotency key and written with each step."""

from dataclasses import dataclass, replace
from typing import Self

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Table, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities._transfer_contract import TransferShipmentsResult
from trenova_activities.database._idempotency import IdempotencyKey


class Moved(BaseModel):
    """One source and its successor.

    Attributes:
        pro_number: The source's.
        mark: Over the source as it was copied; over the canceled one once it is.
        copy_id: The successor.
        copy_number: Its pro number.
        copy_mark: Over it as it was made.
    """

    model_config = ConfigDict(frozen=True)

    pro_number: str
    mark: str
    copy_id: str
    copy_number: str
    copy_mark: str


class TransferLedger(BaseModel):
    """How far a transfer has come, and how far it has been undone.

    Attributes:
        workflow_id: Whose it is.
        run_id: The run whose steps may go on; those of another are refused.
        numbers: Reserved pro numbers.
        moved: By id of the source; there once the copies are.
        before: By table and id, the statuses before the sources were canceled.
        result: There once the sources are canceled: the transfer is done.
        undoing: Whether undoing has begun, after which no step takes effect.
        restored: Whether the sources have been put back.
        withdrawn: Whether the copies have been canceled.
        closed: Whether everything is undone, so that the key is free again.
        kept_sources: Pro numbers of sources that somebody had changed, so that they stayed as they are.
        kept_copies: Likewise of copies.
    """

    model_config = ConfigDict(frozen=True)

    workflow_id: str
    run_id: str
    numbers: list[str] = Field(default_factory=list)
    moved: dict[str, Moved] = Field(default_factory=dict)
    before: dict[str, dict[str, str]] = Field(default_factory=dict)
    result: TransferShipmentsResult | None = None
    undoing: bool = False
    restored: bool = False
    withdrawn: bool = False
    closed: bool = False
    kept_sources: list[str] = Field(default_factory=list)
    kept_copies: list[str] = Field(default_factory=list)

    @property
    def done(self) -> bool:
        """Whether the transfer stands."""
        return self.result is not None and not self.undoing

    def reached(self, step: str) -> bool:
        """Whether a step has taken effect."""
        return bool({"reserve": self.numbers, "copy": self.moved, "cancel": self.result}[step])

    def but(self, **changes: object) -> Self:
        """Return it with changes."""
        return self.model_copy(update=changes)


@dataclass(frozen=True)
class TransferBook:
    """The ledger of one key in the caller's transaction, locked until its end.

    Attributes:
        connection: The transaction.
        table: The table of idempotency keys.
        key: Whose ledger.
        ledger: As it is.
    """

    connection: AsyncConnection
    table: Table
    key: IdempotencyKey
    ledger: TransferLedger

    @classmethod
    async def open(
        cls, connection: AsyncConnection, table: Table, key: IdempotencyKey, *, fresh: TransferLedger, at: int
    ) -> Self:
        """Take the key with a fresh ledger, or lock the one that is there.

        Raises:
            ConflictError: The key belongs to another request.
        """
        known = await key.claim(connection, table, at=at)
        book = cls(connection, table, key, fresh)
        if known is None:
            return await book.write(fresh)
        query = select(table.c.result).where(*key.matches(table)).with_for_update()
        kept = (await connection.execute(query)).scalar_one()
        return replace(book, ledger=TransferLedger.model_validate(kept))

    async def write(self, ledger: TransferLedger) -> Self:
        """Keep a ledger in place of the one that was there."""
        values = {"result": ledger.model_dump(mode="json"), "workflow_id": ledger.workflow_id}
        await self.connection.execute(update(self.table).where(*self.key.matches(self.table)).values(values))
        return replace(self, ledger=ledger)
