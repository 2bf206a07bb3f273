"""Whether an activity that failed is tried again, and when, by the rules of the server."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.activity import Info
from temporalio.common import RetryPolicy

# What the server does where no retry policy came with the task: temporal/common/retrypolicy defaults.
_DEFAULTS: Final = RetryPolicy()
_GROWTH_OF_LONGEST: Final = 100
_LEAST_DELAY: Final = timedelta(seconds=1)
_MILESTONE_BASE: Final = 10


@dataclass(frozen=True)
class Attempt:
    """What comes after this attempt.

    Args:
        number: Of this attempt, from 1.
        delay: Until the next one; None where there is none.
        remaining: Until no further attempt may start; None where nothing limits that.
    """

    number: int
    delay: timedelta | None
    remaining: timedelta | None

    @property
    def final(self) -> bool:
        """Whether there is no further attempt."""
        return self.delay is None

    @property
    def milestone(self) -> bool:
        """Whether it is the 1st, 10th, 100th, 1000th and so on."""
        return is_milestone(self.number)


def is_milestone(number: int) -> bool:
    """Whether it is 1, 10, 100, 1000 and so on."""
    while number and number % _MILESTONE_BASE == 0:
        number //= _MILESTONE_BASE
    return number == 1


def after(
    info: Info, *, retryable: bool, error_type: str | None, asked: timedelta | None, now: datetime | None = None
) -> Attempt:
    """Decide as the server will.

    Args:
        info: Of the attempt that failed.
        retryable: Whether the failure itself may be retried.
        error_type: The failure's type, which the policy may list as not retryable.
        asked: The delay that the failure asks for, in place of the policy's.
        now: The time, for tests.
    """
    policy = info.retry_policy or _DEFAULTS
    remaining = _remaining(info, now or datetime.now(UTC))
    last = bool(policy.maximum_attempts) and info.attempt >= policy.maximum_attempts
    if not retryable or last or error_type in (policy.non_retryable_error_types or ()):
        return Attempt(info.attempt, None, remaining)
    delay = backoff(policy, info.attempt) if asked is None else asked
    if remaining is not None and delay > remaining:
        return Attempt(info.attempt, None, remaining)
    return Attempt(info.attempt, delay, remaining)


def backoff(policy: RetryPolicy, attempt: int) -> timedelta:
    """Return the policy's delay after this attempt; the server makes at least a second of it."""
    longest = policy.maximum_interval or policy.initial_interval * _GROWTH_OF_LONGEST
    try:
        delay = policy.initial_interval * policy.backoff_coefficient ** (attempt - 1)
    except OverflowError:
        delay = longest
    return max(_LEAST_DELAY, min(delay, longest))


def _remaining(info: Info, now: datetime) -> timedelta | None:
    if info.schedule_to_close_timeout is None:
        return None
    return info.scheduled_time + info.schedule_to_close_timeout - now
