from datetime import UTC, datetime

import pytest

from trenova_workers.pool import ProcessOptions, WorkerPhase
from trenova_workers.pool.processes._backend import _ending
from trenova_workers.pool.processes._health import Said
from trenova_workers.pool.processes._looking import Acquaintance, described
from trenova_workers.pool.processes._mark import born
from trenova_workers.pool.store import WorkerRecord

NOW = datetime(2026, 11, 28, tzinfo=UTC)
OPTIONS = ProcessOptions(module="x", start_limit_s=10, silent_s=5)
READY = Said(ready=True, draining=False, failed=False, identity="w@h:1#abcdef12")
STARTING = Said(ready=False, draining=False, failed=False, identity="w@h:1#abcdef12")
ASKED = Said(ready=False, draining=True, failed=False, identity="w@h:1#abcdef12")
FAILED = Said(ready=False, draining=True, failed=True, identity="w@h:1#abcdef12")


def record(**more):
    told = {"id": "w", "scope": "s", "pool": "p", "fence": 1, "host": "h", "pid": 2**22 + 1, "born": "b", "build": "1"}
    return WorkerRecord(**told, port=1, started_at=NOW, **more)


def looked(said, *, age_s=60.0, silent_s=0.0, **more):
    known, one = Acquaintance(), record(**more)
    known.met -= silent_s
    if said is not None:
        known.hear(said, one)
    return described(one, said, known, OPTIONS, age_s=age_s), known


@pytest.mark.parametrize(
    ("said", "more", "phase"),
    [
        (STARTING, {}, WorkerPhase.STARTING),
        (None, {"age_s": 5.0}, WorkerPhase.STARTING),
        (None, {"age_s": 11.0}, WorkerPhase.LOST),
        (STARTING, {"age_s": 999.0}, WorkerPhase.STARTING),
        (READY, {}, WorkerPhase.RUNNING),
        (None, {"ready_at": NOW}, WorkerPhase.RUNNING),
        (None, {"ready_at": NOW, "silent_s": 6.0}, WorkerPhase.LOST),
        (None, {"ready_at": NOW, "drain_at": NOW, "silent_s": 99.0}, WorkerPhase.DRAINING),
        (ASKED, {"ready_at": NOW}, WorkerPhase.DRAINING),
        (FAILED, {"ready_at": NOW}, WorkerPhase.DRAINING),
    ],
)
def test_what_a_worker_does_is_told_by_record_and_answer(said, more, phase):
    assert looked(said, **more)[0].phase is phase


def test_a_worker_that_fails_is_a_crash_and_one_that_somebody_else_asked_to_end_is_none():
    failing, known = looked(FAILED, ready_at=NOW)
    assert (failing.failing, failing.why) == (True, "something in it failed")
    assert _ending(record(ready_at=NOW), known, None) == "crashed"
    asked, known = looked(ASKED, ready_at=NOW)
    assert (asked.failing, asked.why) == (False, "somebody else asked it to end")
    assert _ending(record(ready_at=NOW), known, None) == "ended"


def test_how_workers_end():
    known = Acquaintance()
    assert _ending(record(), known, 2) == "crashed"
    assert _ending(record(ready_at=NOW), known, -9) == "crashed"
    assert _ending(record(ready_at=NOW), known, 0) == "ended"
    assert _ending(record(ready_at=NOW, drain_at=NOW), known, 0) == "drained"
    assert _ending(record(drain_at=NOW), known, -15) == "stopped"
    known.forced = True
    assert _ending(record(ready_at=NOW, drain_at=NOW), known, -9) == "killed"


def test_the_mark_of_a_process_is_its_own_and_none_is_left_of_one_that_is_gone():
    import os
    import subprocess
    import sys

    assert born(os.getpid()) == born(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", ""])
    try:
        mark = born(child.pid)
        assert mark != born(os.getpid())
    finally:
        child.wait()
    assert born(child.pid) is None
