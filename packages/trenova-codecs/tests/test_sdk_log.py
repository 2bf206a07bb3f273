"""The SDK's own lines about tasks that wait for their codec, as a filter meets them."""

import logging

import pytest

from trenova_codecs import UnknownKeyError
from trenova_codecs._sdk_log import UndecodedTasks, one_line_each, speaks_for_workers

WORKFLOWS = logging.getLogger("temporalio.worker._workflow")
RUN = "Failed handling activation on workflow with run ID %s"


def failed(error: BaseException, run_id: str = "run-1", name: str = WORKFLOWS.name) -> logging.LogRecord:
    try:
        raise error
    except type(error) as caught:
        info = (type(caught), caught, caught.__traceback__)
    return logging.LogRecord(name, logging.ERROR, __file__, 1, RUN, (run_id,), info)


def lacking(key_id: str = "k1") -> UnknownKeyError:
    return UnknownKeyError(f"Payload needs key {key_id!r}.", key_id=key_id)


def test_a_task_has_a_line_at_its_attempts_1_10_and_100(caplog):
    undecoded = UndecodedTasks()

    assert not any(undecoded.filter(failed(lacking())) for _ in range(150))
    assert [record.attempt for record in caplog.records] == [1, 10, 100]
    assert {(record.run_id, record.key_id, record.exc_info) for record in caplog.records} == {("run-1", "k1", None)}


def test_each_run_has_its_own(caplog):
    undecoded = UndecodedTasks()

    for number in range(3):
        assert not undecoded.filter(failed(lacking(), f"run-{number}"))
    assert [record.run_id for record in caplog.records] == ["run-0", "run-1", "run-2"]


def test_what_another_wait_a_long_time_later_says_is_a_first_line_again(caplog, monkeypatch):
    undecoded, now = UndecodedTasks(), [0.0]
    monkeypatch.setattr("trenova_codecs._sdk_log.time.monotonic", lambda: now[0])

    for seconds in (0.0, 600.0, 7200.0):
        now[0] = seconds
        undecoded.filter(failed(lacking()))
    assert [record.attempt for record in caplog.records] == [1, 1]


@pytest.mark.parametrize("error", [ValueError("planted"), RuntimeError("planted")])
def test_what_a_codec_was_not_the_reason_for_passes_as_it_is(error, caplog):
    record = failed(error)

    assert UndecodedTasks().filter(record)
    assert record.exc_info[1] is error
    assert caplog.records == []


def test_what_the_code_of_an_activity_meets_keeps_its_line(caplog):
    def execute_activity() -> None:
        raise lacking()

    try:
        execute_activity()
    except UnknownKeyError as caught:
        info = (type(caught), caught, caught.__traceback__)
    record = logging.LogRecord("temporalio.activity", logging.WARNING, __file__, 1, "Completing", (), info)

    assert UndecodedTasks().filter(record)
    assert caplog.records == []


def test_it_stands_before_other_filters_while_a_worker_runs_and_goes_with_the_last():
    other = logging.Filter()
    WORKFLOWS.addFilter(other)
    try:
        with one_line_each():
            with one_line_each():
                assert [type(one) for one in WORKFLOWS.filters] == [UndecodedTasks, logging.Filter]
            assert speaks_for_workers()
        assert WORKFLOWS.filters == [other]
        assert not speaks_for_workers()
    finally:
        WORKFLOWS.removeFilter(other)
