"""What the schedules of a namespace will bring to pools, as far as a Temporal server knows."""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.schedule.v1 import ScheduleListEntry
from temporalio.client import Client

from trenova_errors import UnavailableError
from trenova_workers._fleet._schedules import described, listed
from trenova_workers.pool._past_runs import PastRuns
from trenova_workers.scaling import ExpectedArrivals

_FRESH_S: Final = 15.0
_QUEUE_KEPT_S: Final = 300.0
_WAITS_S: Final = 5.0
_PAGE: Final = 500
_AT_ONCE: Final = 8
_MOST_LISTED: Final = 10_000
_MOST_DESCRIBED: Final = 200


@dataclass(frozen=True)
class _Fires:
    """When a schedule fires next, where its runs begin, and how many tasks each brings."""

    name: str
    queue: str
    times: Sequence[datetime]
    tasks: float


class ScheduleCalendar:
    """Tells what schedules will start on the queues of pools, and soon; a `FireCalendar`.

    All schedules are listed every 15 s, 10,000 at most; the queue of one is asked for when it is about to fire, and
    again after five minutes. Listing goes on in the background, so that nobody waits for it longer than 5 s.

    The server tells the next five fires of each schedule. How many tasks one brings is what its last runs had to do in
    their first minute, workflow tasks and activities on its own queue; nobody knows more of one that has not fired yet
    than that it is one run.

    Args:
        client: Needs permission to list and describe schedules, and to describe workflows.
        queues: That each pool serves, by the name of the pool.
        ahead_s: Seconds ahead that anybody will ask for.
    """

    def __init__(self, client: Client, queues: Mapping[str, Collection[str]], *, ahead_s: float) -> None:
        self._client, self._ahead = client, timedelta(seconds=ahead_s)
        self._pools = {name: frozenset(served) for name, served in queues.items()}
        self._past = PastRuns(client)
        self._queues: dict[str, tuple[str, float]] = {}
        self._fires: Sequence[_Fires] | None = None
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def upcoming(self, pool: str, *, after: datetime, until: datetime) -> Sequence[ExpectedArrivals]:
        """See `FireCalendar`.

        Raises:
            RPCError: The server does not list schedules, or not for us.
            UnavailableError: It has not done so within five seconds, and never before.
        """
        await self._refresh()
        if self._fires is None:
            raise UnavailableError(f"The server has not listed its schedules within {_WAITS_S:g} s.")
        return [
            ExpectedArrivals(at=at, tasks=one.tasks, name=one.name)
            for one in self._fires
            if one.queue in self._pools.get(pool, ())
            for at in one.times
            if after <= at <= until
        ]

    async def close(self) -> None:
        """Leave off listing."""
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._reading

    async def _refresh(self) -> None:
        """Read anew what is not fresh, and wait for that a while."""
        if self._reading is None:
            if time.monotonic() - self._read_at < _FRESH_S:
                return
            self._reading = asyncio.ensure_future(self._read())
        reading = self._reading
        await asyncio.wait({reading}, timeout=_WAITS_S)
        if reading.done():
            if self._reading is reading:
                self._reading = None
            reading.result()

    async def _read(self) -> None:
        soon = datetime.now(UTC) + self._ahead + timedelta(seconds=_FRESH_S)
        due: list[ScheduleListEntry] = []
        seen = 0
        async for entry in listed(self._client, _PAGE):
            seen += 1
            if not entry.info.paused and any(at <= soon for at in _times(entry)):
                due.append(entry)
            if seen >= _MOST_LISTED:
                break
        await self._learn_queues(due)
        ours = frozenset().union(*self._pools.values())
        known = [entry for entry in due if self._queues.get(entry.schedule_id, ("", 0.0))[0] in ours]
        limit = asyncio.Semaphore(_AT_ONCE)
        tasks = await asyncio.gather(*(self._past.tasks(_runs(entry), limit) for entry in known))
        self._fires = [
            _Fires(entry.schedule_id, self._queues[entry.schedule_id][0], _times(entry), count)
            for entry, count in zip(known, tasks, strict=True)
        ]
        self._read_at = time.monotonic()

    async def _learn_queues(self, due: Iterable[ScheduleListEntry]) -> None:
        """Ask where the runs of schedules begin: those that fire first, first."""
        now, limit = time.monotonic(), asyncio.Semaphore(_AT_ONCE)
        order = [entry.schedule_id for entry in sorted(due, key=lambda entry: min(_times(entry)))]
        there = {one: known for one, known in self._queues.items() if now - known[1] < _QUEUE_KEPT_S}
        asked = [one for one in order if one not in there][:_MOST_DESCRIBED]
        found = await asyncio.gather(*(described(self._client, one, limit) for one in asked))
        told = {one: (action.queue, now) for one, action in zip(asked, found, strict=True) if action is not None}
        self._queues = {**there, **told}


def _times(entry: ScheduleListEntry) -> list[datetime]:
    return [at.ToDatetime(tzinfo=UTC) for at in entry.info.future_action_times]


def _runs(entry: ScheduleListEntry) -> list[WorkflowExecution]:
    """Return what the schedule has started last, the newest first."""
    actions = reversed(entry.info.recent_actions)
    return [one.start_workflow_result for one in actions if one.start_workflow_result.run_id]
