"""ASGI middleware: the bytes and the time that requests may take, and how many at once."""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trenova_access._answers import refusal
from trenova_access._errors import AccessError, BodyTooLargeError, TooBusyError, TooSlowError
from trenova_access._options import LimitOptions
from trenova_access._record import RequestRecord, report


class Limits:
    """Refuses requests that are too large, too slow or too many.

    A body without Content-Length is counted as it is read; the error then rises out of whatever reads it.
    """

    def __init__(self, app: ASGIApp, options: LimitOptions) -> None:
        self._app = app
        self._options = options
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request within the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        try:
            self._look_at_length(scope)
            await self._bounded(scope, self._counting(receive), answer)
        except AccessError as error:
            report(scope, error)
            if answer.begun:
                raise
            await refusal(error)(scope, receive, send)

    async def _bounded(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._running >= self._options.max_concurrent:
            raise TooBusyError(f"The server is answering {self._running} requests; try again in a second.")
        self._running += 1
        try:
            async with asyncio.timeout(self._options.timeout_s) as limit:
                if record := RequestRecord.of(scope):
                    record.limit = limit
                await self._app(scope, receive, send)
        except TimeoutError:
            if not limit.expired():
                raise
            raise TooSlowError(f"The request was not over within {self._options.timeout_s:g} s.") from None
        finally:
            self._running -= 1

    def _look_at_length(self, scope: Scope) -> None:
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isascii() or not declared.isdigit() or int(declared[:20]) > self._options.max_body:
            raise self._too_large()

    def _counting(self, receive: Receive) -> Receive:
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._options.max_body:
                raise self._too_large()
            return message

        return counted

    def _too_large(self) -> BodyTooLargeError:
        return BodyTooLargeError(f"A request's body may have {self._options.max_body} bytes; send less at once.")


class _Answer:
    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False

    async def __call__(self, message: Message) -> None:
        self.begun = True
        await self._send(message)
