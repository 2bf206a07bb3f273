"""The activities of the harvest."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from temporalio import activity
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from trenova_errors import ApplicationError, ResourceNotFoundError
from trenova_schedules._slo import ScheduleSlo
from trenova_schedules.ledger._harvest import Harvested, LedgerOptions, harvest_schedule
from trenova_schedules.ledger._harvest_contract import HarvestPageRequest, HarvestPageResult, HarvestResult
from trenova_schedules.ledger._metrics import LedgerMetrics
from trenova_schedules.ledger._names import HARVEST_ACTIVITY, REGISTER_ACTIVITY
from trenova_schedules.ledger._objective import Notifier, Standing, judge
from trenova_schedules.store import BEGUN_FOR, KEYS_KEPT, AlertState, RegisteredSchedule, ScheduleStore

_log = logging.getLogger(__name__)
_PASSING: Final = "trenova-preview-"
_BATCH: Final = 200


class LedgerActivities:
    """Looks at schedules and writes the ledger.

    Args:
        store: Migrated.
        client: Of the namespace whose schedules are harvested; the worker's own if absent.
        notifier: Whom to tell failures and recoveries; nobody if absent.
        options: How far to look.
        metrics: Where to count; made here if absent.
    """

    def __init__(
        self,
        store: ScheduleStore,
        *,
        client: Client | None = None,
        notifier: Notifier | None = None,
        options: LedgerOptions | None = None,
        metrics: LedgerMetrics | None = None,
    ) -> None:
        self._given = client
        self._store = store
        self._notifier = notifier
        self._options = options or LedgerOptions()
        self._metrics = metrics or LedgerMetrics()

    @property
    def all(self) -> list[Callable[..., Any]]:
        """What a worker registers."""
        return [self.register, self.harvest]

    @property
    def _client(self) -> Client:
        return self._given or activity.client()

    @activity.defn(name=REGISTER_ACTIVITY)
    async def register(self) -> int:
        """Add the schedules that the server lists to the registry; return how many it lists.

        None is taken out here: the list is late and may lack one, which only a look at the schedule can tell. What the
        store keeps for a while only is forgotten here, too, and what others began and never told is told.
        """
        now, found = datetime.now(UTC), 0
        await self._store.idempotency.forget(before=now - KEYS_KEPT)
        await self._store.audit.settle(before=now - BEGUN_FOR)
        batch: list[RegisteredSchedule] = []
        async for entry in await self._client.list_schedules(page_size=_BATCH):
            if entry.id.startswith(_PASSING):
                continue
            found += 1
            if await self._store.registry.find(entry.id) is None:
                batch.append(RegisteredSchedule(schedule_id=entry.id, first_seen_at=now, seen_at=now))
            if len(batch) >= _BATCH:
                await self._store.registry.seen(batch)
                batch = []
            activity.heartbeat(found)
        await self._store.registry.seen(batch)
        return found

    @activity.defn(name=HARVEST_ACTIVITY)
    async def harvest(self, request: HarvestPageRequest) -> HarvestPageResult:
        """Harvest the schedules of one page; one that fails does not keep the others."""
        retention = await self._retention()
        page = await self._store.registry.read(after=request.after, limit=request.limit)
        done = HarvestResult()
        for schedule in page:
            activity.heartbeat(schedule.schedule_id)
            done = done.plus(await self._one(schedule.schedule_id, retention))
        more = len(page) == request.limit
        return HarvestPageResult(done=done, next_after=page[-1].schedule_id if more and page else None)

    async def _one(self, schedule_id: str, retention: timedelta) -> HarvestResult:
        try:
            found = await harvest_schedule(
                self._client, self._store, schedule_id, retention=retention, options=self._options
            )
            alerts = await self._judge(schedule_id, found)
        except ResourceNotFoundError:
            await self._store.registry.gone(schedule_id)
            return HarvestResult(gone=1)
        except (ApplicationError, RPCError) as error:
            _log.warning("a schedule was not harvested", extra={"schedule_id": schedule_id, "reason": error.message})
            return HarvestResult(failed=1, first_failed=(schedule_id,))
        self._metrics.settled(schedule_id, found.settled)
        return HarvestResult(schedules=1, ticks=len(found.ticks), alerts=alerts)

    async def _judge(self, schedule_id: str, found: Harvested) -> int:
        document = found.snapshot.document
        kept = await self._store.alerts.find(schedule_id)
        before = Standing.model_validate(kept.model_dump(exclude={"schedule_id"}))
        standing, alerts = judge(schedule_id, before, found.ticks, document.slo or ScheduleSlo(), found.now)
        for alert in alerts:
            if self._notifier is not None:
                told = alert.model_copy(update={"owner": document.owner, "runbook": document.runbook})
                await self._notifier.notify(told)
            self._metrics.told(alert.kind)
        await self._store.alerts.keep(AlertState(schedule_id=schedule_id, **standing.model_dump()))
        self._metrics.standing(schedule_id, failing=standing.failing_since is not None)
        return len(alerts)

    async def _retention(self) -> timedelta:
        request = DescribeNamespaceRequest(namespace=self._client.namespace)
        answer = await self._client.workflow_service.describe_namespace(request, retry=True)
        kept = answer.config.workflow_execution_retention_ttl
        return timedelta(seconds=kept.seconds) if kept.seconds else self._options.lookback
