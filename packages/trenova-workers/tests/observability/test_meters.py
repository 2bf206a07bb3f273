import re
import time

import httpx
import pytest
from opentelemetry.metrics import Observation
from sample_worker.waiting import eventually
from temporalio.common import MetricMeter

from trenova_workers import MetricsOptions, WorkerOptions
from trenova_workers._observability import _meters
from trenova_workers._observability._meters import RuntimeMeters
from trenova_workers._tuning._telemetry import Telemetry, make_telemetry


@pytest.fixture
def telemetry() -> Telemetry:
    metrics = MetricsOptions(exporter="prometheus", buckets={"trenova_odd_seconds": [0.5, 2]})
    return make_telemetry(WorkerOptions(metrics=metrics), {"service": "odd"})


@pytest.fixture
def meters(telemetry) -> RuntimeMeters:
    meters = RuntimeMeters()
    meters.attach(telemetry.runtime.metric_meter, {"service"})
    return meters


def scraped(telemetry: Telemetry, name: str) -> dict[str, str]:
    lines = httpx.get(telemetry.metrics).text.splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if line.startswith(name))


def test_a_counter_has_the_name_that_opentelemetrys_exporter_gives_it(telemetry, meters):
    counter = meters.get_meter("odd").create_counter("trenova_odd_things", "{thing}", "Odd things")
    counter.add(2, {"kind": "a"})
    counter.add(3, {"kind": "a", "more.of": ("x",)})

    found = scraped(telemetry, "trenova_odd_things")
    assert sorted(found.values()) == ["2", "3"]
    assert any('kind="a"' in line and 'service="odd"' in line and "more_of" in line for line in found)
    assert all(line.startswith("trenova_odd_things_total{") for line in found)


def test_fractions_that_are_counted_are_not_lost(telemetry, meters):
    counter = meters.get_meter("odd").create_counter("trenova_odd_fractions")
    for _ in range(5):
        counter.add(0.5)

    assert list(scraped(telemetry, "trenova_odd_fractions").values()) == ["2"]


def test_a_duration_is_in_seconds_by_name_and_has_the_bounds_of_the_settings(telemetry, meters):
    histogram = meters.get_meter("odd").create_histogram("trenova_odd", "s")
    histogram.record(1.25)

    found = scraped(telemetry, "trenova_odd_seconds")
    assert {line.split('le="')[1].split('"')[0]: value for line, value in found.items() if "_bucket" in line} == {
        "0.5": "0",
        "2": "1",
        "+Inf": "1",
    }
    assert next(value for line, value in found.items() if "_sum" in line) == "1.25"


def test_what_goes_up_and_down_is_a_gauge_of_its_sum(telemetry, meters):
    held = meters.get_meter("odd").create_up_down_counter("trenova_odd_held")
    held.add(3)
    held.add(-1)

    assert list(scraped(telemetry, "trenova_odd_held").values()) == ["2"]


def test_a_gauge_keeps_what_was_set_last(telemetry, meters):
    gauge = meters.get_meter("odd").create_gauge("trenova_odd_level", "1")
    gauge.set(4)
    gauge.set(1.5, {"at": "b"})

    assert sorted(scraped(telemetry, "trenova_odd_level").values()) == ["1.5", "4"]


def test_what_is_observed_is_asked_for_again_and_again(telemetry, meters, monkeypatch):
    monkeypatch.setattr(_meters, "_BETWEEN_LOOKS_S", 0.05)
    begun = time.monotonic()
    meter = meters.get_meter("odd")
    meter.create_observable_gauge("trenova_odd_age", [lambda _: [Observation(time.monotonic() - begun)]], "s")
    meter.create_observable_counter("trenova_odd_total", [lambda _: [Observation(7, {"of": "x"})]])
    meter.create_observable_up_down_counter("trenova_odd_open", [lambda _: [Observation(2)]])

    eventually(lambda: any(float(v) > 0.2 for v in scraped(telemetry, "trenova_odd_age_seconds").values()))
    assert list(scraped(telemetry, "trenova_odd_total").values()) == ["7"]  # and not 7 more with each look
    assert list(scraped(telemetry, "trenova_odd_open").values()) == ["2"]


def test_instruments_that_were_made_before_write_to_the_runtime_that_is_attached_later(telemetry):
    meters = RuntimeMeters()
    counter = meters.get_meter("odd").create_counter("trenova_odd_late")
    counter.add(1)
    assert meters.target is MetricMeter.noop
    meters.attach(telemetry.runtime.metric_meter)
    counter.add(1)

    assert list(scraped(telemetry, "trenova_odd_late").values()) == ["1"]


def test_what_is_below_zero_is_written_as_zero(telemetry, meters):
    meters.get_meter("odd").create_gauge("trenova_odd_debt").set(-3)

    assert list(scraped(telemetry, "trenova_odd_debt").values()) == ["0"]


def test_a_callback_that_fails_is_told_and_the_others_are_asked(telemetry, meters, monkeypatch, caplog):
    monkeypatch.setattr(_meters, "_BETWEEN_LOOKS_S", 0.05)
    meter = meters.get_meter("odd")
    meter.create_observable_gauge("trenova_odd_broken", [lambda _: [1 / 0]])
    meter.create_observable_gauge("trenova_odd_sound", [lambda _: [Observation(1)]])

    eventually(lambda: scraped(telemetry, "trenova_odd_sound"))
    assert any("a metric cannot be observed" in record.message for record in caplog.records)


def test_a_label_that_every_metric_of_the_process_has_is_not_there_twice(telemetry, meters):
    """Prometheus takes nothing of an answer in which one line names a label twice."""
    meters.get_meter("odd").create_gauge("trenova_odd_twice").set(1, {"service": "other", "service.name": "x"})

    [line] = scraped(telemetry, "trenova_odd_twice")
    names = re.findall(r'(\w+)="', line)
    assert sorted(names) == sorted(set(names))
    assert 'exported_service="other"' in line
    assert 'service="odd"' in line
