"""How the programs that measure judge what they have measured."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "bench"))

from capacity.bars import judge
from capacity.loads import LOADS
from capacity.measuring import Measured
from capacity.serving import DEFAULTS
from capacity.slope import fit
from memory_slope import judge as judge_memory

ONE = Measured(
    per_second=100,
    wait_p50_ms=10,
    wait_p95_ms=20,
    wait_p99_ms=30,
    worker_cpu_s=1,
    server_cpu_s=1,
    worker_rss_mib=100,
)


def held(load, profile, *, rates, p99=30.0):
    ours = [replace(ONE, per_second=rate, wait_p99_ms=p99) for rate in rates]
    return [verdict.held for verdict in judge(LOADS[load], {DEFAULTS: [ONE] * len(ours), profile: ours})]


def test_a_profile_for_a_load_has_to_be_faster_and_to_let_it_wait_less():
    assert held("io", "io", rates=[151, 160, 140], p99=29) == [True, True]
    assert held("io", "io", rates=[149, 160, 140], p99=29) == [False, True]
    assert held("cpu", "cpu", rates=[151, 160, 140], p99=30) == [True, False]


def test_elsewhere_a_profile_only_must_not_be_slower():
    assert held("trivial", "mixed", rates=[96, 50, 100], p99=90) == [True]
    assert held("payloads", "bulk", rates=[94, 50, 100], p99=10) == [False]


def test_the_interval_of_a_slope_is_that_of_students_distribution():
    slope = fit([1, 2, 3, 4, 5], [2, 4, 5, 4, 5])

    # By hand: slope 0.6, standard error sqrt(2.4 / 3 / 10), quantile of three degrees 3.182.
    assert slope.per_unit == pytest.approx(0.6)
    assert (slope.low, slope.high) == pytest.approx((0.6 - 3.182 * 0.28284, 0.6 + 3.182 * 0.28284), abs=0.003)


def test_a_worker_that_keeps_a_kilobyte_of_each_workflow_does_not_pass():
    noise = [0, 30_000, -20_000, 10_000, -30_000] * 8
    steady = [(at * 200, 10**8 + shake) for at, shake in enumerate(noise)]
    losing = [(done, rss + done * 1024) for done, rss in steady]

    assert judge_memory(steady, warm_up=1600)[1]
    assert not judge_memory(losing, warm_up=1600)[1]


def test_an_interval_too_wide_to_tell_does_not_pass():
    wild = [(at * 200, 10**8 + (at % 2) * 5 * 10**7) for at in range(40)]

    assert not judge_memory(wild, warm_up=1600)[1]
