"""What the forge and the hooks run is there: sessions of nox, programs, and actions with few rights."""

import re
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
SESSIONS = set(re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(), re.MULTILINE))


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_session_of_a_workflow_is_one_of_nox(path):
    workflow = yaml.safe_load(path.read_text())
    runs = [step["run"] for step in steps(workflow) if "run" in step]
    listed = [job.get("strategy", {}).get("matrix", {}).get("session", []) for job in workflow["jobs"].values()]
    named = re.findall(r"nox -s ([\w ]+)", "\n".join(runs))
    sessions = {name for line in named for name in line.split()} | {name for names in listed for name in names}

    assert {name for name in sessions if not name.startswith("tests")} <= SESSIONS
    assert sessions or any(run == ".ci/run" for run in runs)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_and_only_one_job_of_one_may_more(path):
    workflow = yaml.safe_load(path.read_text())
    more = {name for name, job in workflow["jobs"].items() if "write" in str(job.get("permissions"))}

    assert workflow["permissions"] == {"contents": "read"}
    assert more == ({"publish"} if path.name == "release.yml" else set())
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"]
    for step in steps(workflow):
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False


def test_each_hook_runs_what_there_is():
    hooks = [
        hook
        for repo in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
        for hook in repo["hooks"]
    ]

    for hook in hooks:
        assert hook["entry"].startswith("uv run --frozen ")
        for program in re.findall(r"\.ci/\w+\.py", hook["entry"]):
            assert (ROOT / program).exists()
