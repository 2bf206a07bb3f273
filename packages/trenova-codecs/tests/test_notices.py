import pytest

from trenova_codecs import _notices as notices


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Start each test with nothing said, at a time that it sets."""
    monkeypatch.setattr(notices, "_last", {})
    now = [1000.0]
    monkeypatch.setattr(notices.time, "monotonic", lambda: now[0])
    return now


def test_the_same_notice_comes_once_a_minute(clock, caplog):
    for seconds in (0, 30, 59, 61):
        clock[0] = 1000.0 + seconds
        notices.noticed("a", "said at %d", seconds)

    assert [record.getMessage() for record in caplog.records] == ["said at 0", "said at 61"]


def test_invented_ids_do_not_fill_the_log(clock, caplog):
    for number in range(10_000):
        notices.noticed(number, "about %d", number)
    assert len(caplog.records) == 256

    clock[0] += 60
    notices.noticed("a", "again")
    assert caplog.records[-1].getMessage() == "again"
