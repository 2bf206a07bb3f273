"""Calls of the retention activity by a worker that stays the same, with its heartbeats and metrics kept."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from auditlog import DAY, AuditLog
from temporalio.runtime import MetricBuffer, MetricBufferDurationFormat, Runtime, TelemetryConfig
from temporalio.testing import ActivityEnvironment

from trenova_activities import DeleteAuditEntriesPayload, DeleteAuditEntriesProgress, RunState
from trenova_activities.database import RetentionActivities, Tenant
from trenova_activities.database._nightly import Budget

Values = dict[tuple[str, str], list[float]]
"""By the metric's name and its reason, which is empty for most."""


@dataclass
class Worker:
    """One worker that serves the job."""

    log: AuditLog
    budget: Budget | None = None
    facts: list[Mapping[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.buffer = MetricBuffer(50_000, MetricBufferDurationFormat.SECONDS)
        self.runtime = Runtime(telemetry=TelemetryConfig(metrics=self.buffer))
        self.activities = RetentionActivities(self.log.database, self.log.catalog, budget=self.budget)

    async def call(
        self, *, run_id: str = "run", environment: ActivityEnvironment | None = None, **asked: Any
    ) -> DeleteAuditEntriesProgress:
        environment = environment or ActivityEnvironment()
        moment = datetime(2001, 1, 1, tzinfo=UTC)
        environment.metric_meter = self.runtime.metric_meter
        environment.on_heartbeat = lambda _, facts=None: self.facts.append(facts or {})
        environment.info = dataclasses.replace(
            ActivityEnvironment.default_info(),
            workflow_id=f"delete-audit-entries/{run_id}",
            heartbeat_timeout=timedelta(seconds=10),
            scheduled_time=moment,
            started_time=moment,
        )
        state = RunState(run_id=run_id, workflow_time=await self.log.time())
        return await environment.run(self.activities.delete, DeleteAuditEntriesPayload(**asked).at(state))

    async def run(self, *, run_id: str = "run", **asked: Any) -> list[DeleteAuditEntriesProgress]:
        """Call until the run is done, and return every answer."""
        answers = [await self.call(run_id=run_id, **asked)]
        while not answers[-1].done:
            answers.append(await self.call(run_id=run_id, **asked))
        return answers

    def metrics(self) -> Values:
        """Return what was recorded since the last time, in order; every one carries the job's type and no tenant."""
        found: Values = {}
        for update in self.buffer.retrieve_updates():
            if not update.metric.name.startswith("trenova_nightly_"):
                continue
            attributes = dict(update.attributes)
            assert attributes.pop("job_type") == "delete_audit_entries"
            reason = str(attributes.pop("reason", ""))
            assert attributes.keys() <= {"service_name", "namespace", "task_queue", "activity_type"}, attributes
            name = update.metric.name.removeprefix("trenova_nightly_")
            found.setdefault((name, reason), []).append(update.value)
        return found


async def many(log: AuditLog, rows: int, *, oldest_days: int = 400) -> Tenant:
    """Make an organization with a period of 30 days and so many outlived entries, a second apart, by the database."""
    [tenant] = await log.organization(30)
    oldest = await log.time() - oldest_days * DAY
    numbers = (
        f"WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < {rows}) "
        if log.database.options.is_sqlite
        else f"WITH n AS (SELECT x FROM generate_series(1, {rows}) x) "
    )
    await log.execute(
        "INSERT INTO audit_entries (id, organization_id, business_unit_id, resource, resource_id, operation, "
        f"timestamp) {numbers} SELECT 'ae_{tenant.organization_id}_' || x, '{tenant.organization_id}', "
        f"'{tenant.business_unit_id}', 'shipment', 'shp_1', 'update', {oldest} + x FROM n"
    )
    return tenant
