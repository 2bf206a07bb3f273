"""For code that catches a failure itself: the same decision as an error of ours, and the same log line."""

import logging
from collections.abc import Mapping
from typing import Any

from trenova_errors._base import ApplicationError, Fact
from trenova_errors._classification import Classification
from trenova_errors._classify import classify
from trenova_errors._failure_log import summary_of, write
from trenova_errors._restored import make
from trenova_errors._rules import RuleSet


def to_error(found: Classification, message: str, /, **facts: Fact) -> ApplicationError:
    """Return the error of a decision, in words of the one who knows what was tried.

    Its class is that of the kind; the code, the delay and whether an unknown outcome may be tried again are those of
    the decision::

        found = classify(error)
        raise to_error(found, f"The carrier did not take the offer. {found.reason}", scac=scac) from error

    Args:
        found: What :func:`classify` returned.
        message: As for any error of this package; ``found.reason`` may be part of it.
        facts: As for any error of this package.
    """
    return make(
        found.kind,
        found.code,
        message,
        retry_after=found.retry_after,
        facts=facts,
        idempotent=found.retryable,
    )


def log_failure(
    event: str,
    error: BaseException,
    context: Mapping[str, Any] | None = None,
    *,
    level: int = logging.ERROR,
    rules: RuleSet | None = None,
) -> None:
    """Write the line that ``ErrorsPlugin`` would write, for a failure that goes no further.

    The logger is ``trenova_errors``; the line holds kind, code, reason, names of types and places in code, and no
    message, fact or cause of the exception.

    Args:
        event: What failed, in constant words.
        error: What was caught.
        context: Keys of the line: ``organization_id``, ``workflow_id`` and so on. Names that ``logging`` keeps for
            itself (``name``, ``module``, ``message``) get the prefix ``context_``.
        level: Of ``logging``.
        rules: As for :func:`classify`.
    """
    write(level, event, error, summary_of(classify(error, rules=rules)), context or {})
