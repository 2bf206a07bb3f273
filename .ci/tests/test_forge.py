"""What the forge and the hooks run is there: sessions of nox, programs, and actions with few rights."""

import itertools
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
SESSIONS = set(re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(), re.MULTILINE))


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def tool(requirement, *arguments):
    """Run a program that the workspace does not need; it is fetched, so such a test is a slow one."""
    command = ["uv", "tool", "run", "--quiet", "--from", requirement, *arguments]
    environment = {**os.environ, "NO_COLOR": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110)


def sessions(line, matrix):
    """The sessions of nox that a command runs, with those of a matrix where it says ``$SESSION``."""
    words = iter(shlex.split(line))
    named = []
    for _ in itertools.takewhile(lambda word: word != "-s", words):
        pass
    for word in itertools.takewhile(lambda word: not word.startswith("-"), words):
        named += matrix["session"] if word == "$SESSION" else [word]
    return named


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_session_of_a_workflow_is_one_of_nox(path):
    jobs = yaml.safe_load(path.read_text())["jobs"].values()
    runs = [
        (step["run"], job.get("strategy", {}).get("matrix", {}))
        for job in jobs
        for step in job["steps"]
        if re.search(r"\.ci/run|\bnox ", step.get("run", ""))
    ]
    named = [name for line, matrix in runs for name in sessions(line, matrix)]

    assert {name for name in named if not name.startswith("tests-")} <= SESSIONS
    assert all(name in {"tests-3.12", "tests-3.13", "tests-${{ matrix.python }}"} for name in named if "-" in name)
    assert named or any(line == ".ci/run" for line, _ in runs)


@pytest.mark.slow
def test_the_forge_understands_its_files():
    told = tool(
        "check-jsonschema>=0.39,<1",
        *("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS)),
    )
    updates = tool(
        "check-jsonschema>=0.39,<1",
        *("check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml"),
    )

    assert told.returncode == 0, told.stdout + told.stderr
    assert updates.returncode == 0, updates.stdout + updates.stderr


@pytest.mark.slow
def test_nothing_of_a_workflow_lets_others_in():
    told = tool("zizmor>=1.32,<2", "zizmor", "--offline", "--no-progress", ".github")

    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize(
    ("told", "status", "ran"),
    [([], 0, "nox with nothing"), (["-s", "slow", "--", "a b"], 7, "nox with -s,slow,--,a b")],
)
def test_the_forge_runs_one_session_by_the_command_of_the_readme(tmp_path, told, status, ran):
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", tmp_path / ".ci/run")
    script = "import sys; print('nox with', ','.join(sys.argv[1:]) or 'nothing'); sys.exit(7 if sys.argv[1:] else 0)"
    (tmp_path / "nox.py").write_text(script)
    (tmp_path / "README.md").write_text("<!-- test-command -->\n```shell\ntrue && python3 nox.py\n```\n")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("chromium-headless-shell", "redis-server", "promtool", "runuser"):  # so that nothing is installed
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}

    done = subprocess.run([".ci/run", *told], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)

    assert done.returncode == status, done.stderr
    assert ran in done.stdout


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
        assert shutil.which(hook["entry"].split()[3])
        for program in re.findall(r"\.ci/\w+\.py", hook["entry"]):
            assert (ROOT / program).exists()


@pytest.mark.slow
def test_pre_commit_understands_its_hooks():
    told = tool("pre-commit>=4,<5", "pre-commit", "validate-config", ".pre-commit-config.yaml")

    assert told.returncode == 0, told.stdout + told.stderr
