"""Temporal's remote codec protocol: POST to a path whose last segment says what to do."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, cast

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from trenova_access import Access, AccessError, Principal, TooSlowError
from trenova_codecs._errors import KeyRingError, NoActiveKeyError
from trenova_codecs._keys import KeyProvider
from trenova_codecs._notices import told_elsewhere
from trenova_codecs.server._audit import CodecAuditHook, CodecEvent
from trenova_codecs.server._metrics import ServerMetrics
from trenova_codecs.server._namespaces import KeyNotAssignedError, keys_used
from trenova_codecs.server._options import READER, WRITER, CodecServerOptions
from trenova_codecs.server._payloads import read_payloads, write_payloads
from trenova_codecs.server._work import Codecs, Operation, work_off
from trenova_errors import ApplicationError, InvalidInputError, PayloadTooLargeError, ResourceNotFoundError

_NO_STORE: Final = {"Cache-Control": "no-store"}
_LONGEST_NAMESPACE: Final = 255
"""As Temporal limits it; it stands in audit lines."""
_ROLES: Final = {"decode": READER, "encode": WRITER}
_STATUS: Final[tuple[tuple[type[ApplicationError], int], ...]] = (
    (KeyNotAssignedError, 403),
    (ResourceNotFoundError, 404),
    (PayloadTooLargeError, 413),
    (KeyRingError, 503),
    (NoActiveKeyError, 503),
)
"""Everything else is 400, as the protocol wants for payloads that cannot be processed: asking again is useless."""


@dataclass
class _Job:
    """One request that was let through, and what its audit line will say."""

    operation: Operation
    namespace: str
    who: Principal
    begun: float = field(default_factory=time.perf_counter)
    outcome: str = "canceled"
    reason: str = ""
    payloads: int = 0
    size_in: int = 0
    size_out: int = 0
    key_ids: set[str] = field(default_factory=set)

    def event(self) -> CodecEvent:
        return CodecEvent(
            *(self.operation, self.namespace, self.who.subject, self.who.method, self.outcome),
            *(self.payloads, self.size_in, self.size_out, tuple(sorted(self.key_ids))),
            reason=self.reason,
        )

    def refused(self, outcome: str, reason: str) -> None:
        self.outcome, self.reason = outcome, reason


class RemoteCodec:
    """Answers encode, decode and download."""

    def __init__(self, options: CodecServerOptions, ring: KeyProvider, access: Access, audit: CodecAuditHook) -> None:
        self._batch = options.batch
        self._access = access
        self._audit = audit
        self._codecs = Codecs(options, ring)
        self._metrics = ServerMetrics()

    async def answer(self, request: Request) -> Response:
        """Answer one request; the path's last segment decides, whatever stands before it."""
        operation = request.url.path.rpartition("/")[2]
        if operation not in (*_ROLES, "download"):
            raise ResourceNotFoundError(
                "There is nothing at this path. The codec answers POST to paths that end in /decode or /encode.",
                reason="no_such_path",
            )
        role = _ROLES.get(operation, READER)
        namespace = claimed_namespace(request)
        if not 0 < len(namespace) <= _LONGEST_NAMESPACE:
            await self._access.require_anybody(request, role)
            raise InvalidInputError(
                f"The header X-Namespace is missing, there twice, or has more than {_LONGEST_NAMESPACE} characters. "
                "Name the one namespace that the payloads are of.",
                reason="namespace_missing",
            )
        who = await self._access.require(request, namespace, role)
        if operation == "download":
            raise ResourceNotFoundError(
                "This server keeps no external storage, so there is nothing to download. Payloads that are references "
                "to one have to be fetched where the workers' storage driver is.",
                reason="no_download",
            )
        return await self._work(request, _Job(cast("Operation", operation), namespace, who))

    async def _work(self, request: Request, job: _Job) -> Response:
        codec = self._codecs.of(job.namespace)
        token = keys_used.set(job.key_ids)
        try:
            body = await request.body()
            job.size_in = len(body)
            payloads = await read_payloads(body)
            job.payloads = len(payloads)
            with told_elsewhere():  # what the codec would log is in the audit line
                done = await work_off(codec, job.operation, payloads, self._batch)
            answer = await write_payloads(done)
            job.size_out, job.outcome = len(answer), "done"
        except asyncio.CancelledError:
            if self._access.over_time(request):
                job.refused(TooSlowError.code, "too_slow")
            raise
        except ClientDisconnect:
            raise
        except Exception as error:
            job.refused(*said(error))
            raise
        finally:
            keys_used.reset(token)
            self._tell(request, job)
        return Response(answer, media_type="application/json", headers=_NO_STORE)

    def _tell(self, request: Request, job: _Job) -> None:
        event = job.event()
        self._metrics.count(event, time.perf_counter() - job.begun)
        if event.reason:
            self._access.refused(request, event.outcome, event.reason, audited=True)
        self._audit(event)


def claimed_namespace(connection: HTTPConnection) -> str:
    """The namespace that a request names; empty where it names none, or two."""
    named = connection.headers.getlist("x-namespace")
    return named[0] if len(named) == 1 else ""


def said(error: Exception) -> tuple[str, str]:
    """An error's code, and the refusal in one word: the finer one where it has it, otherwise the end of the code."""
    if not isinstance(error, ApplicationError | AccessError):
        return "failed", "failed"
    return error.code, str(error.facts.get("reason") or error.code.rpartition(".")[2])


def answer_with(access: Access) -> Callable[[Request, Exception], Awaitable[Response]]:
    """The answer to typed errors: a status, and JSON with code and message; audited where no line was written."""

    async def answer_error(request: Request, error: Exception) -> Response:
        if not isinstance(error, ApplicationError):
            raise error
        access.refused(request, *said(error))
        status = next((status for kind, status in _STATUS if isinstance(error, kind)), 400)
        content = {"code": error.code, "message": error.message}
        return JSONResponse(content, status_code=status, headers=_NO_STORE)

    return answer_error
