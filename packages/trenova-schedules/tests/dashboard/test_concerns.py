"""What is wrong with schedules by looks at them: what no server can be brought to on purpose, and what it counts."""

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.schedule.v1 import ScheduleSpec

from trenova_schedules import ScheduleSlo
from trenova_schedules._managing._listed import ListedSchedule
from trenova_schedules._reading._document import RunDocument, ScheduleCounts, ScheduleDocument
from trenova_schedules.dashboard.overview._attention import Attention
from trenova_schedules.dashboard.overview._backlog import Backlog
from trenova_schedules.dashboard.overview._concern import Concern, Kind, Severity
from trenova_schedules.dashboard.overview._described import Described, Known
from trenova_schedules.dashboard.overview._server_concerns import pause_concerns, server_concerns
from trenova_schedules.store import PauseInterval

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def described(**fields):
    told = {"id": "s", "etag": "e", "workflow": "Ship", "task_queue": "orders", "catchup_window": HOUR}
    told["next_fires"] = (NOW + HOUR,)
    document = ScheduleDocument(**{**told, **fields})
    return Described(document=document, spec=ScheduleSpec(), fires=b"", paused_since=None, at=NOW)


def running(since):
    return RunDocument(workflow_id="w", run_id="r", started_at=since, scheduled_at=since)


def found(look, **line):
    return server_concerns([ListedSchedule(id="s", **line)], {"s": look} if look else {}, (), NOW)


def test_what_the_server_calls_invalid_is_broken():
    (one,) = found(described(invalid_reason="no such zone", next_fires=()))
    assert (one.kind, one.level, one.text) == (
        Kind.INVALID,
        Severity.BROKEN,
        "the server cannot work with it: no such zone",
    )


def test_one_that_nobody_has_looked_at_yet_is_not_called_anything():
    assert found(None) == []


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"next_fires": (), "end_at": NOW - HOUR}, "its end has passed"),
        ({"next_fires": ()}, "no time to come fits what it says"),
        ({"remaining_actions": 0}, "it has started as many runs as it was told to"),
    ],
)
def test_what_fires_no_more_is_held(fields, text):
    (one,) = found(described(**fields))
    assert (one.kind, one.level, one.text) == (Kind.OVER, Severity.HELD, text)
    assert found(described(**fields, paused=True), paused=True) == []


def test_a_run_is_too_long_against_its_limit_only():
    run = running(NOW - HOUR)
    (one,) = found(described(slo=ScheduleSlo(max_run_time=20 * MINUTE)), recent_runs=(run,))
    assert (one.kind, one.text, one.since) == (
        Kind.STUCK,
        "a run goes on for 1 h; its limit is 20 min",
        NOW - 40 * MINUTE,
    )
    assert one.run == run
    assert found(described(slo=ScheduleSlo(max_run_time=2 * HOUR)), recent_runs=(run,)) == []


def test_a_run_that_outlasts_the_interval_and_starts_that_wait_are_one_thing():
    line = {"recent_runs": (running(NOW - HOUR),), "next_fires": tuple(NOW + n * 10 * MINUTE for n in (1, 2, 3))}
    (one,) = found(described(counts=ScheduleCounts(buffer_size=2)), **line)
    assert one.kind is Kind.BEHIND
    assert one.text == "a run goes on for 1 h, and the next is due every 10 min; 2 starts wait for a run to end"
    assert found(described(overlap="allow_all"), **line) == []


def test_a_pause_by_the_server_is_broken_and_one_by_somebody_is_held():
    lines = [
        ListedSchedule(id="a", paused=True, note="paused due to workflow failure: a-1: it broke"),
        ListedSchedule(id="b", paused=True, note="Paused by ana: month end"),
        ListedSchedule(id="c", paused=True),
        ListedSchedule(id="d"),
    ]
    since = NOW - HOUR
    pauses = {"c": PauseInterval(schedule_id="c", from_at=since, certain_from=NOW)}
    server, ana, nobody = pause_concerns(lines, {}, pauses)
    assert [one.level for one in (server, ana, nobody)] == [Severity.BROKEN, Severity.HELD, Severity.HELD]
    assert ana.text == "Paused by ana: month end"
    assert (nobody.text, nobody.since) == ("nobody has said who paused it, or why", since)


def test_what_has_gone_on_for_longest_is_first_and_what_is_held_counts_apart():
    concerns = [
        Concern(kind=Kind.PAUSED, ids=("p",), text=""),
        Concern(kind=Kind.MISSED, ids=("new",), text="", since=NOW),
        Concern(kind=Kind.MISSED, ids=("unknown",), text=""),
        Concern(kind=Kind.MISSED, ids=("old",), text="", since=NOW - HOUR),
        Concern(kind=Kind.UNSERVED, ids=("x", "y"), text="", queue="q"),
    ]
    ordered = sorted(concerns, key=lambda one: one.rank)
    assert [one.schedule_id for one in ordered] == ["old", "new", "unknown", "x", "p"]
    attention = Attention(concerns=ordered, failing={}, known=Known({}, 0, None), observed=NOW, ledger=True)
    assert attention.ids == {"old", "new", "unknown", "x", "y"}
    assert attention.kinds == [(Kind.MISSED, 3), (Kind.UNSERVED, 2), (Kind.PAUSED, 1)]
    assert [level for level, _ in attention.levels] == [Severity.BROKEN, Severity.HELD]


async def test_a_backlog_does_each_once_a_few_at_a_time_and_passes_over_what_fails():
    import asyncio

    from trenova_errors import UnavailableError

    done, most, now = [], 0, 0

    async def work(key):
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        if key == 3:
            raise UnavailableError("It is away.")
        done.append(key)

    backlog = Backlog(work, at_once=2)
    backlog.add(range(5))
    backlog.add(range(5))
    assert backlog.left == 5
    assert await backlog.settle(5)
    assert (sorted(done), most) == ([0, 1, 2, 4], 2)
    backlog.add([3, 9])
    with backlog.held():
        assert not await backlog.settle(0.1)
    assert await backlog.settle(5)
    assert done[-1] == 9
