"""One turn of starts: as many ticks as fit into some seconds, the rate and the runs that may be open."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any, Final

from aiolimiter import AsyncLimiter
from temporalio import activity
from temporalio.api.errordetails.v1 import WorkflowExecutionAlreadyStartedFailure
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from trenova_schedules.backfill._call_contract import TicksCall, TicksStarted
from trenova_schedules.backfill._contract import OpenRun, Started
from trenova_schedules.backfill._judging import Verdict
from trenova_schedules.backfill._open_runs import runs_open, until_closed
from trenova_schedules.backfill._run_requests import RunRequests, request_id_of

TURN_S: Final = 10.0
"""How long a call goes on, so that a backfill obeys within about this time."""

PARALLEL: Final = 20
"""Requests at once where the runs that may be open are not limited."""

_PERMANENT: Final = frozenset(
    {
        RPCStatusCode.FAILED_PRECONDITION,
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.NOT_FOUND,
        RPCStatusCode.PERMISSION_DENIED,
        RPCStatusCode.UNAUTHENTICATED,
        RPCStatusCode.UNIMPLEMENTED,
    }
)


class StartingTurn:
    """Starts the ticks of a call in their order.

    Args:
        client: Who starts.
        call: What is asked.
        requests: Makes the requests.
    """

    def __init__(self, client: Client, call: TicksCall, requests: RunRequests) -> None:
        self._client, self._call, self._requests = client, call, requests
        self._ends = time.monotonic() + TURN_S
        self._pace = AsyncLimiter(1, 1 / call.rate_per_second) if call.rate_per_second else None
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting = 0
        self._settled = asyncio.Event()
        self._open: dict[str, OpenRun] = {}
        self._started = self._had_run = self._paced = 0
        self._refused: tuple[int, str] | None = None
        self._last_start = call.last_start

    async def run(self, verdicts: Sequence[Verdict]) -> TicksStarted:
        """Start what is due until the time is over, and return how many ticks are settled.

        Raises:
            temporalio.service.RPCError: The server cannot be asked; the call may be made again.
        """
        try:
            await self._watch_open()
            settled = await self._start_due(verdicts)
            if self._starting:
                await self._settled.wait()
            self._raise_failed()
        finally:
            await self._stop_watching()
        return self._outcome(verdicts, settled)

    async def _watch_open(self) -> None:
        """Let runs that go on take their places, whoever started them."""
        if not self._call.concurrency:
            return
        known = {run.workflow_id: run for run in self._call.open}
        async for run in runs_open(self._client, self._call.schedule_id, most=self._call.concurrency + 1):
            known.setdefault(run.workflow_id, run)
        for run in known.values():
            self._spawn(self._watch(run))

    async def _start_due(self, verdicts: Sequence[Verdict]) -> int:
        for place, (at, verdict) in enumerate(zip(self._call.times, verdicts, strict=True)):
            if self._refused is not None or self._is_over():
                return place
            if verdict is not Verdict.DUE:
                continue
            if not (await self._has_room() and await self._is_time()):
                return place
            self._starting += 1
            self._settled.clear()
            self._spawn(self._run_tick(place, at))
        return len(self._call.times)

    def _is_over(self) -> bool:
        return time.monotonic() >= self._ends or activity.is_worker_shutdown()

    async def _has_room(self) -> bool:
        """Wait until another run may be open; False where the time was over before."""
        most = self._call.concurrency or PARALLEL
        while len(self._tasks) >= most:
            left = self._ends - time.monotonic()
            if left <= 0:
                return False
            await asyncio.wait(self._tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            self._raise_failed()
        return True

    async def _is_time(self) -> bool:
        """Wait as the rate demands; False where the time was over before."""
        if self._pace is None:
            return True
        try:
            async with asyncio.timeout(max(0.0, self._ends - time.monotonic())):
                await self._since_last_call()
                await self._pace.acquire()
        except TimeoutError:
            return False
        self._last_start = time.time()
        return True

    async def _since_last_call(self) -> None:
        """Keep the distance to the last start of the call before; the limiter knows its own only."""
        if self._last_start is not None and not self._paced:
            due = self._last_start + 1 / self._call.rate_per_second
            await asyncio.sleep(max(0.0, min(due - time.time(), 1 / self._call.rate_per_second)))
        self._paced = 1

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            self._tasks.discard(task)

    def _raise_failed(self) -> None:
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _run_tick(self, place: int, at: int) -> None:
        try:
            run = await self._start(place, at)
        finally:
            self._starting -= 1
            if not self._starting:
                self._settled.set()
        if run is not None and self._call.concurrency:
            await self._watch(run)

    async def _start(self, place: int, at: int) -> OpenRun | None:
        request = self._requests.of_tick(at)
        try:
            answer = await self._client.workflow_service.start_workflow_execution(request, retry=True)
        except RPCError as error:
            if error.status is RPCStatusCode.ALREADY_EXISTS:
                return self._already_there(error, request.workflow_id, at)
            if error.status not in _PERMANENT:
                raise
            if self._refused is None or place < self._refused[0]:
                self._refused = (place, error.message)
            return None
        self._started += 1
        return OpenRun(workflow_id=request.workflow_id, run_id=answer.run_id)

    def _already_there(self, error: RPCError, workflow_id: str, at: int) -> OpenRun | None:
        """Count a run that is there: ours where an answer was lost, else somebody else's."""
        there = _existing(error)
        if there.start_request_id != request_id_of(self._call.mark, at):
            self._had_run += 1
            return None
        self._started += 1
        return OpenRun(workflow_id=workflow_id, run_id=there.run_id)

    async def _watch(self, run: OpenRun) -> None:
        self._open[run.workflow_id] = run
        await until_closed(self._client, run)
        del self._open[run.workflow_id]

    async def _stop_watching(self) -> None:
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _outcome(self, verdicts: Sequence[Verdict], settled: int) -> TicksStarted:
        if self._refused is not None:
            settled = min(settled, self._refused[0])
        looked_at = list(verdicts[:settled])
        ours = looked_at.count(Verdict.OURS)
        return TicksStarted(
            started=Started(
                processed=settled,
                due=looked_at.count(Verdict.DUE) + ours,
                started=self._started + ours,
                had_run=looked_at.count(Verdict.HAD_RUN) + self._had_run,
                unknown=looked_at.count(Verdict.UNKNOWN),
            ),
            refused="" if self._refused is None else self._refused[1],
            open=list(self._open.values()),
            last_start=self._last_start,
        )


def _existing(error: RPCError) -> WorkflowExecutionAlreadyStartedFailure:
    found = WorkflowExecutionAlreadyStartedFailure()
    for detail in error.grpc_status.details:
        if detail.Unpack(found):
            break
    return found
