"""Failures as problem details of RFC 9457, the same for every route."""

from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.exceptions import HTTPException

from trenova_access import AccessError
from trenova_access import refuse as refuse_access
from trenova_errors import ApplicationError, ErrorKind, to_problem
from trenova_workers.pool.store._documents import PoolDocument

MEDIA_TYPE: Final = "application/problem+json"

_FACTS: Final = ("id", "scope", "until")
_COME_BACK_S: Final = "5"
_MOST_FIELDS: Final = 20


class FieldProblem(PoolDocument):
    """What is wrong with one part of a request.

    Attributes:
        pointer: Where: ``body``, ``query``, ``path`` or ``header``, and names with slashes between.
        detail: What.
    """

    pointer: str
    detail: str


class ProblemDocument(PoolDocument):
    """Why a request was not done (RFC 9457).

    Attributes:
        type: A reference to what to do about it, the same for the same kind.
        title: The status in words.
        status: The HTTP status.
        detail: What was wrong, for whoever asked.
        instance: The path that was asked for.
        kind: What kind of failure it is.
        code: The same or finer, for programs.
        retryable: Whether the same request may succeed later.
        request_id: Of the request, to find it in logs and the audit trail.
        errors: What is wrong with which part of the request.
        facts: Small values for programs.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str | None = None
    kind: str
    code: str
    retryable: bool = False
    request_id: str | None = None
    errors: tuple[FieldProblem, ...] = ()
    facts: dict[str, str | int | float | bool | None] = Field(default_factory=dict)


def add_handlers(app: FastAPI) -> None:
    """Answer every failure with problem details."""
    app.add_exception_handler(ApplicationError, _of_application)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(AccessError, refuse_access)  # its JSON becomes a problem with those of the middleware


def answer(problem: ProblemDocument, headers: dict[str, str] | None = None) -> Response:
    """Return the HTTP answer."""
    content = problem.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)
    content.setdefault("type", problem.type)
    return JSONResponse(
        content,
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def request_id_of(request: Request) -> str | None:
    """Return the id of a request, as the middleware left it."""
    return getattr(request.state, "request_id", None)


async def _of_application(request: Request, error: Exception) -> Response:
    found = to_problem(error, instance=request.url.path, facts=_FACTS)
    body: dict[str, Any] = {**found.body, "requestId": request_id_of(request)}
    headers = {name: value for name, value in found.headers.items() if name != "Content-Type"}
    # It can be read and means nothing that can be done; 400 is for what cannot be read.
    status = HTTPStatus.UNPROCESSABLE_ENTITY if found.status == HTTPStatus.BAD_REQUEST else HTTPStatus(found.status)
    if isinstance(error, ApplicationError) and error.kind is ErrorKind.UNAVAILABLE:
        body["detail"] = error.message  # of our own: which server or worker is missed
    if status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}:
        headers.setdefault("Retry-After", _COME_BACK_S)
    body |= {"status": int(status), "title": status.phrase}
    return answer(ProblemDocument.model_validate(body), headers)


async def _of_validation(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    fields = [
        FieldProblem(
            pointer="/".join(str(part) for part in one["loc"]) or "body",
            detail=str(one["msg"]).removeprefix("Value error, "),
        )
        for one in error.errors()[:_MOST_FIELDS]
    ]
    said = "; ".join(f"{one.pointer}: {one.detail}" for one in fields)
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return answer(
        ProblemDocument(
            type="about:blank",
            title=status.phrase,
            status=status,
            detail=f"The request is not valid: {said}. Nothing was changed.",
            instance=request.url.path,
            kind=ErrorKind.INVALID_INPUT.value,
            code="request.not_valid",
            request_id=request_id_of(request),
            errors=tuple(fields),
        )
    )


async def _of_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    said = {
        HTTPStatus.NOT_FOUND: "There is nothing at this path; openapi.json says what there is.",
        HTTPStatus.METHOD_NOT_ALLOWED: "This path does not answer to that method; openapi.json says which it does.",
    }.get(status, error.detail)
    kind = ErrorKind.RESOURCE_NOT_FOUND if status is HTTPStatus.NOT_FOUND else ErrorKind.INVALID_INPUT
    problem = ProblemDocument(
        title=status.phrase,
        status=status,
        detail=said,
        instance=request.url.path,
        kind=kind.value,
        code=f"http.{status.value}",
        request_id=request_id_of(request),
    )
    return answer(problem, dict(error.headers or {}))
