"""The same key twice is one effect and one answer; the keys are in the store."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import Response
from pydantic import BaseModel

from trenova_access.api import IdempotencyKey, once_by_key
from trenova_schedules.server._api import Caller

__all__ = ["IdempotencyKey", "once"]

Result = TypeVar("Result", bound=BaseModel)


async def once(
    caller: Caller,
    key: str | None,
    body: BaseModel | None,
    work: Callable[[], Awaitable[Result]],
    *,
    status: int = 200,
    headers: Callable[[Result], dict[str, str]] = lambda _: {},
) -> Response:
    """Do the work under a key, see :func:`trenova_access.api.once_by_key`.

    Raises:
        ConflictError: The key was used for another request, or for one that has no answer yet.
        ApplicationError: What the work raises, or there is a key and no store.
    """
    api = caller.api
    return await once_by_key(
        caller,
        lambda: api.needed_store("Idempotency-Key").idempotency,
        key,
        body,
        work,
        status=status,
        headers=headers,
    )
