"""One cancellation of every stale shipment, by the job and by statements over the whole set."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bulk.batches import Batch, Batches, Shares, shares
from bulk.calls import run_nightly
from bulk.meter import Meter, Used
from bulk.site import Site, connected
from bulk.verdicts import WrongResultError
from trenova_activities import CancelShipmentsPayload
from trenova_activities.database import CancellationActivities, Database, DatabaseOptions

_REASON = "Automatically canceled by shipment control settings"
_CLOSED = "status = 'Canceled', version = t.version + 1, updated_at = meant.at"
_OPEN = "t.status NOT IN ('Completed', 'Canceled')"
_OF_MOVE = """
    FROM shipment_moves m JOIN meant ON m.shipment_id = meant.id AND m.organization_id = meant.organization_id
        AND m.business_unit_id = meant.business_unit_id
    WHERE t.shipment_move_id = m.id AND t.organization_id = m.organization_id
        AND t.business_unit_id = m.business_unit_id"""
_SET_BASED = f"""
    CREATE TEMP TABLE meant ON COMMIT DROP AS
    SELECT s.id, s.organization_id, s.business_unit_id, s.pro_number, s.created_at, unix_now() AS at
    FROM shipments s JOIN shipment_controls c USING (organization_id, business_unit_id)
    WHERE c.auto_cancel_shipments AND s.status = 'New' AND s.created_at >= 0
        AND s.created_at <= unix_now() - c.auto_cancel_shipments_threshold * 86400;
    ANALYZE meant;
    UPDATE shipments t SET {_CLOSED}, canceled_at = meant.at, cancel_reason = '{_REASON}' FROM meant
    WHERE t.id = meant.id AND t.organization_id = meant.organization_id
        AND t.business_unit_id = meant.business_unit_id AND t.status = 'New';
    UPDATE shipment_moves t SET {_CLOSED} FROM meant
    WHERE t.shipment_id = meant.id AND t.organization_id = meant.organization_id
        AND t.business_unit_id = meant.business_unit_id AND {_OPEN};
    UPDATE stops t SET {_CLOSED} {_OF_MOVE} AND {_OPEN};
    UPDATE assignments t SET {_CLOSED} {_OF_MOVE} AND {_OPEN};
    INSERT INTO audit_entries (id, business_unit_id, organization_id, principal_type, principal_id, resource,
        resource_id, operation, timestamp, previous_state, current_state, metadata, correlation_id, comment, category)
    SELECT 'ae_' || upper(lpad(to_hex(row_number() OVER ()), 26, '0')), business_unit_id, organization_id, 'system',
        'system', 'shipment', id, 'cancel', at,
        jsonb_build_object('id', id, 'proNumber', pro_number, 'status', 'New'),
        jsonb_build_object('id', id, 'proNumber', pro_number, 'status', 'Canceled', 'canceledAt', at,
            'cancelReason', '{_REASON}'),
        jsonb_build_object('jobType', 'cancel_shipments', 'runId', 'bench', 'createdAt', created_at),
        'bench/bench', '{_REASON}', 'shipment' FROM meant"""
# What must be the same, whoever did it; the moment and the ids of entries are not.
_EFFECT = """
    SELECT md5(string_agg(line, chr(10) ORDER BY line COLLATE "C")) FROM (
        SELECT concat_ws(' ', id, status, version, cancel_reason, canceled_at IS NULL, canceled_by_id) AS line
            FROM shipments
        UNION ALL SELECT concat_ws(' ', id, status, version) FROM shipment_moves
        UNION ALL SELECT concat_ws(' ', id, status, version) FROM stops
        UNION ALL SELECT concat_ws(' ', id, status, version) FROM assignments
        UNION ALL SELECT concat_ws(' ', organization_id, business_unit_id, user_id, principal_type, principal_id,
            resource, resource_id, operation, previous_state, current_state - 'canceledAt', metadata, comment, category,
            correlation_id) FROM audit_entries WHERE operation = 'cancel') lines"""


@dataclass(frozen=True)
class Canceled:
    """What it took.

    Attributes:
        shipments: How many were canceled.
        seconds: From the first look at the database to the end.
        effect: Fingerprint of what the database holds afterwards.
        used: Processor time meanwhile.
        batches: The transactions that canceled; none for the statements over the whole set.
    """

    shipments: int
    seconds: float
    effect: str
    used: Used
    batches: Sequence[Batch] = field(default=(), repr=False)

    @property
    def per_second(self) -> float:
        """Shipments per second."""
        return self.shipments / self.seconds

    def batch_ms(self, share: float) -> float:
        """How long a transaction took, at a share of them: 0.5 for the median, 1 for the longest."""
        times = sorted(batch.took for batch in self.batches) or [self.seconds]
        return times[min(len(times) - 1, int(share * len(times)))] * 1000

    @property
    def shares(self) -> Shares:
        """Where the time went."""
        return shares(self.batches, self.seconds)


async def by_job(where: Site, url: str, stale: int) -> Canceled:
    """Run the nightly job as its worker does.

    Raises:
        WrongResultError: It canceled another number.
    """
    async with Database.open(DatabaseOptions(url=url)) as database:
        activities = await CancellationActivities.open(database)
        # A worker that has run a while has its connections and statements.
        await run_nightly(database, activities.cancel, CancelShipmentsPayload(organization_ids=["none"]), "warm")
        batches = Batches(database.engine, "UPDATE shipments")
        meter, begun = Meter(where.server.pid), time.perf_counter()
        progress = await run_nightly(database, activities.cancel, CancelShipmentsPayload(), "bench")
        took, used = time.perf_counter() - begun, meter.used()
    if progress.rows != stale or progress.failure:
        raise WrongResultError(f"The job canceled {progress.rows} of {stale} stale shipments. {progress.failure}")
    return Canceled(stale, took, await _effect(url), used, batches.seen)


async def by_statements(where: Site, url: str, stale: int) -> Canceled:
    """Do the same to the whole set at once, in one transaction."""
    async with connected(url) as connection:
        meter, begun = Meter(where.server.pid), time.perf_counter()
        async with connection.transaction():
            for statement in _SET_BASED.split(";"):
                await connection.execute(statement)
        took, used = time.perf_counter() - begun, meter.used()
    return Canceled(stale, took, await _effect(url), used)


async def _effect(url: str) -> str:
    async with connected(url) as connection:
        return str(await connection.fetchval(_EFFECT))
