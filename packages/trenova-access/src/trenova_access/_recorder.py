"""ASGI middleware, outermost: no refusal without an audit event, whoever answers it."""

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trenova_access._record import RequestRecord, ResourceOf, Tell

_BEGINNINGS = frozenset({"http.response.start", "websocket.http.response.start"})


class Recorder:
    """Tells what was refused without having been told: by the framework, by CORS, by an error nobody expected.

    Args:
        app: With everything else around it.
        tell: Receives the event of a refusal.
        end: Called when the server stops, if it tells its applications (ASGI's lifespan).
        resource_of: What a request claims to be about.
    """

    def __init__(self, app: ASGIApp, tell: Tell, end: Callable[[], None], resource_of: ResourceOf) -> None:
        self._app = app
        self._tell = tell
        self._end = end
        self._resource_of = resource_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and look at how it was answered."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        record = RequestRecord.begin(scope, self._tell, self._resource_of)
        answer = _Answer(send)
        try:
            await self._app(scope, receive, answer)
        except ClientDisconnect:
            return  # there is nobody to refuse anything to
        except Exception:
            record.refuse(HTTPConnection(scope), "http.500", "failed")
            raise
        if _refuses(answer.status):
            record.refuse(HTTPConnection(scope), *_by_status(scope, answer.status))

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            self._end()


class _Answer:
    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] in _BEGINNINGS:
            self.status = message["status"]
        await self._send(message)


def _refuses(status: int) -> bool:
    # A probe that answers 503 refuses nobody, and what else is above 500 is raised as an error of ours.
    return 400 <= status <= 500  # noqa: PLR2004  # the client's faults, and ours


def _by_status(scope: Scope, status: int) -> tuple[str, str]:
    if scope.get("method") == "OPTIONS" and "access-control-request-method" in Headers(scope=scope):
        return "access.foreign_request", "preflight"
    return f"http.{status}", "failed" if status == 500 else f"http_{status}"  # noqa: PLR2004
