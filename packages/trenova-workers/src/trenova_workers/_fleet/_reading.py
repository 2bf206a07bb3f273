"""From heartbeats and pollers to the state of one worker."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, TypedDict

from temporalio.api.enums.v1 import WorkerStatus as ServerStatus
from temporalio.api.worker.v1 import WorkerHeartbeat, WorkerSlotsInfo

from trenova_workers._fleet._registrations import registrations_in
from trenova_workers._fleet._server import Poller
from trenova_workers._fleet._status import PollerCounts, QueueStatus, SlotUse, WorkerState, WorkerStatus
from trenova_workers._identity import parse_identity

LOST_AFTER: Final = 3
"""Heartbeats that a worker may miss."""
POLL_S: Final = 70.0
"""A poll is renewed after 60 s at the latest, by every SDK; a little is left for the way."""

# A worker that begins to drain reports once out of turn, so the time between its last two heartbeats says little.
_DRAINING_AT_LEAST_S: Final = 60.0
_SHORTEST_S, _LONGEST_S = 1.0, 60.0
_KINDS: Final = ("workflows", "activities", "local_activities", "nexus")


def key_of(beat: WorkerHeartbeat) -> str:
    """Return what tells a worker from all others."""
    return str(beat.worker_instance_key)


def heard(beat: WorkerHeartbeat) -> datetime:
    """Return when a heartbeat was sent, by the worker's clock."""
    return beat.heartbeat_time.ToDatetime(tzinfo=UTC)


def interval_of(beat: WorkerHeartbeat) -> float | None:
    """Return seconds between the last two heartbeats, within what servers allow; None before the second."""
    seconds = beat.elapsed_since_last_heartbeat.ToTimedelta().total_seconds()
    return min(max(seconds, _SHORTEST_S), _LONGEST_S) if seconds > 0 else None


def patience_of(beat: WorkerHeartbeat, heartbeat_s: float) -> float:
    """Return seconds of silence after which a worker is lost."""
    patience = LOST_AFTER * (interval_of(beat) or heartbeat_s)
    return max(patience, _DRAINING_AT_LEAST_S) if is_leaving(beat) else patience


def is_leaving(beat: WorkerHeartbeat) -> bool:
    """Whether the worker has said that it stops."""
    return beat.status in {ServerStatus.WORKER_STATUS_SHUTTING_DOWN, ServerStatus.WORKER_STATUS_SHUTDOWN}


def queue_of(beat: WorkerHeartbeat, age_s: float, heartbeat_s: float) -> QueueStatus:
    """Return what a heartbeat of this age says."""
    interval = interval_of(beat)
    return QueueStatus(
        queue=beat.task_queue,
        state=_state(beat, age_s, patience_of(beat, heartbeat_s)),
        instance_key=key_of(beat),
        seen_s=round(age_s, 1),
        heartbeat_s=None if interval is None else round(interval, 1),
        slots=_slots(beat),
        pollers=PollerCounts(
            workflows=beat.workflow_poller_info.current_pollers,
            sticky=beat.workflow_sticky_poller_info.current_pollers,
            activities=beat.activity_poller_info.current_pollers,
            nexus=beat.nexus_poller_info.current_pollers,
        ),
        cached_workflows=beat.current_sticky_cache_size,
        cache_hits=beat.total_sticky_cache_hit,
        cache_misses=beat.total_sticky_cache_miss,
        registrations=registrations_in(plugin.name for plugin in beat.plugins),
    )


def _state(beat: WorkerHeartbeat, age_s: float, patience_s: float) -> WorkerState:
    if is_leaving(beat):
        # There is no last heartbeat: one that said it would leave and had nothing to finish has left.
        busy = any(slots.current_used_slots for slots in _infos(beat).values())
        over = beat.status == ServerStatus.WORKER_STATUS_SHUTDOWN or not busy or age_s > patience_s
        return WorkerState.STOPPED if over else WorkerState.DRAINING
    return WorkerState.LOST if age_s > patience_s else WorkerState.RUNNING


def _infos(beat: WorkerHeartbeat) -> Mapping[str, WorkerSlotsInfo]:
    infos = (
        beat.workflow_task_slots_info,
        beat.activity_task_slots_info,
        beat.local_activity_slots_info,
        beat.nexus_task_slots_info,
    )
    return dict(zip(_KINDS, infos, strict=True))


def _slots(beat: WorkerHeartbeat) -> dict[str, SlotUse]:
    return {
        kind: SlotUse(
            used=info.current_used_slots, available=info.current_available_slots, supplier=info.slot_supplier_kind
        )
        for kind, info in _infos(beat).items()
        if info.current_used_slots or info.current_available_slots
    }


def queue_polled(poller: Poller, age_s: float) -> QueueStatus:
    """Return what a worker without heartbeats does, by its last poll."""
    state = WorkerState.LOST if age_s > POLL_S else WorkerState.RUNNING
    return QueueStatus(queue=poller.queue, state=state, seen_s=round(age_s, 1))


def worker_of(beat: WorkerHeartbeat, queues: list[QueueStatus]) -> WorkerStatus:
    """Return one process; ``beat`` is any of its queues'."""
    who = parse_identity(beat.worker_identity)
    pid = beat.host_info.process_id
    return WorkerStatus(
        identity=beat.worker_identity,
        heartbeats=True,
        service=who.service if who else None,
        instance=who.instance if who else None,
        host=who.host if who else beat.host_info.host_name or None,
        pid=who.pid if who else int(pid) if pid.isdecimal() else None,
        build_id=beat.deployment_version.build_id or None,
        deployment=beat.deployment_version.deployment_name or None,
        sdk=f"{beat.sdk_name} {beat.sdk_version}",
        started=beat.start_time.ToDatetime(tzinfo=UTC),
        **_of_all(queues),
    )


def worker_polling(poller: Poller, queues: list[QueueStatus]) -> WorkerStatus:
    """Return one process that is known by its polls."""
    who = parse_identity(poller.identity)
    return WorkerStatus(
        identity=poller.identity,
        heartbeats=False,
        service=who.service if who else None,
        instance=who.instance if who else None,
        host=who.host if who else None,
        pid=who.pid if who else None,
        build_id=poller.build_id or None,
        deployment=poller.deployment or None,
        **_of_all(queues),
    )


class _OfAll(TypedDict):
    state: WorkerState
    seen_s: float
    queues: tuple[QueueStatus, ...]


def _of_all(queues: list[QueueStatus]) -> _OfAll:
    return _OfAll(
        state=min((queue.state for queue in queues), key=list(WorkerState).index),
        seen_s=min(queue.seen_s for queue in queues),
        queues=tuple(sorted(queues, key=lambda queue: queue.queue)),
    )
