"""What the page about rolling out names is there, and the rehearsal works; all of it is ``nox -s rollout``."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/rollout.md"
ELSEWHERE = {"server.access"}
"""Settings of a pool manager and of the dashboard, which are no workers."""


def settings():
    """The settings of all services, and the groups that they are in."""
    keys = set()
    for service in ("shipment-worker", "notification-worker", "system-worker"):
        command = [str(Path(sys.executable).with_name(service)), "config", "show", "--json"]
        shown = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60).stdout)
        keys |= {one["key"] for one in shown["settings"]}
    return keys | {".".join(key.split(".")[:count]) for key in keys for count in (1, 2, 3)} | ELSEWHERE


def test_each_setting_of_the_table_is_one_of_a_service():
    table = PAGE.read_text().partition("## The switch of each feature")[2]
    named = {re.split("[:=]", one)[0] for one in re.findall(r"`([a-z_]+(?:\.[a-z_]+)*)(?:: [a-z]+)?`", table)}
    values = {"dev", "fixed", "none", "warn"}

    assert sorted(named - values - settings()) == []
    assert {"codec.compression", "plans.require_plan_above", "routing.rules"} <= named


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_good_release_is_promoted_and_a_broken_one_is_taken_back(tmp_path):
    program = Path(__file__).parent / "rollout"
    kept = tmp_path / "rehearsal.txt"
    options = ("--output", str(kept), "--bake", "4s", "--samples", "5", "--pace", "0.1")
    done = subprocess.run([sys.executable, str(program), *options], capture_output=True, text=True, timeout=580)

    assert done.returncode == 0, done.stdout + done.stderr
    said = kept.read_text()
    assert "promoted: All new work goes to 1.1.0." in said
    assert re.search(r"1\.2\.0 +FAILED +\d+", said)
    assert not re.search(r"1\.[01]\.0 +FAILED", said)
