"""Expected times of a schedule that exists, as its server counts them.

``ListScheduleMatchingTimes`` answers with at most 1,000 times after an instant, without saying that there are more.
It steps from one time to the next, so that going on after the last one is exactly what it would have done itself;
beginning elsewhere is not, when the clocks are being put back (see :func:`clear_of_folds`). Where a zone leaves out
a whole date, it answers with times that run in a circle.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.schedule.v1 import ScheduleSpec
from temporalio.api.workflowservice.v1 import DescribeScheduleRequest, ListScheduleMatchingTimesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ResourceNotFoundError
from trenova_schedules._previewing._limits import require_window, too_many
from trenova_schedules._previewing._zones import clear_of_folds, offset_changes, zone_of

DEFAULT_LIMIT = 100_000
"""How many times are listed unless a caller says otherwise; a hundred calls, about a second."""
_PAGE = 1_000  # of the server, which has no setting for it
_SECOND = timedelta(seconds=1)


async def matching_times(
    client: Client, schedule_id: str, start: datetime, end: datetime, *, limit: int = DEFAULT_LIMIT
) -> list[datetime]:
    """Return when a schedule that exists fires by its present specification, paused or not, in order, UTC.

    With jitter these are the times at which the runs start, not the nominal ones in their ids; for those see
    ``fires_of``. Cut into windows anywhere, the parts add up to the whole.

    Args:
        client: Of the schedule's namespace.
        schedule_id: Of the schedule.
        start: First instant of the window.
        end: First instant after the window.
        limit: How many times the window may hold.

    Raises:
        InvalidInputError: A reversed window, one of more than 50 years, or more times than ``limit``.
        ResourceNotFoundError: No such schedule.
        temporalio.service.RPCError: The server could not be asked.
    """
    start, end = require_window(start, end, limit)
    spec = await spec_of_saved(client, schedule_id)
    times: list[datetime] = []
    async for at in times_of(client, schedule_id, spec, start, end):
        times.append(at)
        if len(times) > limit:
            raise too_many(f"Schedule {schedule_id!r}", start, end, limit)
    return times


async def spec_of_saved(client: Client, schedule_id: str) -> ScheduleSpec:
    """Return the specification of a schedule as its server keeps it: cron strings have become calendars.

    Raises:
        ResourceNotFoundError: No such schedule.
        temporalio.service.RPCError: The server could not be asked.
    """
    request = DescribeScheduleRequest(namespace=client.namespace, schedule_id=schedule_id)
    try:
        description = await client.workflow_service.describe_schedule(request, retry=True)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise ResourceNotFoundError.of("schedule", schedule_id, namespace=client.namespace) from error
    return description.schedule.spec


async def times_of(
    client: Client, schedule_id: str, spec: ScheduleSpec, start: datetime, end: datetime
) -> AsyncIterator[datetime]:
    """Yield the times from ``start`` until before ``end``, page after page, for as long as somebody takes them.

    Args:
        client: Of the schedule's namespace.
        schedule_id: Of a schedule that exists.
        spec: Its specification, for the zone and the jitter.
        start: UTC.
        end: UTC.
    """
    zone = zone_of(spec)
    jitter = timedelta(seconds=spec.jitter.seconds + 1) if spec.HasField("jitter") else timedelta(0)
    reached = clear_of_folds(zone, start - _SECOND - jitter)
    after = _timestamp(reached)
    while True:
        page = await _page(client, schedule_id, after, end)
        rising = _rising(page, reached)
        for at in rising:
            if at >= end:
                return
            if at >= start:
                yield at
        reached = rising[-1] if rising else reached
        if len(rising) < len(page):
            if (beyond := _beyond(zone, reached, end)) is None:
                return
            reached, after = beyond, _timestamp(beyond)
        elif len(page) < _PAGE:
            return
        else:
            after = page[-1]


def _rising(page: list[Timestamp], reached: datetime) -> list[datetime]:
    """Return the times until the first that is not later than the one before it."""
    rising: list[datetime] = []
    for stamp in page:
        at = stamp.ToDatetime(tzinfo=UTC)
        if at <= (rising[-1] if rising else reached):
            break
        rising.append(at)
    return rising


def _beyond(zone: ZoneInfo, reached: datetime, end: datetime) -> datetime | None:
    """Return where the clocks next jump forward, from where the server finds its way again."""
    return next((change.at for change in offset_changes(zone, reached, end) if change.size > timedelta(0)), None)


async def _page(client: Client, schedule_id: str, after: Timestamp, end: datetime) -> list[Timestamp]:
    request = ListScheduleMatchingTimesRequest(
        namespace=client.namespace, schedule_id=schedule_id, start_time=after, end_time=_timestamp(end)
    )
    try:
        response = await client.workflow_service.list_schedule_matching_times(request, retry=True)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise ResourceNotFoundError.of("schedule", schedule_id, namespace=client.namespace) from error
    return list(response.start_time)


def _timestamp(at: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(at.astimezone(UTC).replace(tzinfo=None))
    return stamp
