"""How long each kind of work may take and how it is tried again, as data.

Delays are whole seconds: the server rounds fractions of a second up, so a policy of 50 ms would only look
faster than it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final, NotRequired, TypedDict

from temporalio.common import RetryPolicy

from trenova_errors._kinds import PERMANENT_KINDS
from trenova_errors._types import ConfigurationError

_LEAST_DELAY: Final = timedelta(seconds=1)
_TIMED_OUT: Final = ("TemporalTimeout:StartToClose", "TemporalTimeout:Heartbeat")
"""How the server names its time-outs where it looks into ``non_retryable_error_types``."""


class ActivityOptions(TypedDict):
    """The arguments of ``workflow.execute_activity`` that a policy decides."""

    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    retry_policy: RetryPolicy
    heartbeat_timeout: NotRequired[timedelta]


@dataclass(frozen=True, kw_only=True)
class ActivityPolicy:
    """Limits and retries of one kind of work.

    Args:
        start_to_close: What one attempt may take.
        schedule_to_close: What all attempts and the waiting between them may take together.
        heartbeat: The longest silence of an attempt; None where the work does not heartbeat.
        first_delay: Before the second attempt; at least a second.
        coefficient: What each further delay is multiplied by; at least 1.
        longest_delay: Where the delays stop growing.
        maximum_attempts: 0 for no other limit than ``schedule_to_close``.
        retry_timed_out: Whether the server tries again after START_TO_CLOSE or a missed heartbeat, when nobody knows
            how far the attempt came. False for what must not be done twice.

    Raises:
        ConfigurationError: A value is out of its range.
    """

    start_to_close: timedelta
    schedule_to_close: timedelta
    heartbeat: timedelta | None = None
    first_delay: timedelta = _LEAST_DELAY
    coefficient: float = 2.0
    longest_delay: timedelta = timedelta(minutes=1)
    maximum_attempts: int = 0
    retry_timed_out: bool = True

    def __post_init__(self) -> None:
        problems = {
            "first_delay is below 1 s, to which the server rounds it up": self.first_delay < _LEAST_DELAY,
            "longest_delay is shorter than first_delay": self.longest_delay < self.first_delay,
            "coefficient is below 1": self.coefficient < 1,
            "maximum_attempts is negative": self.maximum_attempts < 0,
            "start_to_close is not above 0": self.start_to_close <= timedelta(0),
            "schedule_to_close is shorter than start_to_close": self.schedule_to_close < self.start_to_close,
            "heartbeat is not above 0": self.heartbeat is not None and self.heartbeat <= timedelta(0),
        }
        found = [problem for problem, there in problems.items() if there]
        if found:
            raise ConfigurationError(f"ActivityPolicy cannot be used: {'; '.join(found)}. Correct these values.")

    @property
    def non_retryable_types(self) -> list[str]:
        """What the server does not retry: the permanent kinds and, if so decided, its own time-outs."""
        return [*PERMANENT_KINDS, *(() if self.retry_timed_out else _TIMED_OUT)]

    def retry_policy(self) -> RetryPolicy:
        """Return a new object for the SDK; it lists the permanent kinds for callers and workers in other languages."""
        return RetryPolicy(
            initial_interval=self.first_delay,
            backoff_coefficient=self.coefficient,
            maximum_interval=self.longest_delay,
            maximum_attempts=self.maximum_attempts,
            non_retryable_error_types=self.non_retryable_types,
        )

    def options(self) -> ActivityOptions:
        """Return arguments for ``workflow.execute_activity(..., **policy.options())``."""
        options = ActivityOptions(
            start_to_close_timeout=self.start_to_close,
            schedule_to_close_timeout=self.schedule_to_close,
            retry_policy=self.retry_policy(),
        )
        if self.heartbeat is not None:
            options["heartbeat_timeout"] = self.heartbeat
        return options

    def as_data(self) -> Mapping[str, Any]:
        """Return the policy for JSON, durations in seconds, under the names of Temporal's API."""
        return {
            "startToCloseTimeout": self.start_to_close.total_seconds(),
            "scheduleToCloseTimeout": self.schedule_to_close.total_seconds(),
            "heartbeatTimeout": None if self.heartbeat is None else self.heartbeat.total_seconds(),
            "retryPolicy": {
                "initialInterval": self.first_delay.total_seconds(),
                "backoffCoefficient": self.coefficient,
                "maximumInterval": self.longest_delay.total_seconds(),
                "maximumAttempts": self.maximum_attempts,
                "nonRetryableErrorTypes": self.non_retryable_types,
            },
        }


DATABASE_POLICY: Final = ActivityPolicy(
    start_to_close=timedelta(minutes=2), schedule_to_close=timedelta(hours=24), heartbeat=timedelta(seconds=10)
)
"""One transaction: two minutes of work, found dead after ten seconds of silence, given up after a day."""

HTTP_CALL_POLICY: Final = ActivityPolicy(
    start_to_close=timedelta(seconds=30), schedule_to_close=timedelta(hours=1), longest_delay=timedelta(minutes=2)
)
"""One request to a service of others, which has an hour to come back.

The server retries after START_TO_CLOSE, whatever kind ``ambiguous`` says: a request that must not be sent twice needs
``dataclasses.replace(HTTP_CALL_POLICY, retry_timed_out=False)`` or an idempotency key, and a client whose time-out is
below these 30 seconds.
"""

BULK_JOB_POLICY: Final = ActivityPolicy(
    start_to_close=timedelta(minutes=10), schedule_to_close=timedelta(hours=24), heartbeat=timedelta(seconds=10)
)
"""Many batches in one call, which heartbeats between them."""

NOTIFICATION_POLICY: Final = ActivityPolicy(start_to_close=timedelta(seconds=30), schedule_to_close=timedelta(hours=24))
"""One message: half a minute, given up after a day, when it is no news any more."""

POLICIES: Final[Mapping[str, ActivityPolicy]] = MappingProxyType(
    {
        "database": DATABASE_POLICY,
        "http_call": HTTP_CALL_POLICY,
        "bulk_job": BULK_JOB_POLICY,
        "notification": NOTIFICATION_POLICY,
    }
)
"""The policies by the name of the kind of work."""
