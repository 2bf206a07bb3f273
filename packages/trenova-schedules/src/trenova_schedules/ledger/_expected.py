"""Expected fires of a schedule, from the server that fires it."""

from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest
from temporalio.client import Client

_CAP: Final = 1000  # the server answers no more, and says nothing of it
_WITHIN: Final = timedelta(seconds=30)


async def expected_fires(client: Client, schedule_id: str, start: datetime, end: datetime, *, limit: int) -> list[int]:
    """Return when the specification in force fires, jitter included, in unix seconds.

    Args:
        client: Of the schedule's namespace.
        schedule_id: Of the schedule.
        start: After this.
        end: Up to this.
        limit: How many at most, the earliest first.
    """
    found: dict[int, None] = {}
    while start < end and len(found) < limit:
        request = ListScheduleMatchingTimesRequest(
            namespace=client.namespace, schedule_id=schedule_id, start_time=_stamp(start), end_time=_stamp(end)
        )
        answer = await client.workflow_service.list_schedule_matching_times(request, retry=True, timeout=_WITHIN)
        times = [time.seconds for time in answer.start_time]
        found.update(dict.fromkeys(at for at in times if at > start.timestamp() // 1))
        if len(times) < _CAP:
            break
        start = datetime.fromtimestamp(times[-1], UTC)
    return list(found)[:limit]


def _stamp(at: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp
