"""How long the activities of the jobs may take, and how often they are tried.

A retry waits at least a second, because the server rounds shorter delays up. What is permanent is
listed for the server, although our own errors carry the flag too: a worker in another language may not.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final, NotRequired

from temporalio import workflow

from trenova_activities._names import (
    BURY_DELIVERY_ACTIVITY,
    CANCEL_SHIPMENTS_ACTIVITY,
    CHECK_DATABASE_ACTIVITY,
    CONFIGURATION_COPIED_ACTIVITY,
    DELETE_AUDIT_ENTRIES_ACTIVITY,
    DUPLICATE_SHIPMENT_ACTIVITY,
    EMAIL_DELIVERY_ACTIVITY,
    JOB_NOTIFICATION_ACTIVITY,
    REDIS_DELIVERY_ACTIVITY,
    REOPEN_DELIVERY_ACTIVITY,
    TRANSFER_CANCEL_ACTIVITY,
    TRANSFER_COPY_ACTIVITY,
    TRANSFER_RELEASE_ACTIVITY,
    TRANSFER_RESERVE_ACTIVITY,
    TRANSFER_RESTORE_ACTIVITY,
    TRANSFER_VERIFY_ACTIVITY,
    TRANSFER_WITHDRAW_ACTIVITY,
    WEBHOOK_DELIVERY_ACTIVITY,
)
from trenova_errors import BULK_JOB_POLICY, DATABASE_POLICY, NOTIFICATION_POLICY, ActivityOptions, ActivityPolicy


class ActivityLimits(ActivityOptions):
    """The arguments of ``workflow.execute_activity`` that depend on the kind of work alone."""

    cancellation_type: NotRequired[workflow.ActivityCancellationType]


TRANSACTION: Final = ActivityLimits(
    **DATABASE_POLICY.options(),
    cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)
"""One transaction that somebody waits for: two minutes of work, found dead after ten seconds of silence,
given up after a day. A cancellation waits for the transaction's end, so that its outcome is known."""

_NOTIFICATION: Final = replace(NOTIFICATION_POLICY, heartbeat=timedelta(seconds=10))
NOTIFICATION: Final = _NOTIFICATION.options()
"""One message: half a minute, found dead after ten seconds of silence, given up after a day, when it is no news any
more."""

_ATTEMPT: Final = timedelta(seconds=45)
"""A turn (10 s), an attempt (20 s, the most that a channel may be told) and two transactions."""

_SILENCE: Final = timedelta(seconds=20)
"""Of an attempt to deliver. Longer than elsewhere: who is found dead too early has its message sent twice."""

DELIVERIES: Final[Mapping[str, ActivityPolicy]] = MappingProxyType(
    {
        "email": ActivityPolicy(
            start_to_close=_ATTEMPT,
            schedule_to_close=timedelta(hours=24),
            heartbeat=_SILENCE,
            longest_delay=timedelta(minutes=15),
        ),
        "webhook": ActivityPolicy(
            start_to_close=_ATTEMPT,
            schedule_to_close=timedelta(hours=24),
            heartbeat=_SILENCE,
            longest_delay=timedelta(minutes=15),
        ),
        "redis": ActivityPolicy(start_to_close=_ATTEMPT, schedule_to_close=timedelta(hours=6), heartbeat=_SILENCE),
    }
)
"""By channel; how many attempts there are is the channel's setting. A stream is read by programs that want it soon."""

RECORD: Final = _NOTIFICATION.options()
"""A short transaction about a delivery that nobody waits for."""

INSPECTION: Final = ActivityPolicy(
    start_to_close=timedelta(seconds=60), schedule_to_close=timedelta(minutes=5), heartbeat=timedelta(seconds=10)
).options()
"""A look that changes nothing and that somebody waits for."""

NIGHTLY: Final = ActivityLimits(
    **BULK_JOB_POLICY.options(),
    cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)
"""One call of a nightly job: it stops by itself after some twenty seconds, except that a batch which meets locks
is tried again in place. A worker that died is found after ten seconds of silence."""

LAST_WORDS: Final = ActivityPolicy(
    start_to_close=timedelta(seconds=20),
    schedule_to_close=timedelta(minutes=1),
    heartbeat=timedelta(seconds=10),
    maximum_attempts=3,
).options()
"""Finding out whom to tell of a failure, most likely while the database that knows it is gone."""

LAST_WORDS_WAIT: Final = timedelta(seconds=10)
"""How long a run that asked for its own cancellation waits for it."""

_OF_ACTIVITY: Final[Mapping[str, ActivityOptions]] = MappingProxyType(
    {
        BURY_DELIVERY_ACTIVITY: RECORD,
        CANCEL_SHIPMENTS_ACTIVITY: NIGHTLY,
        CHECK_DATABASE_ACTIVITY: INSPECTION,
        CONFIGURATION_COPIED_ACTIVITY: NOTIFICATION,
        DELETE_AUDIT_ENTRIES_ACTIVITY: NIGHTLY,
        DUPLICATE_SHIPMENT_ACTIVITY: TRANSACTION,
        EMAIL_DELIVERY_ACTIVITY: DELIVERIES["email"].options(),
        JOB_NOTIFICATION_ACTIVITY: NOTIFICATION,
        TRANSFER_CANCEL_ACTIVITY: TRANSACTION,
        TRANSFER_COPY_ACTIVITY: TRANSACTION,
        TRANSFER_RELEASE_ACTIVITY: TRANSACTION,
        TRANSFER_RESERVE_ACTIVITY: TRANSACTION,
        TRANSFER_RESTORE_ACTIVITY: TRANSACTION,
        TRANSFER_VERIFY_ACTIVITY: TRANSACTION,
        TRANSFER_WITHDRAW_ACTIVITY: TRANSACTION,
        REDIS_DELIVERY_ACTIVITY: DELIVERIES["redis"].options(),
        REOPEN_DELIVERY_ACTIVITY: RECORD,
        WEBHOOK_DELIVERY_ACTIVITY: DELIVERIES["webhook"].options(),
    }
)


def longest_attempt(*activities: str) -> timedelta:
    """Return the longest that one attempt of these activities may take (start-to-close), by their wire names."""
    return max(_OF_ACTIVITY[name]["start_to_close_timeout"] for name in activities)


def shortest_heartbeat(*activities: str) -> timedelta | None:
    """Return the shortest heartbeat timeout of these activities, by their wire names; None where none has one."""
    timeouts = [_OF_ACTIVITY[name].get("heartbeat_timeout") for name in activities]
    return min((timeout for timeout in timeouts if timeout is not None), default=None)
