"""Whether the drill of alerts works and agrees with rules and pages; all of it is ``nox -s drill``."""

import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
import runbook
import scaled
import yaml
from known import FAULTS

GROUPS = yaml.safe_load((scaled.ROOM / "rules/trenova.yaml").read_text())["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]


def test_every_alert_has_a_fault_that_rings_it():
    assert set(FAULTS) == {rule["alert"] for rule in RULES}


@pytest.mark.parametrize("alert", FAULTS)
def test_what_mends_a_fault_is_a_mitigation_of_its_page(alert):
    page = runbook.Page(alert)

    assert page.mitigation(FAULTS[alert].mitigation)
    assert page.commands()


def test_a_page_is_stamped_once_with_what_was_seen_last(tmp_path, monkeypatch):
    shutil.copy(runbook.PAGES / "TrenovaWorkerDown.md", tmp_path)
    monkeypatch.setattr(runbook, "PAGES", tmp_path)
    for day in (1, 2):
        runbook.Page("TrenovaWorkerDown").stamp(date(2026, 11, day), 8.4, 12, 20)

    text = (tmp_path / "TrenovaWorkerDown.md").read_text()
    assert text.count("Last drilled:") == 1
    assert "Last drilled: 2026-11-02, by `nox -s drill -- TrenovaWorkerDown`: rang after 8 s" in text
    assert text.count("\n## ") == 7


def test_times_are_shorter_and_thresholds_are_not():
    faster = {rule["alert"]: rule for group in scaled.rules(20)["groups"] for rule in group["rules"]}

    for rule in RULES:
        assert scaled.seconds(faster[rule["alert"]]["for"]) == max(scaled.seconds(rule["for"]) // 20, 5)
    assert "[15s]" in faster["TrenovaWorkflowTasksLate"]["expr"]
    assert faster["TrenovaWorkflowTasksLate"]["expr"].strip().endswith("> 5")


def test_a_command_that_a_page_has_wrong_is_told_from_one_that_finds_a_problem(tmp_path):
    environ = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}

    assert runbook.run("sh -c 'exit 1'", {}, environ, tmp_path)[0] == 1
    with pytest.raises(AssertionError, match="No such option"):
        runbook.run("trenova-workers list --everything", {}, environ, tmp_path)
    with pytest.raises(AssertionError, match="no value for"):
        runbook.run('temporal workflow describe --workflow-id "$WORKFLOW_ID"', {}, environ, tmp_path)


@pytest.mark.timeout(240)
@pytest.mark.skipif(not shutil.which("prometheus-alertmanager"), reason="needs prometheus and prometheus-alertmanager")
def test_a_killed_worker_rings_is_mended_by_its_page_and_goes_quiet():
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "drill"), "TrenovaWorkerDown"],
        capture_output=True,
        text=True,
        timeout=220,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "TrenovaWorkerDown: trenova-workers doctor --expect-running (exit" in done.stdout
