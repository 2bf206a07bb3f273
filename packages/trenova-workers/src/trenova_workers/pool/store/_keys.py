"""What was asked for under a key, and the answer: a repeated request gets the same answer and does nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, select, update

from trenova_errors import ConflictError
from trenova_store import insert_missing
from trenova_workers.pool.store._clock import database_ms
from trenova_workers.pool.store._engine import PoolEngine

_KEPT_MS: Final = 7 * 86_400_000


@dataclass(frozen=True)
class KeyClaim:
    """What a claim on a key found.

    Attributes:
        fresh: The key was not known: do the work and then ``answer``.
        response: The answer to the first request; None if it is not known (yet).
    """

    fresh: bool
    response: Mapping[str, Any] | None = None


class RequestKeys:
    """Keys of requests, for a week each; of every caller their own.

    Args:
        engine: Of the store.
    """

    def __init__(self, engine: PoolEngine) -> None:
        self._engine, self._table = engine, engine.tables.keys

    async def claim(self, caller: str, key: str, digest: str) -> KeyClaim:
        """Take a key, or return what it was taken for; of many at once, one finds it fresh.

        Args:
            caller: Whoever asks, at most 200 characters.
            key: Theirs, at most 200 characters.
            digest: Of the request, 64 characters.

        Raises:
            ConflictError: The key was used for another request.
        """
        table = self._table
        async with self._engine.write() as connection:
            now = await database_ms(connection)
            await connection.execute(delete(table).where(table.c.created_ms < now - _KEPT_MS))
            row = {"caller": caller, "key": key, "digest": digest, "created_ms": now}
            if await insert_missing(connection, table, [row], key=("caller", "key")):
                return KeyClaim(fresh=True)
            known = select(table.c.digest, table.c.response).where(table.c.caller == caller, table.c.key == key)
            found = (await connection.execute(known)).one()
        if found.digest != digest:
            raise ConflictError(
                f"The idempotency key {key!r} was used for another request. Send a key of its own with each request.",
                key=key,
            )
        return KeyClaim(fresh=False, response=found.response)

    async def answer(self, caller: str, key: str, response: Mapping[str, Any]) -> None:
        """Keep the answer; the first one stays."""
        table = self._table
        where = (table.c.caller == caller, table.c.key == key, table.c.response.is_(None))
        async with self._engine.write() as connection:
            await connection.execute(update(table).where(*where).values(response=dict(response)))

    async def release(self, caller: str, key: str) -> None:
        """Give a key back that has no answer, since nothing was done; a repeated request then starts afresh."""
        table = self._table
        where = (table.c.caller == caller, table.c.key == key, table.c.response.is_(None))
        async with self._engine.write() as connection:
            await connection.execute(delete(table).where(*where))
