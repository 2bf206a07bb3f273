"""ASGI middleware: ids of requests, and refusals of the access layer as problems."""

import json
import re
import uuid
from http import HTTPStatus
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trenova_access.api._problem import MEDIA_TYPE, ProblemDocument, answer
from trenova_errors import ErrorKind

REQUEST_ID: Final = "X-Request-Id"
"""The header with a request's id: a caller's own if it is plain, else one that is made here."""

_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_KINDS: Final = {
    401: ErrorKind.PERMISSION_DENIED,
    403: ErrorKind.PERMISSION_DENIED,
    408: ErrorKind.RETRYABLE,
    413: ErrorKind.PAYLOAD_TOO_LARGE,
    503: ErrorKind.UNAVAILABLE,
}


class Answers:
    """Gives every request an id, and every refusal the form of a problem.

    Args:
        app: With the access layer around it, whose refusals are ``{"code": ..., "message": ...}``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        await self._app(scope, receive, _Answer(scope, send, request_id))


class _Answer:
    def __init__(self, scope: Scope, send: Send, request_id: str) -> None:
        self._scope, self._send, self._request_id = scope, send, request_id
        self._held: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID] = self._request_id
            if message["status"] >= HTTPStatus.BAD_REQUEST and headers.get("content-type") == "application/json":
                self._held = message
                return
        if self._held is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body", False):
            await self._send_held()

    async def _send_held(self) -> None:
        held, body = self._held, self._body
        if held is None:
            return
        self._held = None
        headers = MutableHeaders(scope=held)
        if (problem := self._problem(held["status"], body)) is not None:
            body = bytes(answer(problem).body)
            headers["content-type"], headers["content-length"] = MEDIA_TYPE, str(len(body))
            if held["status"] == HTTPStatus.SERVICE_UNAVAILABLE:
                headers.setdefault("retry-after", "5")
        await self._send(held)
        await self._send({"type": "http.response.body", "body": body})

    def _problem(self, status: int, body: bytes) -> ProblemDocument | None:
        try:
            told: Any = json.loads(body)
        except ValueError:
            return None
        if not isinstance(told, dict) or told.keys() != {"code", "message"}:
            return None
        return ProblemDocument(
            title=HTTPStatus(status).phrase,
            status=status,
            detail=str(told["message"]),
            instance=self._scope.get("path"),
            kind=_KINDS.get(status, ErrorKind.INVALID_INPUT).value,
            code=str(told["code"]),
            retryable=status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.SERVICE_UNAVAILABLE},
            request_id=self._request_id,
        )
