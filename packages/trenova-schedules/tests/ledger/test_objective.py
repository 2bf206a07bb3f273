"""Failures and recoveries are told once each."""

from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from trenova_schedules import ScheduleSlo
from trenova_schedules.ledger import LedgerMetrics, Standing, Tick, TickClass, judge

T0 = datetime(2026, 11, 2, 8, tzinfo=UTC)
HEALTHY = Standing(judged_to=T0 - timedelta(days=1))
SLO = ScheduleSlo(failure_threshold=2, recovery_threshold=2, max_run_time=timedelta(minutes=5))
GOOD, MISS, PAUSED, PENDING = TickClass.ON_TIME, TickClass.REAL_MISS, TickClass.PAUSED, TickClass.PENDING


def at(n):
    return T0 + timedelta(hours=n)


def tick(n, state=GOOD, *, status="COMPLETED", minutes=1, closed=True):
    has_run = state in {GOOD, TickClass.LATE, TickClass.DELAYED_OVERLAP}
    started = at(n) if has_run else None
    return Tick.model_validate(
        {
            "schedule_id": "s",
            "at": at(n),
            "class": state,
            "started_at": started,
            "closed_at": at(n) + timedelta(minutes=minutes) if has_run and closed else None,
            "status": status if has_run else None,
            "observed_at": at(99),
        }
    )


def kinds(ticks, standing=HEALTHY, slo=SLO, now=99):
    standing, alerts = judge("s", standing, ticks, slo, at(now))
    return standing, [(alert.kind, (alert.at - T0) / timedelta(hours=1)) for alert in alerts]


def test_a_failure_is_told_at_its_threshold_and_a_recovery_at_its_own_and_each_once():
    states = [MISS, GOOD, MISS, MISS, MISS, GOOD, MISS, GOOD, GOOD, GOOD]
    _, told = kinds([tick(n, state) for n, state in enumerate(states)])
    assert told == [("failure", 3), ("recovery", 8)]


def test_what_was_judged_is_not_judged_again_and_tells_the_same_key():
    ticks = [tick(n, MISS) for n in range(4)]
    standing, first = judge("s", HEALTHY, ticks, SLO, at(99))
    again, second = judge("s", HEALTHY, ticks, SLO, at(99))
    assert [alert.key for alert in first] == [alert.key for alert in second]
    assert judge("s", standing, ticks, SLO, at(99)) == (again, [])


@pytest.mark.parametrize("state", [PAUSED, TickClass.SKIPPED_OVERLAP, TickClass.INCONCLUSIVE])
def test_what_is_nobodys_fault_counts_neither_way(state):
    _, told = kinds([tick(0, MISS), tick(1, state), tick(2, MISS)])
    assert told == [("failure", 2)]


@pytest.mark.parametrize(
    "bad",
    [
        {"status": "FAILED"},
        {"status": "TIMED_OUT"},
        {"minutes": 6},
        {"closed": False},
        {"state": TickClass.LATE},
        {"state": TickClass.MISSED_CATCHUP},
        {"state": TickClass.DROPPED_BUFFER},
    ],
)
def test_a_tick_is_bad_if_its_run_was(bad):
    _, told = kinds([tick(0, **bad), tick(1, **bad)])
    assert told == [("failure", 1)]


def test_ticks_after_one_that_is_not_decided_wait_for_it():
    standing, told = kinds([tick(0, MISS), tick(1, closed=False), tick(2, MISS), tick(3, MISS)], now=1.05)
    assert (standing.judged_to, told) == (at(0), [])
    assert kinds([tick(0, MISS), tick(1, PENDING), tick(2, MISS)])[1] == []


def test_schedules_beyond_the_cap_share_one_label():
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    before = metrics.get_meter
    metrics.get_meter = provider.get_meter
    try:
        counted = LedgerMetrics(most_ids=2)
    finally:
        metrics.get_meter = before
    for name in ("a", "b", "c", "d", "a"):
        counted.settled(name, [tick(0)])
        counted.standing(name, failing=True)
    (scope,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
    found = {metric.name: metric.data.data_points for metric in scope.metrics}
    ticks = {point.attributes["schedule_id"]: point.value for point in found["trenova_schedules_ticks"]}
    assert ticks == {"a": 2, "b": 1, "other": 2}
    assert {point.attributes["schedule_id"] for point in found["trenova_schedules_failing"]} == {"a", "b"}
    provider.shutdown()
