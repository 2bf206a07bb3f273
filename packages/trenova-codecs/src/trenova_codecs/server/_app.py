"""The codec server's application: Temporal's remote codec protocol, behind who may call it."""

from collections.abc import Callable
from typing import Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, ExceptionHandler

from trenova_access import SIGN_IN_PATH, Access, AccessError, refuse, sign_in_routes
from trenova_access.serving import Exposition
from trenova_codecs._keys import KeyProvider
from trenova_codecs.server._audit import CodecAuditHook, log_codec_event
from trenova_codecs.server._openapi import describe
from trenova_codecs.server._options import ROLES, CodecServerOptions
from trenova_codecs.server._remote import RemoteCodec, answer_with, claimed_namespace
from trenova_errors import ApplicationError

_NO_STORE: Final = {"Cache-Control": "no-store"}

_NEXT_STEPS: Final = (
    "Open the Temporal UI and click the codec symbol at the top right.",
    'Choose "Use my browser setting" and enter {url}',
    'Switch on "Include cross-origin credentials" and apply. The browser remembers it.',
)
"""The UI sends the cookie only if told to, and the dev server has no setting that tells it."""


def create_app(
    options: CodecServerOptions,
    ring: KeyProvider,
    *,
    access: Access | None = None,
    audit: CodecAuditHook = log_codec_event,
    exposition: Exposition | None = None,
    keys_needed: bool = True,
) -> ASGIApp:
    """Make the codec server's ASGI application.

    Args:
        options: Who may call it, and which namespaces it serves with which keys.
        ring: Where the keys are.
        access: In place of one made from ``options.access``; its roles are :data:`ROLES`.
        audit: Receives one event for every decode and encode; the default logs it.
        exposition: What ``/metrics`` answers to whoever is signed in; without it there is no such path.
        keys_needed: Whether it is ready only with keys; without any it still undoes compression.

    Raises:
        AccessConfigurationError: The options give out a role that is none of ``reader`` and ``writer``.
    """
    access = access or Access(options.access, ROLES)
    codec = RemoteCodec(options, ring, access, audit)
    routes = [
        Route("/", _home(access), methods=["GET"]),
        Route("/healthz", _healthz, methods=["GET"]),
        Route("/readyz", _readyz(ring, keys_needed=keys_needed), methods=["GET"]),
        Route("/openapi.json", _described(options), methods=["GET"]),
        *([Route("/metrics", _metrics(access, exposition), methods=["GET"])] if exposition else []),
        *(sign_in_routes(access, next_steps=_NEXT_STEPS) if access.sign_in or access.oidc else []),
        Route("/{path:path}", codec.answer, methods=["POST"]),
    ]
    handlers: dict[Any, ExceptionHandler] = {
        AccessError: refuse,
        ApplicationError: answer_with(access),
        HTTPException: _refuse_path,
    }
    return access.protect(Starlette(routes=routes, exception_handlers=handlers), resource_of=claimed_namespace)


def _home(access: Access) -> Callable[[Request], Response]:
    def home(_: Request) -> Response:
        if access.sign_in or access.oidc:
            return RedirectResponse(SIGN_IN_PATH)
        return JSONResponse({"service": "codec server", "description": "/openapi.json"})

    return home


def _healthz(_: Request) -> Response:
    return JSONResponse({"status": "ok"}, headers=_NO_STORE)


def _readyz(ring: KeyProvider, *, keys_needed: bool) -> Callable[[Request], Response]:
    def readyz(_: Request) -> Response:
        # How many keys there are is nobody's business who is not signed in; whether there are any is the probe's.
        if ring.ids() or not keys_needed:
            return JSONResponse({"ready": True}, headers=_NO_STORE)
        reason = "the key ring holds no usable key"
        return JSONResponse({"ready": False, "reason": reason}, status_code=503, headers=_NO_STORE)

    return readyz


def _described(options: CodecServerOptions) -> Callable[[Request], Response]:
    document = describe(options.batch)

    def openapi(_: Request) -> Response:
        return JSONResponse(document)

    return openapi


def _metrics(access: Access, exposition: Exposition) -> Callable[[Request], object]:
    async def metrics(request: Request) -> Response:
        await access.require_anybody(request, "metrics")
        return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8", headers=_NO_STORE)

    return metrics


def _refuse_path(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    message = {
        404: "There is nothing at this path. The codec answers POST to paths that end in /decode or /encode.",
        405: "This path does not answer to that method. The codec answers POST.",
    }.get(error.status_code, error.detail)
    content = {"code": f"http.{error.status_code}", "message": message}
    return JSONResponse(content, status_code=error.status_code, headers=error.headers)
