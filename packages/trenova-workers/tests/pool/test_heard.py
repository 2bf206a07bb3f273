from datetime import UTC, datetime, timedelta

from trenova_workers import QueueStatus, SlotUse, WorkerState, WorkerStatus
from trenova_workers.pool import PoolWorker, WorkerPhase, WorkerSlots
from trenova_workers.pool._heard import heard

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
WORKER = PoolWorker(id="w1", pool="p", phase=WorkerPhase.RUNNING, started_at=NOW, build="7", host="pod-1")


def queue(name, **slots):
    return QueueStatus(queue=name, state=WorkerState.RUNNING, seen_s=3, heartbeat_s=5, slots=slots)


def status(*queues, heartbeats=True, **more):
    told = {"identity": "s@node:7#abcdef", "state": WorkerState.RUNNING, "host": "node", "pid": 7, "seen_s": 3.0}
    return WorkerStatus(queues=queues, heartbeats=heartbeats, **{**told, **more})


def test_heartbeats_say_version_age_and_slots_of_all_queues_by_kind():
    one = queue("a", workflows=SlotUse(used=2, available=8), activities=SlotUse(used=1, available=4))
    two = queue("b", workflows=SlotUse(used=1, available=9))
    told = heard(WORKER, status(one, two, sdk="temporal-python 1.35", deployment="dispatch", build_id="7"), NOW)
    assert (told.host, told.pid) == ("pod-1", 7)
    assert told.version == "dispatch 7, temporal-python 1.35"
    assert told.heard_at == NOW - timedelta(seconds=3)
    assert told.heartbeat_s == 5
    assert told.slots_by_kind == {
        "workflows": WorkerSlots(used=3, total=20),
        "activities": WorkerSlots(used=1, total=5),
    }


def test_slots_of_a_supplier_that_does_not_tell_have_no_total():
    told = heard(WORKER, status(queue("a", activities=SlotUse(used=4, available=0, supplier="Custom"))), NOW)
    assert told.slots_by_kind == {"activities": WorkerSlots(used=4)}


def test_a_worker_known_by_its_polls_alone_was_not_heard():
    told = heard(WORKER, status(queue("a"), heartbeats=False, build_id="hash"), NOW)
    assert (told.heard_at, told.version, told.slots_by_kind) == (None, "", {})
    assert heard(WORKER, status(queue("a")), None).heard_at is None
