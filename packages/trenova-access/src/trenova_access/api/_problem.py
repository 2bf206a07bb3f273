"""Problem details of RFC 9457, the same for every route of every API."""

from typing import Final

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

MEDIA_TYPE: Final = "application/problem+json"


class _Document(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        hide_input_in_errors=True,
    )


class FieldProblem(_Document):
    """What is wrong with one part of a request.

    Attributes:
        pointer: Where: ``body``, ``query``, ``path`` or ``header``, and names with slashes between.
        detail: What.
    """

    pointer: str
    detail: str


class ProblemDocument(_Document):
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
    """Return the id of a request, as :class:`trenova_access.api.Answers` left it."""
    return getattr(request.state, "request_id", None)
