"""Failures of pages as pages."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from temporalio.service import RPCError

from trenova_access import AccessError, NotSignedInError, sign_in_path
from trenova_access.api import request_id_of
from trenova_errors import ApplicationError, ErrorKind, to_problem
from trenova_schedules.dashboard._headers import HEADERS
from trenova_schedules.dashboard._render import render

_WHAT: Final = {
    ErrorKind.UNAVAILABLE: "Not reachable",
    ErrorKind.THROTTLE: "Too many requests",
    ErrorKind.RESOURCE_NOT_FOUND: "Not there",
    ErrorKind.PERMISSION_DENIED: "Not allowed",
    ErrorKind.CONFLICT: "Somebody else was first",
    ErrorKind.INVALID_INPUT: "That does not hold together",
}

_DIALOG: Final = "dialog#dialog"
"""As htmx 4 names the target of a request: its tag and its id."""


class PageRoute(APIRoute):
    """A route whose failures are pages, or fragments where a part of a page asked."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except (ApplicationError, RPCError, AccessError, RequestValidationError, HTTPException) as error:
                return failed(request, error)

        return handled


def is_fragment(request: Request) -> bool:
    """Whether a part of a page asks, not somebody who opens an address."""
    return request.headers.get("hx-request") == "true"


def failed(request: Request, error: Exception) -> Response:
    """Return what is shown of a failure; whoever has not signed in is sent there."""
    if isinstance(error, NotSignedInError):
        return _to_sign_in(request, error)
    title, status, detail = _told(error)
    return render(
        request, _template(request), status=status, title=title, detail=detail, request_id=request_id_of(request)
    )


def _template(request: Request) -> str:
    """Return the page, or the part of one, or what stands in a dialog, which needs a button that closes it."""
    if not is_fragment(request):
        return "failure.html"
    return "_failure_dialog.html" if request.headers.get("hx-target") == _DIALOG else "_failure.html"


def _to_sign_in(request: Request, error: NotSignedInError) -> Response:
    address = sign_in_path(request)
    if is_fragment(request):
        return HTMLResponse("", status_code=error.status, headers={**HEADERS, "HX-Redirect": address})
    return RedirectResponse(address, status_code=303, headers=HEADERS)


def _told(error: Exception) -> tuple[str, int, str]:
    if isinstance(error, AccessError):
        return "Not allowed", error.status, str(error)
    if isinstance(error, RequestValidationError):
        said = "; ".join(f"{one['loc'][-1]}: {one['msg'].removeprefix('Value error, ')}" for one in error.errors()[:20])
        return "That does not hold together", HTTPStatus.UNPROCESSABLE_ENTITY, f"{said}. Nothing was changed."
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        missing = status is HTTPStatus.NOT_FOUND
        return status.phrase, status, "There is nothing at this address." if missing else error.detail
    problem = to_problem(error)
    kind = error.kind if isinstance(error, ApplicationError) else ErrorKind.UNAVAILABLE
    detail = error.message if isinstance(error, ApplicationError) else str(problem.body.get("detail", ""))
    return _WHAT.get(kind, "That did not work"), problem.status, detail
