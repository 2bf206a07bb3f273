"""The same key twice is one effect and one answer."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, Final, TypeVar

from fastapi import Header, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from trenova_access import AccessError
from trenova_errors import AmbiguousOutcomeError, ApplicationError, ConflictError
from trenova_workers.pool.server._api import Caller

Result = TypeVar("Result", bound=BaseModel)

REPLAYED: Final = "Idempotency-Replayed"

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,200}$",
        description="Made up by the caller for one request: the same again changes nothing more and gets the same "
        "answer, for a week.",
    ),
]


class UnderWayError(ConflictError):
    """The first request with this key has no answer yet."""

    code = "request.under_way"


async def once(
    caller: Caller, key: str | None, body: BaseModel, work: Callable[[], Awaitable[Result]], *, status: int = 200
) -> Response:
    """Do the work, or say again what came of it when it was done under this key.

    A key is given back where the work says that nothing was done. One whose work was killed in the middle stays
    taken: nobody knows what it did.

    Raises:
        ConflictError: The key was used for another request, or for one that has no answer yet.
        ApplicationError: What the work raises.
    """
    if key is None:
        return _answer(_plain(await work()), status=status)
    keys = caller.api.store.keys
    claim = await keys.claim(caller.key, key, _digest(caller, body))
    if claim.response is not None:
        return _answer(claim.response["body"], status=int(claim.response["status"]), headers={REPLAYED: "true"})
    if not claim.fresh:
        raise UnderWayError(
            f"A request with the idempotency key {key!r} is under way, or was interrupted. Ask again in a moment; if "
            "that stays so, look at what it did before you use another key.",
            retry_after=timedelta(seconds=1),
            key=key,
        )
    try:
        result = _plain(await work())
    except AmbiguousOutcomeError:
        raise
    except (ApplicationError, AccessError):
        await keys.release(caller.key, key)
        raise
    await keys.answer(caller.key, key, {"status": status, "body": result})
    return _answer(result, status=status)


def _digest(caller: Caller, body: BaseModel) -> str:
    url = caller.request.url
    told = body.model_dump(mode="json", by_alias=True)
    asked = json.dumps([caller.request.method, url.path, url.query, told], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()


def _plain(result: BaseModel) -> Any:
    return json.loads(result.model_dump_json(by_alias=True))


def _answer(content: Any, *, status: int, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(content, status_code=status, headers={"Cache-Control": "no-store", **(headers or {})})
