"""From problem details (RFC 9457) to the errors of our own kinds."""

from datetime import timedelta
from typing import Any, Final

import httpx

from trenova_errors import (
    ApplicationError,
    ConflictError,
    ErrorKind,
    InvalidInputError,
    PayloadTooLargeError,
    PermissionDeniedError,
    ResourceNotFoundError,
    RetryableError,
    ThrottledError,
    UnavailableError,
)

_LONGEST: Final = 2000
_BY_KIND: Final[dict[str, type[ApplicationError]]] = {
    ErrorKind.CONFLICT: ConflictError,
    ErrorKind.INVALID_INPUT: InvalidInputError,
    ErrorKind.PAYLOAD_TOO_LARGE: PayloadTooLargeError,
    ErrorKind.RESOURCE_NOT_FOUND: ResourceNotFoundError,
    ErrorKind.RETRYABLE: RetryableError,
    ErrorKind.THROTTLE: ThrottledError,
    ErrorKind.UNAVAILABLE: UnavailableError,
}


def refusal(answer: httpx.Response) -> ApplicationError:
    """Return what an answer that is no success says, as one of our errors."""
    told = _problem(answer)
    detail = str(told.get("detail", ""))[:_LONGEST]
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        return PermissionDeniedError(
            f"The pool manager does not know the token of this program. {detail} Give it a token of the manager's "
            "`server.access.api_tokens`."
        )
    if answer.status_code == httpx.codes.FORBIDDEN:
        return PermissionDeniedError(f"The pool manager does not let this program do that. {detail}")
    if told.get("code") == "http.404":
        return UnavailableError(
            f"The pool manager does not know {answer.request.url.path!r}: it is of another version than this program. "
            "Bring both to the same version."
        )
    if not detail:
        return UnavailableError(
            f"The pool manager answered with status {answer.status_code} and did not say why. Look into its log, and "
            "whether its address is the one that is set here."
        )
    kind = _BY_KIND.get(str(told.get("kind")), UnavailableError)
    return kind(detail, retry_after=_retry_after(answer))


def _problem(answer: httpx.Response) -> dict[str, Any]:
    if "problem+json" not in answer.headers.get("content-type", ""):
        return {}
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _retry_after(answer: httpx.Response) -> timedelta | None:
    told = answer.headers.get("retry-after", "")
    return timedelta(seconds=min(int(told), 3600)) if told.isdecimal() else None
