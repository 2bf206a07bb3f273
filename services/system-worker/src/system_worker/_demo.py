"""The database seen through a workflow, and a purge of its audit log, each organization by its own period."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from system_worker._settings import Settings
from trenova_activities import (
    DELETE_AUDIT_ENTRIES_JOB,
    CheckDatabasePayload,
    CheckDatabaseWorkflow,
    DeleteAuditEntriesPayload,
    DeleteAuditEntriesResult,
    start_purge,
)
from trenova_activities.database import (
    DEMO_SEED,
    Catalog,
    Database,
    ready_catalog,
    sample_organizations,
    seed,
    seed_history,
)
from trenova_workers import DemoRun

_DAY_S = 86_400
_MOST_DAYS = 36_500


@dataclass(frozen=True)
class _Log:
    """The audit log at one moment.

    Attributes:
        times: When each entry was written, unix seconds, by organization.
        days: Retention periods of the demonstration's organizations.
        others: Ids of the entries of other organizations.
    """

    times: dict[str, list[int | None]]
    days: dict[str, int]
    others: set[str]

    def outlived(self, as_of: int) -> Counter[str]:
        """Count by organization what its own period has outlived."""
        return Counter(
            {
                organization: sum(
                    at is not None and 0 <= at < as_of - days * _DAY_S for at in self.times.get(organization, ())
                )
                for organization, days in self.days.items()
            }
        )

    @property
    def sizes(self) -> Counter[str]:
        """Count the entries by organization of the demonstration."""
        return Counter({organization: len(times) for organization, times in self.times.items()})


async def demonstrate(settings: Settings, run: DemoRun) -> None:
    """Check the database through the worker, then purge the log of the demonstration's own sample, and compare.

    Args:
        settings: Name the queue and the database; an embedded one, since any other is refused.
        run: Where progress and checks go; its token makes the workflow ids.
    """
    result = await run.client.execute_workflow(
        CheckDatabaseWorkflow.run,
        CheckDatabasePayload(),
        id=f"check-database/demo-{run.token}",
        task_queue=settings.queues[0],
        static_summary="Look at what each job lacks in the workers' database",
        static_details="Part of a demonstration: reads the catalog of the database and changes nothing.",
    )
    run.check("jobs that lack something", expected=0, actual=sum(bool(job.lacks) for job in result.jobs))
    async with settings.open_database() as database:
        await seed(database, seed=DEMO_SEED)
        await seed_history(database, seed=DEMO_SEED)
        catalog = await ready_catalog(database, DELETE_AUDIT_ENTRIES_JOB)
        own = await sample_organizations(database, seed=DEMO_SEED)
        before = await _read(database, catalog, own)
        run.progress("audit purge", 0, 2)
        counted = await _purge(settings, run, own, dry_run=True)
        untouched = await _read(database, catalog, own)
        run.progress("audit purge", 1, 2)
        done = await _purge(settings, run, own, dry_run=False)
        after = await _read(database, catalog, own)
        run.progress("audit purge", 2, 2)
    run.check("audit entries that a dry run deletes", expected=0, actual=_lost(before, untouched).total())
    expected, lost = before.outlived(_as_of(done)), _lost(before, after)
    run.check("audit entries deleted", expected=expected.total(), actual=done.total_deleted)
    counts = before.outlived(_as_of(counted))
    run.check("audit entries counted by the dry run", expected=counts.total(), actual=counted.total_deleted)
    for organization, days in sorted(before.days.items()):
        name = f"entries of {own[organization]} older than {days} days"
        run.check(name, expected=expected[organization], actual=lost[organization])
    run.check("audit entries of other organizations deleted", expected=0, actual=len(before.others - after.others))
    deleted = (
        f"{done.total_deleted:,} audit entries were deleted, those that their organization's own period has outlived"
    )
    run.summary(f"{deleted}; {after.sizes.total():,} younger ones are kept.")


async def _purge(
    settings: Settings, run: DemoRun, own: Mapping[str, str], *, dry_run: bool
) -> DeleteAuditEntriesResult:
    payload = DeleteAuditEntriesPayload(organization_ids=list(own), dry_run=dry_run)
    key = f"demo-{run.token}-{'count' if dry_run else 'delete'}"
    handle = await start_purge(run.client, payload, key=key, task_queue=settings.queues[0])
    return await handle.result()


async def _read(database: Database, catalog: Catalog, own: Mapping[str, str]) -> _Log:
    log, periods = catalog["audit_entries"], catalog["data_retention"]
    days = periods.c.audit_retention_period
    has_one = (periods.c.organization_id.in_(own), days.between(1, _MOST_DAYS))
    found = _Log(times={organization: [] for organization in own}, days={}, others=set())
    async with database.read() as connection:
        for row in await connection.execute(select(log.c.id, log.c.organization_id, log.c.timestamp)):
            if row.organization_id in own:
                found.times[row.organization_id].append(row.timestamp)
            else:
                found.others.add(row.id)
        for organization, period in await connection.execute(select(periods.c.organization_id, days).where(*has_one)):
            found.days[organization] = period
    return found


def _lost(before: _Log, after: _Log) -> Counter[str]:
    return before.sizes - after.sizes


def _as_of(result: DeleteAuditEntriesResult) -> int:
    return int(str(result.data["asOf"]))
