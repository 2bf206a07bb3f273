"""Every command of Temporal's own program on a page runs, as printed, on a server that may not know what it asks."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "services/tests"))

from doc_pages import PAGES, Command, blocks, inline, told
from repo_commands import stripped
from service_processes import TEMPORAL, TemporalServer, clean_environ, end, eventually

from trenova_activities import SEARCH_ATTRIBUTES

pytestmark = pytest.mark.integration

UNKNOWN = re.compile(r"not ?found|127\.0\.0\.1:8234: connect: connection refused", re.IGNORECASE)
"""What is said of a run or a schedule that there is not, and of a codec server that is not up."""


def commands() -> dict[tuple[str, ...], Command]:
    """The commands of all pages that begin with ``temporal``, each once."""
    typed = [one for page in PAGES for block in blocks(page) for one in block.commands]
    named = [one for page in PAGES for one in inline(page)]
    return {tuple(words[1:]): one for one in [*named, *typed] if (words := stripped(one.words))[:1] == ["temporal"]}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = TemporalServer()
    pairs = [part for one in SEARCH_ATTRIBUTES for part in ("--name", one.name, "--type", "Keyword")]
    made = run(server.address, "operator", "search-attribute", "create", *pairs)
    assert made.returncode == 0, made.stderr
    yield server.address
    end(server.process)


def run(address: str, *words: str) -> "subprocess.CompletedProcess[str]":
    environ = clean_environ(TEMPORAL_ADDRESS=address, NO_COLOR="1", HOME=os.environ.get("HOME", "/"))
    return subprocess.run([TEMPORAL, *words], env=environ, input="y\n", capture_output=True, text=True, timeout=60)


def one_batch_at_a_time(done: "subprocess.CompletedProcess[str]") -> "subprocess.CompletedProcess[str] | None":
    """Nothing while the server still works on the batch of a command before this one."""
    return None if "Max concurrent batch operations" in done.stderr else done


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_a_command_of_temporal_runs(address, words):
    if commands()[words].named and not any(word.startswith("-") for word in words):
        asked = run(address, *words, "--help")
        assert f"\n  temporal {' '.join(words)}" in asked.stdout, asked.stdout + asked.stderr
        return
    done = eventually(lambda: one_batch_at_a_time(run(address, *map(told, words))), seconds=60)

    assert done.returncode == 0 or UNKNOWN.search(done.stderr), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("workflow", "list", "--limit", "few"), "invalid argument"),
        (("workflow", "list", "--query", "Workflow = 'a'"), "invalid search attribute"),
        (("workflow", "describe"), "required flag"),
        (("workflow", "lst"), "unknown command"),
    ],
)
def test_a_command_that_is_wrong_is_found(address, words, said):
    done = run(address, *words)

    assert done.returncode != 0
    assert said in done.stderr
    assert not UNKNOWN.search(done.stderr)
