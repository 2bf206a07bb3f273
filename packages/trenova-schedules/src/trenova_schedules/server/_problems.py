"""What failures of schedules are as problem details of RFC 9457, beside those that every API has."""

from http import HTTPStatus
from typing import Final

from fastapi import FastAPI, Request
from temporalio.service import RPCError

import trenova_access.api
from trenova_access.api import Failure, add_problem_handlers
from trenova_errors import ApplicationError, ErrorKind
from trenova_schedules._reading import ScheduleConflictError, ScheduleDocument

_FACTS: Final = ("schedule_id", "etag", "receipt_id", "key", "limit", "days")


class ProblemDocument(trenova_access.api.ProblemDocument):
    """Why a request was not done (RFC 9457).

    Attributes:
        current: The schedule as it is now, where somebody else was first (412, 409).
    """

    current: ScheduleDocument | None = None


class PreconditionRequiredError(ApplicationError):
    """The request would overwrite what it has not seen, or might be done twice: send the header that it lacks."""

    kind = ErrorKind.INVALID_INPUT
    code = "schedule.precondition_required"


def add_handlers(app: FastAPI) -> None:
    """Answer every failure with problem details."""
    add_problem_handlers(app, facts=_FACTS, also=(RPCError,), document=ProblemDocument, amend=_amend)


def quoted(etag: str) -> str:
    """Return an ETag as the header has it."""
    return f'"{etag}"'


def _amend(request: Request, error: Exception, failure: Failure) -> None:
    if isinstance(error, ScheduleConflictError):
        failure.body["current"] = error.current
        if error.current is not None:
            failure.headers["ETag"] = quoted(error.current.etag)
        if "if-match" in request.headers:
            failure.status = HTTPStatus.PRECONDITION_FAILED
    elif isinstance(error, PreconditionRequiredError):
        failure.status = HTTPStatus.PRECONDITION_REQUIRED
    elif isinstance(error, RPCError) and failure.status is HTTPStatus.SERVICE_UNAVAILABLE:
        failure.body["detail"] = (
            "Temporal does not answer. Try again in a while; what was under way is to be seen at the schedule."
        )
