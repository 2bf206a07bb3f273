"""What was asked for under a key, and the answer: a repeated request gets the same answer and does nothing."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic_core import to_json
from sqlalchemy import delete, select, update

from trenova_errors import ConflictError
from trenova_schedules.store._engine import StoreEngine
from trenova_schedules.store._times import now, seconds
from trenova_store import insert_missing

KEYS_KEPT: Final = timedelta(days=7)
"""For how long a key means the same request; what is older is forgotten by the harvest of the ledger."""


def digest_of(request: Any) -> str:
    """Return the SHA-256 of a request as JSON, in hexadecimal; the order of keys does not count."""
    return hashlib.sha256(to_json(_sorted(request))).hexdigest()


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _sorted(value[key]) for key in sorted(value, key=str)}
    return [_sorted(item) for item in value] if isinstance(value, (list, tuple)) else value


@dataclass(frozen=True)
class Claim:
    """What a claim on a key found.

    Attributes:
        fresh: The key was not known: do the work and then ``answer``.
        response: The answer to the first request; None if it is not known yet (the first is still at work, or ended
            without an answer).
    """

    fresh: bool
    response: Mapping[str, Any] | None = None


class IdempotencyKeys:
    """Keys within scopes; a scope is whoever asks, so that two callers cannot meet in one key.

    Args:
        engine: Of the store.
    """

    def __init__(self, engine: StoreEngine) -> None:
        self._engine = engine
        self._table = engine.tables.idempotency_keys

    async def claim(self, scope: str, key: str, digest: str) -> Claim:
        """Take a key, or return what it was taken for; of many at once, one finds it fresh.

        Args:
            scope: Whoever asks, at most 200 characters.
            key: Theirs, at most 200 characters.
            digest: Of the request, see :func:`digest_of`.

        Raises:
            ConflictError: The key was used for another request.
        """
        table = self._table
        row = {"scope": scope, "key": key, "digest": digest, "created_at": seconds(now())}
        async with self._engine.write() as connection:
            if await insert_missing(connection, table, [row], key=("scope", "key")):
                return Claim(fresh=True)
            known = select(table.c.digest, table.c.response).where(table.c.scope == scope, table.c.key == key)
            found = (await connection.execute(known)).one()
        if found.digest != digest:
            raise ConflictError(
                f"The idempotency key {key!r} was used for another request. Send a key of its own with each request.",
                key=key,
            )
        return Claim(fresh=False, response=found.response)

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
        table = self._table
        async with self._engine.write() as connection:
            done = await connection.execute(delete(table).where(table.c.created_at < seconds(before)))
            return done.rowcount
