"""What is known about a failure, as one record that retry, logs, metrics, HTTP and runbooks are fed from."""

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from temporalio.exceptions import ApplicationErrorCategory

from trenova_errors._kinds import ErrorKind

UNCLASSIFIED: Final = "unclassified"
"""The code of an exception that nobody has decided about; it is retried, bounded and counted."""

HTTP_STATUS: Final = {
    ErrorKind.RETRYABLE: 503,
    ErrorKind.NON_RETRYABLE: 500,
    ErrorKind.THROTTLE: 429,
    ErrorKind.INVALID_INPUT: 400,
    ErrorKind.RESOURCE_NOT_FOUND: 404,
    ErrorKind.PERMISSION_DENIED: 403,
    ErrorKind.DATA_INTEGRITY: 500,
    ErrorKind.CONFLICT: 409,
    ErrorKind.AMBIGUOUS: 504,
    ErrorKind.UNAVAILABLE: 503,
    ErrorKind.CONFIGURATION: 500,
    ErrorKind.PAYLOAD_TOO_LARGE: 413,
}
"""What our own HTTP servers answer for each kind (RFC 9110, section 15)."""

ADVICE: Final = {
    ErrorKind.RETRYABLE: "the same request may succeed later",
    ErrorKind.NON_RETRYABLE: "it would fail every time",
    ErrorKind.THROTTLE: "the other side asks for fewer requests",
    ErrorKind.INVALID_INPUT: "only the one who asked can put it right",
    ErrorKind.RESOURCE_NOT_FOUND: "what was asked for is not there",
    ErrorKind.PERMISSION_DENIED: "the one who asks may not do this",
    ErrorKind.DATA_INTEGRITY: "a retry meets the same data",
    ErrorKind.CONFLICT: "it contradicts what has been done already",
    ErrorKind.AMBIGUOUS: "it may have taken effect; look before doing it again",
    ErrorKind.UNAVAILABLE: "what the work depends on cannot be reached or is not there yet",
    ErrorKind.CONFIGURATION: "an operator has to change a setting",
    ErrorKind.PAYLOAD_TOO_LARGE: "it is larger than what is accepted",
}
"""Why a kind is retried or not, as the second half of a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """One decision about one failure; no field holds the exception's own message.

    Attributes:
        kind: The closed wire string.
        code: The finer one, e.g. ``sqlstate.40P01``, or that of an ``ApplicationError``.
        retryable: Whether another attempt can help.
        retry_after: The least delay before it, if the other side named one; bounded and spread.
        category: ``BENIGN`` where the one who asked can put it right.
        log_level: Of ``logging``: INFO for benign ones, WARNING for retryable ones, ERROR for the rest, DEBUG
            for what is no failure.
        http_status: What an HTTP server of ours answers.
        runbook: Where to read what to do: a section of the documentation, ``error-decisions#unavailable``.
        reason: Why, in one sentence made of names and codes only.
        source: What decided, e.g. ``SQLSTATE 40P01``, ``HTTP 429``, ``errno ECONNRESET``, ``rule quota``.
        failure: False for cancellation and continue-as-new, which are no errors.
        exception: The one of the chain that decided; not shown.
    """

    kind: ErrorKind
    code: str
    retryable: bool
    retry_after: timedelta | None
    category: ApplicationErrorCategory
    log_level: int
    http_status: int
    runbook: str
    reason: str
    source: str
    failure: bool = True
    exception: BaseException | None = field(default=None, repr=False, compare=False)

    @property
    def benign(self) -> bool:
        """Whether the one who asked can put it right, so that nobody else has to be woken."""
        return self.category is ApplicationErrorCategory.BENIGN

    @property
    def unclassified(self) -> bool:
        """Whether nobody has decided about this exception yet."""
        return self.code == UNCLASSIFIED


def classification(
    kind: ErrorKind,
    *,
    code: str,
    subject: str,
    source: str,
    retryable: bool | None = None,
    retry_after: timedelta | None = None,
    failure: bool = True,
    exception: BaseException | None = None,
) -> Classification:
    """Complete a decision with what follows from its kind.

    Args:
        kind: The kind.
        code: See :class:`Classification`.
        subject: What was met, as the first half of the reason.
        source: See :class:`Classification`.
        retryable: Where the kind alone does not say: for ``ambiguous``, and where a failure's own flag rules.
        retry_after: See :class:`Classification`.
        failure: See :class:`Classification`.
        exception: See :class:`Classification`.
    """
    again = not (kind.permanent or kind is ErrorKind.AMBIGUOUS) if retryable is None else retryable
    benign = kind.caused_by_user or not failure
    return Classification(
        kind=kind,
        code=code,
        retryable=again,
        retry_after=retry_after if again else None,
        category=ApplicationErrorCategory.BENIGN if benign else ApplicationErrorCategory.UNSPECIFIED,
        log_level=_level(failure=failure, benign=benign, retryable=again),
        http_status=HTTP_STATUS[kind],
        runbook=f"error-decisions#{kind.value}",
        reason=f"{subject}: {ADVICE[kind]}." if failure else f"{subject}.",
        source=source,
        failure=failure,
        exception=exception,
    )


def _level(*, failure: bool, benign: bool, retryable: bool) -> int:
    if not failure:
        return logging.DEBUG
    if benign:
        return logging.INFO
    return logging.WARNING if retryable else logging.ERROR
