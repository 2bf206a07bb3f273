"""Slots as they are shown, where a heartbeat says less than one might read out of it."""

import pytest
from temporalio.api.enums.v1 import WorkerStatus as ServerStatus
from temporalio.api.worker.v1 import WorkerHeartbeat, WorkerSlotsInfo

from trenova_workers import WorkerState
from trenova_workers._fleet._reading import queue_of, worker_of
from trenova_workers._fleet._table import lines_of

RUNNING, LEAVING = ServerStatus.WORKER_STATUS_RUNNING, ServerStatus.WORKER_STATUS_SHUTTING_DOWN


def custom(used):
    """What the SDK says of resizable slots: never how many are free."""
    return WorkerSlotsInfo(current_used_slots=used, slot_supplier_kind="Custom")


def fixed(used, available):
    return WorkerSlotsInfo(current_used_slots=used, current_available_slots=available, slot_supplier_kind="Fixed")


@pytest.mark.parametrize(
    ("status", "age_s", "activities", "state", "shown"),
    [
        (RUNNING, 1, custom(1), WorkerState.RUNNING, "a:1/?"),
        (RUNNING, 1, fixed(1, 2), WorkerState.RUNNING, "a:1/3"),
        (RUNNING, 1, fixed(3, 0), WorkerState.RUNNING, "a:3/3"),
        (LEAVING, 1, custom(1), WorkerState.DRAINING, "a:1/?"),
        # What it had when it was last heard of it has no longer.
        (LEAVING, 900, custom(1), WorkerState.STOPPED, "-"),
        (LEAVING, 900, fixed(1, 2), WorkerState.STOPPED, "-"),
    ],
)
def test_only_slots_that_are_told_are_counted_and_a_stopped_worker_has_none(status, age_s, activities, state, shown):
    beat = WorkerHeartbeat(
        worker_identity="w@h:1#aaaaaaaa", task_queue="q", status=status, activity_task_slots_info=activities
    )
    queue = queue_of(beat, age_s, 5.0)

    [line] = lines_of([worker_of(beat, [queue])])
    assert queue.state == state
    assert f" slots={shown} " in line
