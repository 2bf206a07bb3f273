"""The same key twice is one effect and one answer."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Protocol, TypeVar

from fastapi import Header, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from trenova_access._errors import AccessError
from trenova_access.api._caller import ApiCaller, GuardedApi
from trenova_errors import AmbiguousOutcomeError, ApplicationError, ConflictError

ApiT = TypeVar("ApiT", bound=GuardedApi)
Result = TypeVar("Result", bound=BaseModel)

REPLAYED: Final = "Idempotency-Replayed"
"""Marks an answer that was given before."""

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,200}$",
        description="Made up by the caller for one request: for a week the same again changes nothing more and gets "
        "the same answer. Needs a database.",
    ),
]
"""A header of a route that writes; the draft `draft-ietf-httpapi-idempotency-key-header` of the IETF."""


class Claimed(Protocol):
    """What a claim on a key found."""

    @property
    def fresh(self) -> bool:
        """Whether the key was not known."""

    @property
    def response(self) -> Mapping[str, Any] | None:
        """The answer to the first request, if it has one."""


class KeyStore(Protocol):
    """Where keys and answers are kept, e.g. ``trenova_store.RequestKeys``; a scope is whoever asks."""

    async def claim(self, scope: str, key: str, digest: str) -> Claimed:
        """Take a key, or return what it was taken for; raises ConflictError if that was another request."""

    async def answer(self, scope: str, key: str, response: Mapping[str, Any]) -> None:
        """Keep the answer."""

    async def release(self, scope: str, key: str) -> None:
        """Give a key back, since nothing was done."""


class UnderWayError(ConflictError):
    """The first request with this key has no answer yet."""

    code = "request.under_way"


async def once_by_key(
    caller: ApiCaller[ApiT],
    keys: Callable[[], KeyStore],
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

    Args:
        caller: Who asks; each has keys of their own.
        keys: Returns where keys are kept; not called without a key.
        key: The header's value; None does the work each time.
        body: Of the request. Method, path, query and what it sets must be the same under the same key.
        work: Returns the model that is the answer.
        status: Of the answer.
        headers: Returns further headers of the answer.

    Raises:
        ConflictError: The key was used for another request, or for one that has no answer yet.
        ApplicationError: What the work raises.
    """
    if key is None:
        return _answer(*_plain(await work(), headers), status=status)
    kept, scope = keys(), caller.key
    claim = await kept.claim(scope, key, _digest(caller, body))
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
        await kept.release(scope, key)
        raise
    content, extra = _plain(result, headers)
    await kept.answer(scope, key, {"status": status, "headers": extra, "body": content})
    return _answer(content, extra, status=status)


def _digest(caller: ApiCaller[ApiT], body: BaseModel | None) -> str:
    request = caller.request
    told = None if body is None else body.model_dump(mode="json", by_alias=True, exclude_unset=True)
    asked = {"method": request.method, "path": request.url.path, "query": request.url.query, "body": told}
    plain = json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()


def _plain(result: Result, headers: Callable[[Result], dict[str, str]]) -> tuple[Any, dict[str, str]]:
    return json.loads(result.model_dump_json(by_alias=True)), headers(result)


def _answer(content: Any, headers: dict[str, str], *, status: int) -> Response:
    return JSONResponse(content, status_code=status, headers={"Cache-Control": "no-store", **headers})
