"""An error as an HTTP API says it: problem details of RFC 9457."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, NotRequired, TypedDict

from trenova_errors._base import ApplicationError, Fact
from trenova_errors._classify import classify
from trenova_errors._from_failure import from_failure

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
    error: BaseException, *, instance: str | None = None, facts: Collection[str] = (), rules: Any = None
) -> Problem:
    """Return the answer that an HTTP API gives for this failure.

    The error's own message becomes ``detail`` only where the one who asked can put it right, since it was
    written for them; everything else is said in constant words, so that an API tells the public nothing about the
    inside. For the same reason facts are left out unless they are named.

    Args:
        error: Anything; failures of Temporal are unwrapped as :func:`from_failure` does.
        instance: A URI reference of this occurrence, e.g. the path that was asked for.
        facts: The names of the facts that may leave the house.
        rules: As for ``classify``.
    """
    typed = from_failure(error, rules=rules)
    found = classify(typed, rules=rules)
    status = found.http_status
    body = ProblemDetails(
        type=found.runbook or "about:blank",
        title=_title(typed, status),
        status=status,
        detail=typed.message if typed.kind.caused_by_user else found.reason,
        kind=typed.kind.value,
        code=typed.code,
        retryable=not typed.non_retryable,
    )
    if instance is not None:
        body["instance"] = instance
    if shown := {name: typed.facts[name] for name in facts if name in typed.facts}:
        body["facts"] = shown
    return Problem(status, _headers(typed), body)


def _title(error: ApplicationError, status: int) -> str:
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
    return f"{phrase}: {error.kind.value.replace('_', ' ')}"


def _headers(error: ApplicationError) -> dict[str, str]:
    headers = {"Content-Type": MEDIA_TYPE}
    if error.next_retry_delay is not None and not error.non_retryable:
        headers["Retry-After"] = str(max(1, math.ceil(error.next_retry_delay.total_seconds())))
    return headers
