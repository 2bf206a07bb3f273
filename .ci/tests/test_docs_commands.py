"""Every command of ours on a page is one that there is, with options that it has; every link leads somewhere."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import typer
import yaml

import trenova_activities.cli
import trenova_codecs.cli
import trenova_errors.cli
import trenova_schedules.cli
from notification_worker.__main__ import SERVICE as NOTIFICATIONS
from shipment_worker.__main__ import SERVICE as SHIPMENTS
from system_worker.__main__ import SERVICE as SYSTEM
from trenova_workers._cli_service import service_app
from trenova_workers._cli_workers import workers_app

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("packages/*/README.md"),
        *ROOT.glob("services/*/README.md"),
    ]
)
BLOCK = re.compile(r"^ *```(\w+)[^\n]*\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
BY_DEFAULT = {"backfill": "start"}
"""Groups that take another word than a command's for an argument of this one."""
TYPED = re.compile(r"`((?:trenova-[a-z]+|[a-z]+-worker) [^`\n]+)`")


@cache
def programs() -> dict[str, Any]:
    """Our commands as typer makes them, with parameters and, of a group, commands."""
    apps = {
        "trenova-activities": trenova_activities.cli.app,
        "trenova-codecs": trenova_codecs.cli.app,
        "trenova-errors": trenova_errors.cli.app,
        "trenova-schedules": trenova_schedules.cli.app,
        "trenova-workers": workers_app(),
        **{service.name: service_app(service) for service in (SHIPMENTS, NOTIFICATIONS, SYSTEM)},
    }
    return {name: typer.main.get_command(app) for name, app in apps.items()}


def lines(text: str) -> Iterator[str]:
    """The commands of a block of shell, each on one line, without what is answered to them."""
    answered = any(line.startswith("$ ") for line in text.splitlines())
    for line in text.replace("\\\n", " ").splitlines():
        typed = line.strip()
        if not answered or typed.startswith("$ "):
            yield typed.removeprefix("$ ")


def commands(page: Path) -> Iterator[str]:
    text = page.read_text()
    for language, block in BLOCK.findall(text):
        if language in {"sh", "shell", "bash", "console", "text"}:
            yield from (line for line in lines(block) if language != "text" or line.startswith("trenova-"))
    yield from TYPED.findall(BLOCK.sub("", text))


def words_of(line: str) -> list[str]:
    """The words from the name of one of our programs on; nothing where there is none."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        words = line.split()
    for number, word in enumerate([] if "install" in words else words):
        if Path(word).name in programs():
            rest = words[number:]
            end = next((at for at, one in enumerate(rest) if one in {"|", "&&", ";", ">", "<", "&", "||"}), len(rest))
            return [Path(word).name, *rest[1:end]]
    return []


def wrong(words: list[str]) -> str | None:
    """What of a command there is not."""
    command, rest = programs()[words[0]], words[1:]
    given: set[str] = set()
    told = False  # a command without an argument or an option is only named
    while rest:
        word = rest.pop(0)
        given.add(word.partition("=")[0])
        if word.startswith("--") and word != "--" and "..." not in word:
            name, _, value = word.partition("=")
            options = {one: param for param in command.params for one in (*param.opts, *param.secondary_opts)}
            if name not in {*options, "--help"}:
                return f"{command.name} has no option {name}"
            told = True
            takes = name in options and not getattr(options[name], "is_flag", False)
            if takes and not value and rest:
                rest.pop(0)
        elif hasattr(command, "commands") and command.name in BY_DEFAULT:
            told = word not in command.commands
            command = command.commands.get(word) or command.commands[BY_DEFAULT[command.name]]
        elif hasattr(command, "commands") and re.fullmatch(r"[a-z][a-z-]*", word):
            if word not in command.commands:
                return f"{command.name} has no command {word}"
            command = command.commands[word]
        else:
            told = True
    if hasattr(command, "commands") or given & {"--help", "..."}:
        return None
    needed = [param for param in command.params if param.required and not param.envvar and param.opts[0][0] == "-"]
    lacks = [param.opts[0] for param in needed if not given & {*param.opts, *param.secondary_opts}]
    return f"{command.name} wants {', '.join(lacks)}" if lacks and told else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_names_only_commands_that_there_are(page):
    found = [(line, wrong(words)) for line in commands(page) if (words := words_of(line))]

    assert [f"{why}: {line}" for line, why in found if why] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_of_a_page_leads_to_a_file_and_a_heading(page):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.DOTALL)
    lost = []
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:|//", link):
            continue
        where, _, heading = link.partition("#")
        target = (page.parent / where).resolve() if where else page
        if not target.exists() or (heading and target.suffix == ".md" and heading not in anchors(target)):
            lost.append(link)

    assert lost == []


def anchors(page: Path) -> set[str]:
    """The headings as links name them, on the forge and in the built pages."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", page.read_text()), re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", one)).strip().lower() for one in headings]
    return {one.replace(" ", "-") for one in plain} | {re.sub(r"[-\s]+", "-", one) for one in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_and_yaml_of_a_page_can_be_read(page):
    for language, block in BLOCK.findall(page.read_text()):
        if language in {"python", "py"}:
            compile(dedented(block), str(page), "exec", flags=ALLOW_TOP_LEVEL_AWAIT)
        elif language in {"yaml", "yml"}:
            list(yaml.safe_load_all(dedented(block)))


ALLOW_TOP_LEVEL_AWAIT = 0x2000


EXAMPLES = [
    pytest.param(dedent(block), id=f"{page}-{number}")
    for page in ("testing-workflows", "adopting-one-package")
    for number, (language, block) in enumerate(BLOCK.findall((ROOT / f"docs/{page}.md").read_text()))
    if language == "python"
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_a_guide_runs_as_it_stands(example, tmp_path):
    (tmp_path / "example.py").write_text(example)
    done = subprocess.run([sys.executable, "example.py"], capture_output=True, text=True, timeout=100, cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr


def dedented(block: str) -> str:
    indent = min((len(line) - len(line.lstrip()) for line in block.splitlines() if line.strip()), default=0)
    return "\n".join(line[indent:] for line in block.splitlines())
