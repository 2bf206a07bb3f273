"""When an activity that failed is tried again: by the failure, the policy, the attempts so far and the budget."""

from dataclasses import replace
from datetime import timedelta

import temporalio.exceptions
from temporalio import activity

from trenova_errors._attempts import Attempt, after
from trenova_errors._base import ApplicationError
from trenova_errors._budget import RetryBudget
from trenova_errors._classification import UNCLASSIFIED
from trenova_errors._dependency import dependency_of
from trenova_errors._escaped import Escaped
from trenova_errors._failure_log import logger
from trenova_errors._kinds import ErrorKind
from trenova_errors._restored import make
from trenova_errors._settings import Settings


def bounded(escaped: Escaped, most: int | None) -> Escaped:
    """End the retries of what nobody has decided about, at the attempt of this number; None leaves them be."""
    attempt, error = activity.info().attempt, escaped.error
    if most is None or attempt < most or not isinstance(error, ApplicationError):
        return escaped
    ended = make(
        ErrorKind.NON_RETRYABLE,
        UNCLASSIFIED,
        f"{error.message} It has failed {attempt} times; register a rule that says what it means.",
        facts=error.facts,
    )
    ended.__cause__ = error.__cause__
    summary = replace(escaped.summary, kind=ended.kind.value, retryable=False)
    return replace(escaped, error=ended, summary=summary)


def planned(escaped: Escaped, raised: BaseException, settings: Settings) -> Attempt:
    """Return what comes after this attempt, having taken it from the budget.

    Args:
        escaped: The decision; its error asks the server for the delay where the budget stretches it.
        raised: What the activity raised, for ``settings.dependency``.
        settings: Of the plugin.
    """
    error = escaped.error
    asked = error.next_retry_delay if isinstance(error, temporalio.exceptions.ApplicationError) else None
    kind = escaped.summary.error_type or escaped.summary.kind
    info = activity.info()
    attempt = after(info, retryable=escaped.retryable, error_type=kind, asked=asked)
    if attempt.delay is None or settings.budget is None or not isinstance(error, ApplicationError):
        return attempt
    named = settings.dependency(raised) if settings.dependency is not None else None
    delay = _paid(
        settings.budget, named or dependency_of(escaped.found, info.activity_type), error.kind, attempt, attempt.delay
    )
    if delay == attempt.delay:
        return attempt
    error.wait(delay)
    return replace(attempt, delay=delay)


def _paid(budget: RetryBudget, dependency: str, kind: ErrorKind, attempt: Attempt, delay: timedelta) -> timedelta:
    info = activity.info()
    verdict = budget.take(dependency, kind, activity_type=info.activity_type)
    if verdict.granted:
        return delay
    if verdict.just_spent:
        logger.warning(
            "Retry budget of %s is spent: retries wait longer until it answers again",
            dependency,
            extra={"dependency": dependency, "error_kind": kind.value, "task_queue": info.task_queue},
        )
    stretched = budget.stretched(delay)
    return stretched if attempt.remaining is None else max(delay, min(stretched, attempt.remaining))
