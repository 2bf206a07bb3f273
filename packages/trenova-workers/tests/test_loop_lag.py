import asyncio
import logging
import time

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from trenova_workers._loop_lag import LoopLag


def holds_the_loop_up(seconds):
    time.sleep(seconds)


def told(caplog):
    return [record for record in caplog.records if "event loop is blocked" in record.message]


async def test_a_blocked_loop_is_told_once_with_the_stack_of_what_blocks_it(caplog):
    async with LoopLag("sample", warn_after_s=0.4) as lag:
        await asyncio.sleep(0.15)
        holds_the_loop_up(0.9)
        await asyncio.sleep(0.15)
        holds_the_loop_up(0.9)
        await asyncio.sleep(0.15)

    [record] = told(caplog)
    assert record.levelno == logging.WARNING
    assert "holds_the_loop_up" in record.stack
    assert record.late_s >= 0.4
    assert lag.worst() >= 0.5


async def test_a_loop_that_turns_is_not_told(caplog):
    async with LoopLag("sample", warn_after_s=2) as lag:
        for _ in range(10):
            await asyncio.sleep(0.05)

    assert told(caplog) == []
    assert lag.worst() < 2


async def test_without_a_threshold_the_lag_is_measured_and_nothing_is_logged(caplog):
    async with LoopLag("sample", warn_after_s=None) as lag:
        await asyncio.sleep(0.05)
        holds_the_loop_up(0.6)
        await asyncio.sleep(0.3)

    assert told(caplog) == []
    assert lag.worst() > 0.3


async def test_the_worst_lag_is_a_gauge_by_service():
    reader = InMemoryMetricReader()
    async with LoopLag("sample", warn_after_s=None, meter=MeterProvider([reader]).get_meter("trenova_workers")):
        await asyncio.sleep(0.05)
        holds_the_loop_up(0.6)
        await asyncio.sleep(0.3)

    [resource] = reader.get_metrics_data().resource_metrics
    found = {metric.name: metric for scope in resource.scope_metrics for metric in scope.metrics}
    [point] = found["trenova_workers_event_loop_lag_seconds"].data.data_points
    assert dict(point.attributes) == {"service": "sample"}
    assert point.value > 0.3
