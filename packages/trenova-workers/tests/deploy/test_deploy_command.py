"""``trenova-workers deploy``."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from trenova_workers._cli_workers import workers_app


@pytest.fixture
def deploy(server, monkeypatch):
    """Run the command and return its status, output and errors."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)

    def call(*arguments):
        ended = CliRunner().invoke(workers_app(), ["deploy", *arguments])
        return ended.exit_code, ended.stdout, ended.stderr

    return call


@pytest.fixture
def told(deploy, two):
    async def call(*arguments):
        return await asyncio.to_thread(deploy, *arguments, "--deployment", two.name)

    return call


@pytest.mark.integration
async def test_an_operator_ramps_looks_and_rolls_back(two, told):
    code, out, _ = await told("ramp", "2.0", "--percent", "25", "--reason", "canary", "--json")
    changed = json.loads(out)
    assert (code, changed["ramping"], changed["percent"], changed["done"]) == (0, "2.0", 25, True)

    code, out, _ = await told("status")
    assert (code, out.splitlines()[0]) == (0, f"{two.name}: current 1.0, ramping 2.0 at 25 %")
    assert "canary" in out

    code, out, _ = await told("rollback", "--dry-run")
    assert (code, out.startswith("dry run: No new work goes to 2.0; it goes to 1.0")) == (0, True)
    code, out, _ = await told("rollback", "--json")
    assert json.loads(out)["done"]
    code, out, _ = await told("rollback")
    assert (code, out.startswith("nothing to do: ")) == (0, True)
    code, out, _ = await told("status", "--json")
    assert {one["build_id"]: one["percent"] for one in json.loads(out)["versions"]} == {"2.0": 0, "1.0": 100}


@pytest.mark.integration
async def test_a_rollout_says_each_step_and_ends_with_what_came_of_it(told):
    times = ("--bake", "500ms", "--longest-bake", "1s", "--every", "500ms")
    code, out, _ = await told("rollout", "2.0", "--steps", "10,100", *times, "--json")
    events = [json.loads(line) for line in out.splitlines()]

    assert (code, events[-1]["outcome"]) == (3, "held")
    assert {event["percent"] for event in events} == {10}

    code, out, _ = await told("rollout", "2.0", "--dry-run")
    assert code == 0
    assert "planned: All new work goes to 2.0." in out


@pytest.mark.integration
async def test_what_is_refused_says_what_to_do(two, told):
    await two.stop("2.0")
    code, _, error = await told("ramp", "2.0", "--percent", "10")
    assert (code, "Start a worker of that release" in error) == (1, True)
    code, _, error = await told("promote", "7")
    assert (code, "no version '7'" in error) == (2, True)


def test_a_deployment_that_nobody_knows_is_told(deploy):
    code, _, error = deploy("status", "--deployment", "nobody")

    assert (code, "no Worker Deployment found with name 'nobody'" in error) == (2, True)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--steps", "50,10", "steps are percentages above 0"),
        ("--steps", "ten", "--steps needs percentages with commas"),
        ("--bake", "soon", "--bake needs a time such as 90s"),
        ("--every", "0s", "greater than 0"),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_asked(deploy, option, value, said):
    code, _, error = deploy("rollout", "2.0", "--deployment", "nobody", option, value)

    assert (code, said in error) == (2, True), error
