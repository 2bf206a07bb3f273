"""The nightly cancellation of stale shipments, and what the database holds of it afterwards."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from shipment_worker._settings import Settings
from trenova_activities import (
    CANCEL_SHIPMENTS_JOB,
    CancelShipmentsPayload,
    CancelShipmentsResult,
    start_cancel,
)
from trenova_activities.database import DEMO_SEED, Catalog, Database, ready_catalog, seed_history
from trenova_workers import DemoRun

_DAY_S = 86_400
_MOST_DAYS = 90


@dataclass(frozen=True)
class _Shipment:
    organization: str
    status: str
    created_at: int | None


@dataclass(frozen=True)
class _Fleet:
    """All shipments at one moment, and after how many days each organization of the demonstration gives one up."""

    shipments: dict[str, _Shipment]
    days: dict[str, int]

    def stale(self, as_of: int) -> set[str]:
        """Return the ids of the New shipments that are as old as the threshold of their organization.

        One of which nobody knows the age is none of them.
        """
        return {
            key
            for key, one in self.shipments.items()
            if one.organization in self.days
            and one.status == "New"
            and one.created_at is not None
            and 0 <= one.created_at <= as_of - self.days[one.organization] * _DAY_S
        }

    @property
    def canceled(self) -> set[str]:
        """Return the ids of those that are canceled."""
        return {key for key, one in self.shipments.items() if one.status == "Canceled"}

    def by_organization(self, ids: set[str]) -> Counter[str]:
        """Count shipments by organization."""
        return Counter(self.shipments[key].organization for key in ids)


async def cancel_stale(settings: Settings, run: DemoRun, database: Database, own: Mapping[str, str]) -> str:
    """Add stale and fresh shipments to the sample, cancel as every night, and compare.

    Args:
        settings: Name the queue.
        run: Where progress and checks go.
        database: An embedded one, with the sample of demonstrations.
        own: The organizations of that sample, names by ids; nobody else's shipments are canceled.

    Returns:
        What was done, as a sentence.
    """
    await seed_history(database, seed=DEMO_SEED)
    catalog = await ready_catalog(database, CANCEL_SHIPMENTS_JOB)
    before = await _read(database, catalog, own)
    run.progress("cancellation", 0, 2)
    counted = await _cancel(settings, run, own, dry_run=True)
    untouched = await _read(database, catalog, own)
    run.progress("cancellation", 1, 2)
    done = await _cancel(settings, run, own, dry_run=False)
    after = await _read(database, catalog, own)
    run.progress("cancellation", 2, 2)
    expected, canceled = before.stale(_as_of(done)), after.canceled - before.canceled
    counts = before.stale(_as_of(counted))
    run.check("stale shipments counted by the dry run", expected=len(counts), actual=counted.total_cancelled)
    run.check("shipments that the dry run cancels", expected=0, actual=len(untouched.canceled - before.canceled))
    run.check("stale shipments reported as canceled", expected=len(expected), actual=done.total_cancelled)
    for organization, count in sorted(before.by_organization(expected).items()):
        name = f"stale shipments of {own[organization]} after {before.days[organization]} days"
        run.check(name, expected=count, actual=after.by_organization(canceled)[organization])
    theirs = {key for key in canceled if after.shipments[key].organization not in own}
    run.check("other shipments canceled", expected=0, actual=len(canceled - expected - theirs))
    run.check("shipments of other organizations canceled", expected=0, actual=len(theirs))
    audited = await _audited(database, catalog, canceled)
    run.check("audit entries of cancellations", expected=len(expected), actual=audited)
    waiting = sum(one.status == "New" and one.organization in own for one in after.shipments.values())
    return f"{len(canceled)} stale ones were canceled, {waiting:,} younger ones still wait."


async def _cancel(settings: Settings, run: DemoRun, own: Mapping[str, str], *, dry_run: bool) -> CancelShipmentsResult:
    key = f"demo-{run.token}-{'count' if dry_run else 'cancel'}"
    payload = CancelShipmentsPayload(organization_ids=list(own), dry_run=dry_run)
    handle = await start_cancel(run.client, payload, key=key, task_queue=settings.queues[0])
    return await handle.result()


async def _read(database: Database, catalog: Catalog, own: Mapping[str, str]) -> _Fleet:
    shipments, controls = catalog["shipments"], catalog["shipment_controls"]
    columns = [shipments.c[name] for name in ("id", "organization_id", "status", "created_at")]
    days = controls.c.auto_cancel_shipments_threshold
    wants = (controls.c.auto_cancel_shipments, controls.c.organization_id.in_(own), days.between(1, _MOST_DAYS))
    async with database.read() as connection:
        rows = await connection.execute(select(*columns))
        wanted = await connection.execute(select(controls.c.organization_id, days).where(*wants))
        return _Fleet({row[0]: _Shipment(row[1], row[2], row[3]) for row in rows}, {row[0]: row[1] for row in wanted})


async def _audited(database: Database, catalog: Catalog, ids: set[str]) -> int:
    log = catalog["audit_entries"]
    query = select(log.c.resource_id).where(log.c.resource == "shipment", log.c.operation == "cancel")
    async with database.read() as connection:
        return sum(key in ids for key in (await connection.execute(query)).scalars())


def _as_of(result: CancelShipmentsResult) -> int:
    return int(str(result.data["asOf"]))
