"""The programs that measure, with the least that they can measure: each works, and nothing is judged."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from trenova_workers._up._embedded import installed_binary

BENCH = Path(__file__).parent.parent / "bench"
SECONDS = 300
ROUND = {
    "per_second",
    "wait_p50_ms",
    "wait_p95_ms",
    "wait_p99_ms",
    "worker_cpu_s",
    "server_cpu_s",
    "worker_rss_mib",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(SECONDS + 30),
    pytest.mark.skipif(not installed_binary().exists(), reason="needs the extra [embedded]"),
]


def bench(program, *arguments):
    command = [sys.executable, str(BENCH / program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)


def test_every_load_is_measured_with_the_defaults_and_with_its_profile(tmp_path):
    facts, tables = tmp_path / "facts.json", tmp_path / "tables.md"

    done = bench("worker_profiles.py", "--quick", "--json", str(facts), "--markdown", str(tables))

    assert done.returncode == 0, done.stdout + done.stderr
    loads = json.loads(facts.read_text())["loads"]
    profiles = {name: list(load["rounds"]) for name, load in loads.items()}
    assert profiles == {
        "io": ["SDK defaults", "io"],
        "cpu": ["SDK defaults", "cpu"],
        "payloads": ["SDK defaults", "bulk"],
        "histories": ["SDK defaults", "mixed"],
        "trivial": ["SDK defaults", "mixed"],
    }
    rounds = [one for load in loads.values() for side in load["rounds"].values() for one in side]
    assert len(rounds) == 10
    assert all(set(one) == ROUND and min(one.values()) > 0 for one in rounds)
    assert tables.read_text().count("\n### ") == 5


def test_an_unknown_load_is_refused_by_name():
    done = bench("worker_profiles.py", "--quick", "--loads", "io,gpu")

    assert done.returncode == 1
    assert "No load is called gpu; there are io, cpu, payloads, histories, trivial." in done.stderr


def test_the_slope_of_memory_is_fitted_to_what_a_worker_holds(tmp_path):
    facts = tmp_path / "facts.json"

    done = bench("memory_slope.py", "--quick", "--json", str(facts))

    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(facts.read_text())
    assert [count for count, _ in found["samples"]] == list(range(12, 601, 12))
    assert found["slope"]["low"] < found["slope"]["per_unit"] < found["slope"]["high"]
