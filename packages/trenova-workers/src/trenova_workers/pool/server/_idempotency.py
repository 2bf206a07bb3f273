"""The same key twice is one order and one answer; the keys are in the store."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import Response
from pydantic import BaseModel

from trenova_access.api import IdempotencyKey, once_by_key
from trenova_workers.pool.server._api import Caller

__all__ = ["IdempotencyKey", "once"]

Result = TypeVar("Result", bound=BaseModel)


async def once(
    caller: Caller, key: str | None, body: BaseModel, work: Callable[[], Awaitable[Result]], *, status: int = 200
) -> Response:
    """Do the work under a key, see :func:`trenova_access.api.once_by_key`.

    Raises:
        ConflictError: The key was used for another request, or for one that has no answer yet.
        ApplicationError: What the work raises.
    """
    return await once_by_key(caller, lambda: caller.api.store.keys, key, body, work, status=status)
