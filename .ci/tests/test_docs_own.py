"""Every command of ours on a page, and the calls of the API, run as printed beside what `trenova-workers up` starts."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "services/tests"))

import own_commands
from doc_pages import PAGES, ROOT, Command, blocks, inline
from own_runs import Run
from own_system import TABLE, System, files_of, matches, started, wrong
from repo_commands import stripped
from service_processes import end, eventually, free_port
from up_process import COMMAND

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]  # one that is run alone runs all before it


@cache
def commands() -> dict[tuple[str, ...], Command]:
    """The commands of all pages that begin with a program of ours, each once and in the order of the pages.

    Left out are those that are only named, without what they want.
    """
    found: dict[tuple[str, ...], Command] = {}
    for page in PAGES:
        for one in [*(one for block in blocks(page) for one in block.commands), *inline(page)]:
            words = tuple(stripped(one.words))
            if words[:1] and words[0] in own_commands.programs():
                found.setdefault(words, one)
    return {words: one for words, one in found.items() if not (one.named and own_commands.incomplete(words))}


@cache
def to_run() -> list[tuple[str, ...]]:
    """Those that run here, in the order of the pages: many need what one before them left behind."""
    return [words for words in commands() if not matches("run elsewhere", words)]


def type_as_printed(system: System, words: tuple[str, ...]) -> Run:
    """Run a command beside the files of its page."""
    system.write(files_of(commands()[words].page))
    system.typed.add(words)
    return system.run(*words)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with started(tmp_path_factory.mktemp("shell")) as system:
        yield system


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(words, id=" ".join(words), marks=[pytest.mark.slow] if matches("takes long", words) else [])
        for words in to_run()
    ],
)
def test_a_command_of_ours_runs(system, words):
    for earlier in takewhile(lambda one: one != words, to_run()):
        if earlier not in system.typed and not matches("takes long", earlier):
            type_as_printed(system, earlier)

    assert wrong(words, type_as_printed(system, words)) is None


@pytest.mark.parametrize("part", ["goes on", "read", "environ", "then", "takes long", "run elsewhere", "not zero"])
def test_every_line_of_the_table_is_of_a_command(part):
    lines = [" ".join(words) for words in commands()]

    assert [pattern for pattern in TABLE[part] if not any(re.search(pattern, line) for line in lines)] == []


def test_a_command_that_is_wrong_is_found(system):
    words = ("trenova-schedules", "show", "nosuch")

    assert "No schedule with id 'nosuch'" in (wrong(words, system.run(*words)) or "nothing")
    assert wrong(words, Run(0, "Traceback (most recent call last):\n...")) is not None


def test_the_calls_of_the_page_of_the_api_are_answered_as_it_says(system, tmp_path):
    page = ROOT / "docs/schedules-api.md"
    [block] = [one for one in blocks(page) if "curl" in one.text]
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    port = free_port()
    command = [COMMAND.with_name("trenova-schedules"), "serve", "--port", str(port)]
    server = subprocess.Popen(command, env=system.environ, cwd=system.folder, stdout=subprocess.DEVNULL)
    try:
        eventually((system.folder / ".trenova/schedules-server.json").exists)
        (tmp_path / "page.sh").write_text(calls(block.text, port))
        done = subprocess.run(
            ["bash", "-eu", tmp_path / "page.sh"],
            cwd=system.folder, env=os.environ, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        statuses = re.findall(r"^@ (\d+)", done.stderr, re.MULTILINE)
        assert len(statuses) == block.text.count("call "), done.stderr
        assert set(statuses) <= {"200", "201"}, done.stderr + done.stdout[:2000]
    finally:
        end(server)


def calls(text: str, port: int) -> str:
    """The block with another port, not as patient with events, and the status of each answer behind it.

    The end of patience is no failure of a call: events go on.
    """
    told = text.replace(":8235/", f":{port}/").replace("--max-time 20", "--max-time 3")
    return (
        told.replace("curl -sS", "curl -sS -w '%{stderr}@ %{http_code}\\n'").replace(
            '"$@"; }', '"$@" || [ $? = 28 ]; }'
        )
        + "\n"
    )
