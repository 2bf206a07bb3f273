"""How long the activities of the jobs may take, and how often they are tried.

A retry waits at least a second, because the server rounds shorter delays up. What is permanent is
listed for the server, although our own errors carry the flag too: a worker in another language may not.
"""

from datetime import timedelta
from typing import Final, NotRequired, TypedDict

from temporalio import workflow
from temporalio.common import RetryPolicy

from trenova_errors import PERMANENT_KINDS


class ActivityLimits(TypedDict):
    """The arguments of ``workflow.execute_activity`` that depend on the kind of work alone."""

    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    retry_policy: RetryPolicy
    heartbeat_timeout: NotRequired[timedelta]
    cancellation_type: NotRequired[workflow.ActivityCancellationType]


_RETRY: Final = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=1),
    non_retryable_error_types=list(PERMANENT_KINDS),
)

TRANSACTION: Final = ActivityLimits(
    start_to_close_timeout=timedelta(minutes=2),
    heartbeat_timeout=timedelta(seconds=10),
    schedule_to_close_timeout=timedelta(hours=24),
    retry_policy=_RETRY,
    cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)
"""One transaction that somebody waits for: two minutes of work, found dead after ten seconds of silence,
given up after a day. A cancellation waits for the transaction's end, so that its outcome is known."""

NOTIFICATION: Final = ActivityLimits(
    start_to_close_timeout=timedelta(seconds=30),
    schedule_to_close_timeout=timedelta(hours=24),
    retry_policy=_RETRY,
)
"""One message: half a minute, given up after a day, when it is no news any more."""

INSPECTION: Final = ActivityLimits(
    start_to_close_timeout=timedelta(seconds=60),
    schedule_to_close_timeout=timedelta(minutes=5),
    retry_policy=_RETRY,
)
"""A look that changes nothing and that somebody waits for."""

NIGHTLY: Final = ActivityLimits(
    start_to_close_timeout=timedelta(minutes=10),
    heartbeat_timeout=timedelta(seconds=10),
    schedule_to_close_timeout=timedelta(hours=24),
    retry_policy=_RETRY,
    cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)
"""One call of a nightly job: it stops by itself after some twenty seconds, except that a batch which meets locks
is tried again in place. A worker that died is found after ten seconds of silence."""

LAST_WORDS: Final = ActivityLimits(
    start_to_close_timeout=timedelta(seconds=20),
    schedule_to_close_timeout=timedelta(minutes=1),
    retry_policy=RetryPolicy(maximum_attempts=3, non_retryable_error_types=list(PERMANENT_KINDS)),
)
"""Finding out whom to tell of a failure, most likely while the database that knows it is gone."""
