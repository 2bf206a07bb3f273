"""Look at everything that a namespace stores for the keys that it needs; only ever read."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeScheduleRequest,
    GetWorkflowExecutionHistoryRequest,
)
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.client import WorkflowExecution as Run
from temporalio.service import RPCError, RPCStatusCode

from trenova_codecs._attestation import ATTEST_WORKFLOW
from trenova_codecs._census_checkpoint import Checkpoint
from trenova_codecs._key_needs import SPREAD, Needs
from trenova_codecs._keys import KeyState
from trenova_codecs._payload_keys import keys_of
from trenova_codecs._ring_document import RingDocument

_OPEN = f"ExecutionStatus = 'Running' AND WorkflowType != '{ATTEST_WORKFLOW}'"
_CLOSED = f"ExecutionStatus != 'Running' AND WorkflowType != '{ATTEST_WORKFLOW}'"


@dataclass
class Pace:
    """At most so many requests a second, evenly spread.

    Attributes:
        per_second: Requests.
    """

    per_second: float
    _next: float = 0.0

    async def turn(self) -> None:
        """Wait for the next request's turn."""
        now = time.monotonic()
        self._next = max(self._next, now) + 1 / self.per_second
        await asyncio.sleep(self._next - 1 / self.per_second - now)


class KeyCensus:
    """One namespace's needs.

    Args:
        client: Of the namespace, without codec.
        pace: For the requests that it makes, one or a few for each run.
        checkpoint: What an interrupted census has seen already.
        progress: Told how many runs have been looked at.
    """

    def __init__(
        self,
        client: Client,
        pace: Pace,
        *,
        checkpoint: Checkpoint | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._client, self._pace, self._progress = client, pace, progress
        self._checkpoint = checkpoint or Checkpoint.nowhere()
        self._looked = 0

    async def retention(self) -> timedelta:
        """Return for how long the namespace keeps closed runs."""
        request = DescribeNamespaceRequest(namespace=self._client.namespace)
        answer = await self._client.workflow_service.describe_namespace(request)
        return answer.config.workflow_execution_retention_ttl.ToTimedelta()

    async def open_runs(self, needs: dict[str, Needs]) -> None:
        """Read the history of every open run, and what is pending in it."""
        async for run, keys in self._runs(_OPEN):
            for key in keys:
                needs.setdefault(key, Needs()).open_runs.append(run.id)

    async def closed_runs(self, needs: dict[str, Needs]) -> None:
        """Read the history of every closed run that the server still keeps."""
        async for run, keys in self._runs(_CLOSED):
            for key in keys:
                needs.setdefault(key, Needs()).close(run.close_time)
        for found in needs.values():
            found.exact = True

    async def closed_runs_at_most(self, needs: dict[str, Needs], document: RingDocument) -> None:
        """Count the closed runs that began before a key was surely out of use."""
        for key in document.keys:
            if key.state is KeyState.ACTIVE or not key.used:
                continue
            end = key.since + SPREAD
            before = f"{_CLOSED} AND StartTime < '{end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'"
            count = (await self._client.count_workflows(before)).count
            if count:
                needs.setdefault(key.id, Needs()).close(await self._last_close(before), count)

    async def schedules(self, needs: dict[str, Needs]) -> None:
        """Read every schedule: arguments, memo, headers and summaries of its action, and its own memo."""
        async for listed in await self._client.list_schedules():
            await self._pace.turn()
            request = DescribeScheduleRequest(namespace=self._client.namespace, schedule_id=listed.id)
            try:
                described = await self._client.workflow_service.describe_schedule(request)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:  # deleted meanwhile
                    continue
                raise
            for key in keys_of(described):
                needs.setdefault(key, Needs()).schedules.append(listed.id)

    async def _runs(self, query: str) -> AsyncIterator[tuple[Run, frozenset[str]]]:
        async for run in self._client.list_workflows(query, page_size=200):
            keys = self._checkpoint.find(run.run_id)
            if keys is None:
                keys = await self._keys_of_run(run)
            if keys is None:  # deleted meanwhile
                continue
            if run.status is not WorkflowExecutionStatus.RUNNING:  # nothing comes to a closed run
                self._checkpoint.add(run.run_id, keys)
            self._looked += 1
            self._progress(self._looked)
            yield run, keys

    async def _keys_of_run(self, run: Run) -> frozenset[str] | None:
        execution = WorkflowExecution(workflow_id=run.id, run_id=run.run_id)
        request = GetWorkflowExecutionHistoryRequest(namespace=self._client.namespace, execution=execution)
        found: set[str] = set()
        try:
            while True:
                await self._pace.turn()
                page = await self._client.workflow_service.get_workflow_execution_history(request)
                found |= keys_of(page.history)
                request.next_page_token = page.next_page_token
                if not page.next_page_token:
                    break
            if run.status is WorkflowExecutionStatus.RUNNING:
                found |= await self._pending(run)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        return frozenset(found)

    async def _pending(self, run: Run) -> set[str]:
        """Heartbeats and last failures of running activities are in no history yet."""
        await self._pace.turn()
        described = await self._client.get_workflow_handle(run.id, run_id=run.run_id).describe()
        return keys_of(described.raw_description)

    async def _last_close(self, query: str) -> datetime | None:
        """Visibility lists by close time, latest first."""
        async for run in self._client.list_workflows(query, page_size=1, limit=1):
            return run.close_time
        return None
