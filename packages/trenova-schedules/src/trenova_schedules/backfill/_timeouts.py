"""How long the activities of a backfill may take, and how often they are tried."""

from datetime import timedelta
from typing import Final, NotRequired

from temporalio import workflow

from trenova_errors import BULK_JOB_POLICY, ActivityOptions, ActivityPolicy


class ActivityLimits(ActivityOptions):
    """The arguments of ``workflow.execute_activity`` that depend on the kind of work alone."""

    cancellation_type: NotRequired[workflow.ActivityCancellationType]


CALL: Final = ActivityLimits(
    **BULK_JOB_POLICY.options(),
    cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)
"""One call, which stops by itself after some ten seconds; a worker that died is found by its silence."""

LAST_WORDS: Final = ActivityPolicy(
    start_to_close=timedelta(minutes=5),
    schedule_to_close=timedelta(hours=1),
    heartbeat=timedelta(seconds=20),
).options()
"""Ending the runs that were started, and the backfill itself."""

LAST_WORDS_WAIT: Final = timedelta(seconds=10)
"""How long a backfill that asked for its own cancellation waits for it."""
