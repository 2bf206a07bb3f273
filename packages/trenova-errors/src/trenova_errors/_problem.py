"""An error as an HTTP API says it: problem details of RFC 9457."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, NotRequired, TypedDict

import temporalio.exceptions
from temporalio.exceptions import is_cancelled_exception

from trenova_errors._base import ApplicationError, Fact
from trenova_errors._classification import ADVICE
from trenova_errors._classify import classify
from trenova_errors._evidence import chain_of
from trenova_errors._from_failure import WORDS, from_failure, innermost
from trenova_errors._kinds import ErrorKind
from trenova_errors._restored import make
from trenova_errors._rules import RuleSet

# Where codes come from that say with what a service is built.
_INSIDE: Final = frozenset(
    {"aws", "errno", "getaddrinfo", "grpc", "http", "smtp", "sqlalchemy", "sqlite", "sqlstate", "type"}
)
_VALIDATION: Final = frozenset({"pydantic_core.ValidationError", "pydantic_core._pydantic_core.ValidationError"})
MEDIA_TYPE: Final = "application/problem+json"


class ProblemDetails(TypedDict):
    """The members of RFC 9457, section 3.1, and of ours: ``kind``, ``code``, ``retryable`` and ``facts``."""

    type: str
    title: str
    status: int
    detail: str
    instance: NotRequired[str]
    kind: str
    code: str
    retryable: bool
    facts: NotRequired[dict[str, Fact]]


@dataclass(frozen=True)
class Problem:
    """An HTTP answer: its status, its headers and its JSON body.

    Args:
        status: 400 to 599.
        headers: ``Content-Type``, and ``Retry-After`` in whole seconds where a delay is known.
        body: For ``json.dumps``.
    """

    status: int
    headers: dict[str, str]
    body: ProblemDetails


def to_problem(
    error: BaseException,
    *,
    instance: str | None = None,
    facts: Collection[str] = (),
    docs: str = "",
    rules: RuleSet | None = None,
) -> Problem:
    """Return the answer that an HTTP API gives for this failure.

    The error's own message becomes ``detail`` only where the one who asked can put it right and a person wrote it
    for them; of input that does not validate, ``detail`` is the list of fields. Everything else is said in constant
    words, so that an API tells the public nothing about the inside. For the same reason facts are left out unless
    they are named, and ``code`` is the kind where it would be the code of a library or a system.

    What was cancelled is 409. What is too large is 413 where this process refused it; where a run or an activity has
    failed with it, it need not be what the caller sent, and is 500.

    Args:
        error: Anything; failures of Temporal are unwrapped as :func:`from_failure` does.
        instance: A URI reference of this occurrence, e.g. the path that was asked for.
        facts: The names of the facts that may leave the house.
        docs: What the runbook's reference is resolved against, e.g. ``https://docs.example.com/``; without it
            ``type`` is a relative reference.
        rules: As for ``classify``.
    """
    typed = _public(error, rules)
    found = classify(typed, rules=rules)
    status = _status(typed, error, found.http_status)
    body = ProblemDetails(
        type=f"{docs}{found.runbook}",
        title=_title(typed, status),
        status=status,
        detail=_detail(typed, error),
        kind=typed.kind.value,
        code=typed.kind.value if typed.code.partition(".")[0] in _INSIDE else typed.code,
        retryable=not typed.non_retryable,
    )
    if instance is not None:
        body["instance"] = instance
    if shown := {name: typed.facts[name] for name in facts if name in typed.facts}:
        body["facts"] = shown
    return Problem(status, _headers(typed), body)


def _public(error: BaseException, rules: RuleSet | None) -> ApplicationError:
    typed = from_failure(error, rules=rules)
    if not is_cancelled_exception(innermost(error)):
        return typed
    return make(ErrorKind.CONFLICT, "cancelled", "It was cancelled before it had finished.")


def _status(typed: ApplicationError, error: BaseException, status: int) -> int:
    if typed.kind is ErrorKind.PAYLOAD_TOO_LARGE and innermost(error) is not error:
        return int(HTTPStatus.INTERNAL_SERVER_ERROR)
    return status


def _detail(typed: ApplicationError, error: BaseException) -> str:
    constant = f"{ADVICE[typed.kind][0].upper()}{ADVICE[typed.kind][1:]}."
    if not typed.kind.caused_by_user:
        return constant
    if (problems := _field_problems(typed)) is not None:
        return problems
    wrapped = innermost(error)
    written = isinstance(wrapped, temporalio.exceptions.ApplicationError) and "exception" not in typed.facts
    return typed.message if written or typed.message in WORDS or typed.code == "cancelled" else constant


def _field_problems(typed: ApplicationError) -> str | None:
    """Return what pydantic said, here or on the other side, where that is what was decided about."""
    if typed.facts.get("exception") not in _VALIDATION:
        return None
    from trenova_errors._validation import VALIDATION_ERRORS, describe  # imports pydantic, if it is installed

    for link in chain_of(typed):
        if isinstance(link, VALIDATION_ERRORS):
            return describe(link)
        if isinstance(link, temporalio.exceptions.ApplicationError) and link.type == "ValidationError":
            return link.message
    return None


def _title(error: ApplicationError, status: int) -> str:
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
    return f"{phrase}: {error.kind.value.replace('_', ' ')}"


def _headers(error: ApplicationError) -> dict[str, str]:
    headers = {"Content-Type": MEDIA_TYPE}
    if error.next_retry_delay is not None and not error.non_retryable:
        headers["Retry-After"] = str(max(1, math.ceil(error.next_retry_delay.total_seconds())))
    return headers
