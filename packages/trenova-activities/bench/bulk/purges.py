"""One purge of a whole log, by the job and by a single statement."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bulk.audit_log import outlived
from bulk.batches import Batch, Batches, Shares, shares
from bulk.calls import run_nightly
from bulk.meter import Meter, Used
from bulk.site import Site, connected
from bulk.verdicts import WrongResultError
from trenova_activities import DeleteAuditEntriesPayload
from trenova_activities.database import Database, DatabaseOptions, PaceOptions, RetentionActivities

USUAL_PACE = PaceOptions()
_MARKS = ("purge_audit_entries", "DELETE FROM audit_entries")
_ONE_DELETE = (
    "DELETE FROM audit_entries e USING data_retention r WHERE e.organization_id = r.organization_id "
    "AND e.business_unit_id = r.business_unit_id AND e.timestamp >= 0 "
    "AND e.timestamp < extract(epoch FROM now())::bigint - r.audit_retention_period * 86400"
)


@dataclass(frozen=True)
class Purged:
    """What it took.

    Attributes:
        rows: Entries that went.
        seconds: From the first look at the database to the finished run.
        used: Processor time meanwhile.
        batches: The transactions that deleted; none for the single statement.
    """

    rows: int
    seconds: float
    used: Used = field(default=Used())
    batches: Sequence[Batch] = field(default=(), repr=False)

    @property
    def per_second(self) -> float:
        """Entries per second."""
        return self.rows / self.seconds

    @property
    def microseconds_each(self) -> float:
        """Cost of an entry."""
        return self.seconds / self.rows * 1e6

    def batch_ms(self, share: float) -> float:
        """How long a batch took, at a share of them: 0.5 for the median, 1 for the longest."""
        times = sorted(batch.took for batch in self.batches)
        return times[min(len(times) - 1, int(share * len(times)))] * 1000 if times else self.seconds * 1000

    @property
    def shares(self) -> Shares:
        """Where the time went."""
        return shares(self.batches, self.seconds)


async def purge(where: Site, url: str, pace: PaceOptions = USUAL_PACE) -> Purged:
    """Run the nightly job as its worker does: through the activity, and through the function of the database.

    Args:
        where: The server.
        url: Of the database, as its superuser.
        pace: How the batches are steered.

    Raises:
        WrongResultError: Something outlived is left, or the job counted otherwise.
    """
    expected = await outlived(url)
    async with Database.open(DatabaseOptions(url=url, pace=pace)) as database:
        activities = await RetentionActivities.open(database)
        # A worker that has run a while has its connections and statements.
        await run_nightly(database, activities.delete, DeleteAuditEntriesPayload(organization_ids=["none"]), "warm")
        batches = Batches(database.engine, *_MARKS)
        meter, begun = Meter(where.server.pid), time.perf_counter()
        progress = await run_nightly(database, activities.delete, DeleteAuditEntriesPayload(), "bench")
        took, used = time.perf_counter() - begun, meter.used()
    left = await outlived(url)
    if left or progress.rows != expected or progress.failure:
        raise WrongResultError(f"Of {expected} outlived entries {left} are left; the job counted {progress.rows}.")
    return Purged(expected, took, used, batches.seen)


async def one_delete(where: Site, url: str) -> Purged:
    """Delete the same entries with one statement, as the role that may.

    Raises:
        WrongResultError: Something outlived is left.
    """
    expected = await outlived(url)
    async with connected(url) as connection:
        await connection.execute("GRANT UPDATE, DELETE, SELECT ON audit_entries, data_retention TO trenova_retention")
        await connection.execute("SET ROLE trenova_retention")
        meter, begun = Meter(where.server.pid), time.perf_counter()
        await connection.execute(_ONE_DELETE)
        took, used = time.perf_counter() - begun, meter.used()
    if left := await outlived(url):
        raise WrongResultError(f"Of {expected} outlived entries {left} are left after the single statement.")
    return Purged(expected, took, used)


@asynccontextmanager
async def old_snapshot(url: str) -> AsyncIterator[None]:
    """Hold a snapshot from before the block in another session, as a report or a backup does."""
    async with connected(url) as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.fetchval("SELECT count(*) FROM organizations")
        yield
