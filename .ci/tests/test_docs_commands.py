"""Every command of ours on a page is one that there is, with options that it has; every link leads somewhere."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))

import foreign_commands
import own_commands
import repo_commands
from doc_pages import CLUSTER_ONLY, FENCE, PAGES, ROOT, Command, blocks, broken, inline, parsed

pytestmark = pytest.mark.integration

LINK = re.compile(r"\]\(([^)\s]+)\)")
RUN_ELSEWHERE = {"temporal"}
"""Programs whose commands `test_docs_temporal.py` runs, every one, on a server."""


def wrong(command: Command, functions: set[str] = frozenset()) -> str | None:
    """What of a command does not hold; a text may name what it does not run."""
    words = repo_commands.stripped(command.words)
    program = words[0] if words else ""
    if program in own_commands.programs():
        return own_commands.refused(words, named=command.named)
    if program == "nox":
        return repo_commands.of_nox(words[1:])
    if program in {"python", "python3"}:
        return repo_commands.of_python(words[1:])
    if program in foreign_commands.TABLE:
        return foreign_commands.refused(words, named=command.named)
    if command.named or program in RUN_ELSEWHERE | functions | {""}:
        return None
    return f"no test knows the program {program!r}"


def found_in(page: Path) -> list[str]:
    """All that is wrong with the commands of a page."""
    typed = [(one, wrong(one, block.functions)) for block in blocks(page) for one in block.commands]
    named = [(one, wrong(one)) for one in inline(page)]
    return [f"{one}: {why}" for one, why in [*typed, *named] if why]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_has_only_commands_that_their_own_parser_or_the_table_takes(page):
    assert found_in(page) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_block_is_a_shells_and_says_whether_it_needs_a_cluster(page):
    for block in blocks(page):
        assert not broken(block.text), f"a shell cannot read {block.page.name}:{block.line}"
        needs = {one.words[0] for one in block.commands if one.words and foreign_commands.cluster_only(one.words[0])}
        assert bool(needs) == block.cluster_only, (
            f"{block.page.name}:{block.line} has {sorted(needs) or 'nothing that needs a cluster'}; "
            f"the line above it {'is' if block.cluster_only else 'is not'} {CLUSTER_ONLY}"
        )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_mark_stands_above_a_block(page):
    marks = [one for one in page.read_text().splitlines() if one.strip() == CLUSTER_ONLY]
    assert len(marks) == sum(block.cluster_only for block in blocks(page))


WRONG = [
    ("trenova-workers lst", "No such command"),
    ("uv run nox -s tests-3.1", "no session tests-3.1"),
    ("trenova-workers list --wach", "No such option"),
    ("trenova-workers pool override shipments many --for 2h --reason WHY", "valid integer"),
    ("trenova-workers pool override shipments 20000 --for 2h --reason WHY", "less than or equal to 10000"),
    ("trenova-workers pool override shipments 3 --for 2h", "Missing option '--reason'"),
    ("trenova-schedules backfill nightly --from yesterday --to 2026-11-27 --reason WHY", "is no time"),
    ("trenova-schedules show nightly weekly", "unexpected extra argument"),
    ("shipment-worker config shw", "No such command"),
    ("uv run nox -s lnt", "no session lnt"),
    ('uv run nox -s "tests-3.11(trenova-codec)"', "no session tests-3.11"),
    ("uv run nox -s soak -- --minutes soon", "invalid float value"),
    ("uv run pytest services/tests/test_nothing.py", "is no file"),
    ("uv run python .ci/reference.py --chck", "knows nothing of --chck"),
    ("python .ci/audit.py licenses", "invalid choice"),
    ('uv pip install "trenova-codecs[clli]"', "is no requirement"),
    ('uv pip install "trenova-codecs==9.9.9"', "is no requirement"),
    ("export TRENOVA_ROUTING__RULE=x", "is no setting"),
    ("kubectl -n trenova-prd logs deployment/pool-manager", "is no namespace"),
    ("kubectl -n trenova-prod logs deployment/pool-managr", "is no deployment"),
    ("kubectl -n trenova-prod log deployment/pool-manager", "has no `kubectl"),
    ("kubectl apply -k services/kubernetes/overlays/stage", "is no kustomization"),
    ("kubectl apply -k services/kubernetes/overlays/staging --forc", "unrecognized arguments: --forc"),
    (
        "kubectl -n trenova-prod exec deployment/pool-manager -- /app/.venv/bin/trenova-workers pool stat",
        "No such command",
    ),
    ("docker compose -f services/compose.yaml exec shipment-workers /app/worker demo", "is no service"),
    ("docker build -f services/Dockerfile --build-arg SERVICE=shipments -t t .", "is no argument"),
    ("systemctl restart worker", "no test knows the program 'systemctl'"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_command_that_is_wrong_is_found(text, said):
    (words,) = parsed(text)

    assert said in (wrong(Command(ROOT / "README.md", 1, words)) or "nothing")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a '$x' \"$KEY_ID\" # don't", ["a", "$x", "KEY_ID"]),
        ('a "one \\\n two"', ["a", "one  two"]),
        ("A=1 a --b=$C/d < e", ["a", "--b=C/d"]),
        ('x=(--y "$z")\na "${x[@]}"', ["a", "--y", "z"]),
    ],
)
def test_words_are_read_as_a_shell_reads_them(text, words):
    assert list(parsed(text)[-1]) == words


@pytest.mark.parametrize("program", ["kubectl", "docker"])
def test_the_table_says_what_the_program_itself_says(program):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on this machine")
    for name, command in foreign_commands.TABLE[program]["commands"].items():
        if name.startswith("compose"):
            continue  # a plug-in, which is rarely there
        asked = subprocess.run([program, *name.split(), "--help"], capture_output=True, text=True, timeout=60)
        assert asked.returncode == 0, asked.stderr
        assert f"{program} {name}" in asked.stdout
        for option in command.get("options", {}):
            assert re.search(rf"(^|\s){option}\b", asked.stdout, re.MULTILINE), f"{program} {name} {option}"


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


def fenced(page: Path) -> list[tuple[str, str]]:
    """Language and text of every block, without what it is set in by."""
    return [(one["language"], dedent(one["text"])) for one in FENCE.finditer(page.read_text())]


def anchors(page: Path) -> set[str]:
    """The headings as links name them, on the forge and in the built pages."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", one)).strip().lower() for one in headings]
    return {one.replace(" ", "-") for one in plain} | {re.sub(r"[-\s]+", "-", one) for one in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_and_yaml_of_a_page_can_be_read(page):
    for language, block in fenced(page):
        if language in {"python", "py"}:
            compile(block, str(page), "exec", flags=ALLOW_TOP_LEVEL_AWAIT)
        elif language in {"yaml", "yml"}:
            list(yaml.safe_load_all(block))


ALLOW_TOP_LEVEL_AWAIT = 0x2000


EXAMPLES = [
    pytest.param(block, id=f"{page}-{number}")
    for page in ("testing-workflows", "adopting-one-package")
    for number, (language, block) in enumerate(fenced(ROOT / f"docs/{page}.md"))
    if language == "python"
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_a_guide_runs_as_it_stands(example, tmp_path):
    (tmp_path / "example.py").write_text(example)
    done = subprocess.run([sys.executable, "example.py"], capture_output=True, text=True, timeout=100, cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
