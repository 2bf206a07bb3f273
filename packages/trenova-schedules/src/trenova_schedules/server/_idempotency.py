"""The same key twice is one effect and one answer."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, Final, TypeVar

from fastapi import Header, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from trenova_access import AccessError
from trenova_errors import AmbiguousOutcomeError, ApplicationError, ConflictError
from trenova_schedules.server._api import Caller
from trenova_schedules.store import digest_of

Result = TypeVar("Result", bound=BaseModel)

REPLAYED: Final = "Idempotency-Replayed"
_PATTERN: Final = r"^[!-~]{1,200}$"

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=_PATTERN,
        description="Made up by the caller for one request: the same again changes nothing more and gets the same "
        "answer. Needs a database.",
    ),
]


class UnderWayError(ConflictError):
    """The first request with this key has no answer yet."""

    code = "request.under_way"


async def once(
    caller: Caller,
    key: str | None,
    body: BaseModel | None,
    work: Callable[[], Awaitable[Result]],
    *,
    status: int = 200,
    headers: Callable[[Result], dict[str, str]] = lambda _: {},
) -> Response:
    """Do the work, or say again what came of it when it was done under this key.

    A key is given back where the work says that nothing was done. One whose work was killed in the middle stays
    taken: nobody knows what it did.

    Raises:
        ConflictError: The key was used for another request, or for one that has no answer yet.
        ApplicationError: What the work raises.
    """
    if key is None:
        return _answer(*_plain(await work(), headers), status=status)
    keys = caller.api.needed_store("Idempotency-Key").idempotency
    request = caller.request
    asked = {"method": request.method, "path": request.url.path, "query": request.url.query}
    told = None if body is None else body.model_dump(mode="json", by_alias=True, exclude_unset=True)
    claim = await keys.claim(caller.key, key, digest_of({**asked, "body": told}))
    if claim.response is not None:
        found = claim.response
        return _answer(found["body"], {**found["headers"], REPLAYED: "true"}, status=int(found["status"]))
    if not claim.fresh:
        raise UnderWayError(
            f"A request with the idempotency key {key!r} is under way, or was interrupted. Ask again in a moment; if "
            "that stays so, look at what it did before you use another key.",
            retry_after=timedelta(seconds=1),
            key=key,
        )
    try:
        result = await work()
    except AmbiguousOutcomeError:
        raise
    except (ApplicationError, AccessError):
        await keys.release(caller.key, key)
        raise
    content, extra = _plain(result, headers)
    await keys.answer(caller.key, key, {"status": status, "headers": extra, "body": content})
    return _answer(content, extra, status=status)


def _plain(result: Result, headers: Callable[[Result], dict[str, str]]) -> tuple[Any, dict[str, str]]:
    return json.loads(result.model_dump_json(by_alias=True)), headers(result)


def _answer(content: Any, headers: dict[str, str], *, status: int) -> Response:
    return JSONResponse(content, status_code=status, headers={"Cache-Control": "no-store", **headers})
