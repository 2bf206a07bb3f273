"""Failures of routes as problems, whoever raises them."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from trenova_access._answers import refuse
from trenova_access._errors import AccessError
from trenova_access.api._problem import FieldProblem, ProblemDocument, answer, request_id_of
from trenova_errors import ApplicationError, ErrorKind, to_problem

_COME_BACK_S: Final = "5"
_MOST_FIELDS: Final = 20


@dataclass
class Failure:
    """An answer that is being made of an exception.

    Attributes:
        status: Of the answer.
        body: Of the problem, under its names on the wire; ``status`` and ``title`` are filled in afterwards.
        headers: Of the answer.
    """

    status: HTTPStatus
    body: dict[str, Any]
    headers: dict[str, str]


Amend = Callable[[Request, Exception, Failure], None]
"""Changes an answer where an application knows more about an exception than ``trenova_errors`` does."""


def add_problem_handlers(
    app: FastAPI,
    *,
    facts: Collection[str] = (),
    also: Collection[type[Exception]] = (),
    document: type[ProblemDocument] = ProblemDocument,
    amend: Amend | None = None,
) -> None:
    """Answer every failure of a route with problem details.

    Refusals of the access layer become problems where :class:`trenova_access.api.Answers` is around it.

    Args:
        app: Whose routes.
        facts: Names of the facts of ``ApplicationError`` that callers may see.
        also: Exceptions that ``trenova_errors.classify`` decides about, beside ``ApplicationError``.
        document: What the problem is made as, if it says more than others.
        amend: Called with each of these before it is answered.
    """
    made = partial(_of_failure, facts=tuple(facts), document=document, amend=amend)

    async def of_failure(request: Request, error: Exception) -> Response:
        return made(request, error)

    kinds: list[type[Exception]] = [ApplicationError, *also]
    for kind in kinds:
        app.add_exception_handler(kind, of_failure)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(AccessError, refuse)


def _of_failure(
    request: Request,
    error: Exception,
    *,
    facts: tuple[str, ...],
    document: type[ProblemDocument],
    amend: Amend | None,
) -> Response:
    told = to_problem(error, instance=request.url.path, facts=facts)
    failure = Failure(
        # It can be read and means nothing that can be done; 400 is for what cannot be read.
        status=HTTPStatus.UNPROCESSABLE_ENTITY if told.status == HTTPStatus.BAD_REQUEST else HTTPStatus(told.status),
        body={**told.body, "requestId": request_id_of(request)},
        headers={name: value for name, value in told.headers.items() if name != "Content-Type"},
    )
    if isinstance(error, ApplicationError) and error.kind is ErrorKind.UNAVAILABLE:
        failure.body["detail"] = error.message  # of our own: which server or worker is missed
    if amend is not None:
        amend(request, error, failure)
    if failure.status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}:
        failure.headers.setdefault("Retry-After", _COME_BACK_S)
    failure.body |= {"status": int(failure.status), "title": failure.status.phrase}
    return answer(document.model_validate(failure.body), failure.headers)


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
