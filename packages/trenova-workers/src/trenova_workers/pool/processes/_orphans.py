"""Processes of pools that are no more, renamed or taken out of the file: nobody decides about them; they drain."""

import os
import socket
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from trenova_workers.pool._worker import PoolWorker, WorkerEnd, WorkerPhase
from trenova_workers.pool.processes._mark import born
from trenova_workers.pool.processes._spawning import ask_to_end, end_by_force
from trenova_workers.pool.store import Lease, PoolStore, WorkerRecord

ORPHAN_DRAIN_S: Final = 3600.0
"""Seconds that such a drain may take: what grace their service gives is not known any more."""


class OrphanProcesses:
    """Finds and drains processes on record whose pool a manager does not have.

    Args:
        store: Of their records.
        pools: Names of the manager's pools.
    """

    def __init__(self, store: PoolStore, pools: Sequence[str]) -> None:
        self._records, self._pools = store.workers, frozenset(pools)

    async def look(self, lease: Lease) -> tuple[Mapping[str, list[PoolWorker]], Mapping[str, list[WorkerEnd]]]:
        """Return those that are there and those that have ended, by the pool that they were of.

        Raises:
            LeaseLostError: Another manager may act.
        """
        there: defaultdict[str, list[PoolWorker]] = defaultdict(list)
        ends: defaultdict[str, list[WorkerEnd]] = defaultdict(list)
        records = [one for one in await self._records.alive(lease.scope) if one.pool not in self._pools]
        now = await self._records.now() if records else None
        for record in records:
            if now is None or not _here(record):
                continue
            if born(record.pid) == record.born:
                there[record.pool].append(_described(record))
                self._end_if_late(lease, record, now)
            else:
                ours = record.drain_at is not None
                await self._records.end(lease, record.id, ended="drained" if ours else "ended", status=None)
                ends[record.pool].append(WorkerEnd(record.id, crashed=False, ours=ours, said="it ended"))
        return there, ends

    async def drain(self, lease: Lease, worker_id: str, *, why: str) -> bool:
        """Ask one to end, once; False if it was asked already.

        Raises:
            LeaseLostError: Another manager may act.
        """
        record = await self._records.find(lease.scope, worker_id)
        if record is None or record.drain_at is not None or record.ended_at is not None:
            return False
        await self._records.drain(lease, worker_id, why=why, deadline_s=ORPHAN_DRAIN_S)
        lease.require()
        if born(record.pid) == record.born:
            ask_to_end(record.pid)
        return True

    def _end_if_late(self, lease: Lease, record: WorkerRecord, now: datetime) -> None:
        if record.deadline_at is not None and now >= record.deadline_at:
            lease.require()
            end_by_force(record.pid)


def _here(record: WorkerRecord) -> bool:
    """Whether it is of this machine: those of others all look as if they had ended."""
    return (
        record.host == socket.gethostname()
        or record.born.partition(":")[0] == (born(os.getpid()) or "").partition(":")[0]
    )


def _described(record: WorkerRecord) -> PoolWorker:
    draining = record.drain_at is not None
    there = WorkerPhase.STARTING if record.ready_at is None else WorkerPhase.RUNNING
    return PoolWorker(
        id=record.id,
        pool=record.pool,
        phase=WorkerPhase.DRAINING if draining else there,
        started_at=record.started_at,
        build=record.build,
        identity=record.identity,
        why=record.drain_why or "",
    )
