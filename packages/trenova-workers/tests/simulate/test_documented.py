"""What the documents show is what happens."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trenova_workers._cli_workers import workers_app
from trenova_workers.scaling import load_policy
from trenova_workers.simulate import names

DOCUMENT = Path(__file__).parents[4] / "docs/scaling.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)


@pytest.mark.parametrize("source", blocks("python"))
def test_the_examples_run(source):
    exec(compile(source, str(DOCUMENT), "exec"), {})


def test_the_policy_is_one(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(blocks("yaml")[0])

    assert load_policy(path).max_workers == 24


def test_the_output_of_the_simulator_is_the_real_one():
    (shown,) = blocks("text")
    command, _, output = shown.partition("\n")

    result = CliRunner().invoke(workers_app(), command.removeprefix("$ trenova-workers ").split())

    assert result.stdout == output


def test_every_load_is_explained():
    for name in names():
        assert f"\n| {name} |" in DOCUMENT.read_text()
