import itertools

from trenova_workers import WorkerOptions, WorkLimits
from trenova_workers._observability._buckets import derived_buckets, ladder
from trenova_workers._tuning._metrics import HISTOGRAMS
from trenova_workers._tuning._telemetry import make_telemetry


def test_bounds_rise_to_the_longest_and_hold_each_timeout_and_four_fifths_of_it():
    bounds = ladder(120, [30, 120])

    assert bounds[0] == 0.005
    assert bounds[-1] == 120
    assert {24, 30, 96} <= set(bounds)
    assert all(low < high for low, high in itertools.pairwise(bounds))
    assert all(high / low <= 2.5 for low, high in itertools.pairwise(bounds))


def test_a_timeout_shorter_than_the_finest_step_is_a_bound_too():
    assert ladder(0.001, [0.001]) == (0.0008, 0.001)


def test_every_histogram_that_gets_bounds_is_one_of_the_sdk():
    derived = derived_buckets(WorkLimits(longest_start_to_close_s=60, start_to_close_s=(10, 60)))

    assert set(derived) <= set(HISTOGRAMS)
    assert {8, 10, 48, 60} <= set(derived["activity_execution_latency"])
    assert derived["activity_succeed_endtoend_latency"][-1] == 600


def test_without_timeouts_the_bounds_of_activities_stay_the_sdks():
    derived = derived_buckets(WorkLimits())

    assert "activity_execution_latency" not in derived
    assert 5 in derived["workflow_task_schedule_to_start_latency"]


def test_the_longest_timeout_alone_is_enough():
    assert 40 in derived_buckets(WorkLimits(longest_start_to_close_s=50))["activity_execution_latency"]


def test_bounds_that_are_derived_are_bounds_that_the_runtime_takes():
    options = WorkerOptions(metrics={"exporter": "prometheus"})

    assert make_telemetry(options, {}, derived_buckets(WorkLimits(longest_start_to_close_s=3600))).metrics
