"""What was asked for under a key, and the answer: a repeated request gets the same answer and does nothing."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_errors import ConflictError
from trenova_store._engine import StoreEngine
from trenova_store._upsert import insert_missing


@dataclass(frozen=True)
class KeyClaim:
    """What a claim on a key found.

    Attributes:
        fresh: The key was not known: do the work and then ``answer``.
        response: The answer to the first request; None if it is not known yet (the first is still at work, or ended
            without an answer).
    """

    fresh: bool
    response: Mapping[str, Any] | None = None


class RequestKeys:
    """Keys within scopes; a scope is whoever asks, so that two callers cannot meet in one key.

    Args:
        engine: Of the store.
        table: With the columns scope, key (together the primary key), digest, response (JSON or NULL) and created_at
            (unix seconds).
        kept: For how long a key means the same request; each claim forgets what is older. None leaves that to
            :meth:`forget`.
    """

    def __init__(self, engine: StoreEngine, table: Table, *, kept: timedelta | None = None) -> None:
        self._engine, self._table, self._kept = engine, table, kept

    async def claim(self, scope: str, key: str, digest: str) -> KeyClaim:
        """Take a key, or return what it was taken for; of many at once, one finds it fresh.

        Args:
            scope: Whoever asks, at most 200 characters.
            key: Theirs, at most 200 characters.
            digest: Of the request, at most 64 characters.

        Raises:
            ConflictError: The key was used for another request.
        """
        table, now = self._table, int(time.time())
        row = {"scope": scope, "key": key, "digest": digest, "created_at": now}
        async with self._engine.write() as connection:
            if self._kept is not None:
                await self._forget(connection, now - int(self._kept.total_seconds()))
            if await insert_missing(connection, table, [row], key=("scope", "key")):
                return KeyClaim(fresh=True)
            known = select(table.c.digest, table.c.response).where(table.c.scope == scope, table.c.key == key)
            found = (await connection.execute(known)).one()
        if found.digest != digest:
            raise ConflictError(
                f"The idempotency key {key!r} was used for another request. Send a key of its own with each request.",
                key=key,
            )
        return KeyClaim(fresh=False, response=found.response)

    async def answer(self, scope: str, key: str, response: Mapping[str, Any]) -> None:
        """Keep the answer; the first one stays."""
        table = self._table
        where = (table.c.scope == scope, table.c.key == key, table.c.response.is_(None))
        async with self._engine.write() as connection:
            await connection.execute(update(table).where(*where).values(response=dict(response)))

    async def release(self, scope: str, key: str) -> None:
        """Give a key back that has no answer, since nothing was done; a repeated request then starts afresh."""
        table = self._table
        where = (table.c.scope == scope, table.c.key == key, table.c.response.is_(None))
        async with self._engine.write() as connection:
            await connection.execute(delete(table).where(*where))

    async def forget(self, *, before: datetime) -> int:
        """Remove the keys taken before a time; return how many."""
        async with self._engine.write() as connection:
            return await self._forget(connection, int(before.timestamp() // 1))

    async def _forget(self, connection: AsyncConnection, before: int) -> int:
        done = await connection.execute(delete(self._table).where(self._table.c.created_at < before))
        return done.rowcount
