import re
import shlex
from pathlib import Path

import pytest
import typer.main

from trenova_codecs.cli import app

ROOT = Path(__file__).parents[3]
DOCUMENTS = [ROOT / "docs/key-rotation.md", ROOT / "packages/trenova-codecs/README.md"]


def commands() -> list[str]:
    """Every line of a shell block that runs ``trenova-codecs keys``."""
    blocks = [block for file in DOCUMENTS for block in re.findall(r"```shell\n(.*?)```", file.read_text(), re.DOTALL)]
    lines = [line.split(" < ")[0] for block in blocks for line in block.splitlines()]
    return sorted({" ".join(shlex.split(line, comments=True)) for line in lines if "trenova-codecs keys" in line})


def test_the_documents_have_commands():
    assert len(commands()) > 15


@pytest.mark.parametrize("command", commands())
def test_every_command_of_the_documents_is_one(command):
    _, group, name, *words = shlex.split(command)
    found = typer.main.get_command(app).commands[group].commands[name]
    found.make_context(name, list(words))
