"""Asks and orders over HTTP."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from trenova_errors import AmbiguousOutcomeError, UnavailableError
from trenova_workers.pool._reports import PoolReport, PoolsReport, WorkersReport
from trenova_workers.pool.client._address import PoolServerAddress
from trenova_workers.pool.client._refusals import refusal
from trenova_workers.pool.store import DecisionPage, PoolHistory

_PREFIX: Final = "/api/v1"
M = TypeVar("M", bound=BaseModel)


class PoolClient:
    """One pool manager's API; close it, or use it as an asynchronous context manager.

    Every method raises ``UnavailableError`` where the manager cannot be reached or says nothing that makes sense,
    ``PermissionDeniedError`` where it lets this program not do that, ``ResourceNotFoundError`` where there is no such
    pool, and ``InvalidInputError``, ``ConflictError`` or ``ThrottledError`` where it says so. What orders also raises
    ``AmbiguousOutcomeError`` where the answer did not come, so that nobody knows whether it took effect.

    Args:
        address: Returns where the server is and what proves who asks; asked at every request.
        timeout_s: Seconds for one request.
        transport: In place of the network.
    """

    def __init__(
        self,
        address: Callable[[], PoolServerAddress],
        *,
        timeout_s: float = 5,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._address, self._timeout_s = address, timeout_s
        # The proxies of the environment are for the world outside, not for the manager.
        self._http = httpx.AsyncClient(timeout=timeout_s, transport=transport, trust_env=False)

    async def __aenter__(self) -> Self:
        """Return this."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def pools(self) -> PoolsReport:
        """Return all pools that this program may look at, and who manages them."""
        return await self._get(PoolsReport, "pools")

    async def pool(self, name: str) -> PoolReport:
        """Return one pool."""
        return await self._get(PoolReport, "pools", name)

    async def workers(self) -> WorkersReport:
        """Return all workers of the pools that this program may look at."""
        return await self._get(WorkersReport, "workers")

    async def decisions(
        self, name: str, *, cursor: int | None = None, limit: int = 50, changes: bool = False
    ) -> DecisionPage:
        """Return decisions about a pool, newest first.

        Args:
            name: Of the pool.
            cursor: ``next_cursor`` of the page before.
            limit: How many at most, to 1000.
            changes: Only those that changed the number.
        """
        asked = {"limit": limit, "changes": changes, **({} if cursor is None else {"cursor": cursor})}
        return await self._get(DecisionPage, "pools", name, "decisions", asked=asked)

    async def history(self, name: str, *, hours: float = 3, parts: int = 120) -> PoolHistory:
        """Return how many workers a pool had in the last hours, and what waited."""
        return await self._get(PoolHistory, "pools", name, "history", asked={"hours": hours, "parts": parts})

    async def override(
        self, name: str, count: int, until: datetime, reason: str, *, on_behalf_of: str = ""
    ) -> PoolReport:
        """Fix the number of workers until a time.

        Args:
            name: Of the pool.
            count: Workers.
            until: When it ends by itself; aware.
            reason: Why.
            on_behalf_of: The person who wants it; the token needs the role ``delegate`` for that.
        """
        body = {"count": count, "until": until.isoformat(), "reason": reason}
        return await self._post(PoolReport, "pools", name, "override", body=body, on_behalf_of=on_behalf_of)

    async def pause(self, name: str, reason: str, *, on_behalf_of: str = "") -> PoolReport:
        """Leave a pool at its number of workers; see `override` for ``on_behalf_of``."""
        return await self._post(PoolReport, "pools", name, "pause", body={"reason": reason}, on_behalf_of=on_behalf_of)

    async def resume(self, name: str, reason: str, *, on_behalf_of: str = "") -> PoolReport:
        """Let load decide again, without pause or override; see `override` for ``on_behalf_of``."""
        return await self._post(PoolReport, "pools", name, "resume", body={"reason": reason}, on_behalf_of=on_behalf_of)

    async def _get(self, model: type[M], *path: str, asked: Mapping[str, Any] | None = None) -> M:
        try:
            return _read(model, await self._send("GET", path, params=asked))
        except (httpx.HTTPError, TimeoutError) as error:
            raise self._unreachable(error) from None

    async def _post(self, model: type[M], *path: str, body: Mapping[str, Any], on_behalf_of: str) -> M:
        headers = {"On-Behalf-Of": quote(on_behalf_of, safe=" ")} if on_behalf_of else {}
        try:
            return _read(model, await self._send("POST", path, json=dict(body), headers=headers))
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise self._unreachable(error) from None
        except (httpx.HTTPError, TimeoutError):
            raise AmbiguousOutcomeError(
                "The order was sent to the pool manager, and its answer did not come, so nobody knows whether it took "
                "effect. Look at the pool before you try again."
            ) from None

    async def _send(self, method: str, path: tuple[str, ...], **more: Any) -> httpx.Response:
        address = await asyncio.to_thread(self._address)
        headers = dict(more.pop("headers", {}))
        if address.token is not None:
            headers["Authorization"] = f"Bearer {address.token}"
        url = f"{address.url}{_PREFIX}/{'/'.join(quote(one, safe='') for one in path)}"
        async with asyncio.timeout(self._timeout_s):  # httpx counts from byte to byte
            answer = await self._http.request(method, url, headers=headers, **more)
        if not answer.is_success:
            raise refusal(answer)
        return answer

    def _unreachable(self, error: Exception) -> UnavailableError:
        if isinstance(error, TimeoutError | httpx.TimeoutException):
            why = f"it does not answer within {self._timeout_s:g} s"
        elif isinstance(error, httpx.ConnectError):
            why = "nothing answers at its address"
        else:
            why = f"the connection broke off ({type(error).__name__})"
        return UnavailableError(
            f"The pool manager cannot be reached: {why}. Look whether `trenova-workers pool run --serve` runs, and "
            "whether its address is the one that is set here."
        )


def _read(model: type[M], answer: httpx.Response) -> M:
    try:
        return model.model_validate_json(answer.content)
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_input=False, include_url=False)[0]["loc"])) or "the answer"
        raise UnavailableError(
            f"What answers at the address of the pool manager is none, or of another version: {where} is not as "
            "expected. Check the address, and bring manager and client to the same version."
        ) from None
