"""Expected fires of a schedule, from the server that fires it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from google.protobuf.json_format import ParseDict
from temporalio.api.schedule.v1 import ScheduleSpec
from temporalio.client import Client

from trenova_schedules._previewing import fires_of
from trenova_schedules._previewing._times import times_of
from trenova_schedules._reading import ScheduleSnapshot
from trenova_schedules.store import ScheduleStore, SpecVersion

_SECOND = timedelta(seconds=1)


async def expected_now(
    client: Client, snapshot: ScheduleSnapshot, after: datetime, end: datetime, *, limit: int
) -> list[int]:
    """Return when the specification in force fires, jitter included, in unix seconds.

    Args:
        client: Of the schedule's namespace.
        snapshot: The schedule as it is.
        after: Fires in this second or before are left out.
        end: Up to this.
        limit: How many at most, the earliest first.
    """
    found: dict[int, None] = {}
    start = after.replace(microsecond=0) + _SECOND
    async for at in times_of(client, snapshot.document.id, snapshot.raw.schedule.spec, start, max(start, end)):
        found[int(at.timestamp())] = None
        if len(found) >= limit:
            break
    return list(found)


async def expected_before(
    client: Client, store: ScheduleStore, versions: Sequence[SpecVersion], since: datetime, *, limit: int
) -> set[int]:
    """Return when the specifications fired that are no longer in force.

    Where nobody saw what was in force, the fires of the version before are taken, so that there is something to be
    inconclusive about.

    Args:
        client: Of the schedule's namespace.
        store: Keeps what earlier harvests expected; with jitter, only they know.
        versions: In order, the one in force last.
        since: Fires in this second or before are left out.
        limit: How many fires a version may have.
    """
    found: set[int] = set()
    for version, following in pairwise(versions):
        start, end = max(since, version.from_at) + _SECOND, following.from_at + _SECOND
        if start >= end:
            continue
        spec = ParseDict(dict(version.specification), ScheduleSpec(), ignore_unknown_fields=True)
        if spec.HasField("jitter"):
            known = await store.ticks.read(version.schedule_id, start, end, limit=limit)
            found.update(int(tick.at.timestamp()) for tick in known)
        else:
            found.update(int(at.timestamp()) for at in await fires_of(client, spec, start, end, limit=limit))
    return found
