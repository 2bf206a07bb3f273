"""What a worker's heartbeats add to what its backend knows of it."""

from collections import defaultdict
from datetime import datetime, timedelta

from trenova_workers._fleet._status import CUSTOM, SlotUse, WorkerStatus
from trenova_workers.pool._worker import PoolWorker, WorkerSlots


def heard(worker: PoolWorker, status: WorkerStatus, at: datetime | None) -> PoolWorker:
    """Return the worker with host, version, the time of its last heartbeat and its slots by kind.

    Args:
        worker: As its backend sees it.
        status: As the server does.
        at: When the server was asked; None where nobody noted it.
    """
    deployment = f"{status.deployment} {status.build_id}" if status.deployment and status.build_id else ""
    told = at is not None and status.heartbeats
    return worker.model_copy(
        update={
            "host": worker.host or status.host,
            "pid": worker.pid or status.pid,
            "version": ", ".join(part for part in (deployment, status.sdk) if part),
            "heard_at": at - timedelta(seconds=status.seen_s) if told and at is not None else None,
            "heartbeat_s": max((one.heartbeat_s for one in status.queues if one.heartbeat_s), default=None),
            "slots_by_kind": _slots(status),
        }
    )


def _slots(status: WorkerStatus) -> dict[str, WorkerSlots]:
    uses: defaultdict[str, list[SlotUse]] = defaultdict(list)
    for queue in status.queues:
        for kind, use in queue.slots.items():
            uses[kind].append(use)
    return {
        kind: WorkerSlots(
            used=sum(one.used for one in found),
            total=None
            if any(one.supplier == CUSTOM for one in found)
            else sum(one.used + one.available for one in found),
        )
        for kind, found in uses.items()
    }
