"""The command ``trenova-errors``."""

import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from typer.testing import CliRunner

from trenova_errors import ErrorKind, classify
from trenova_errors._document import document
from trenova_errors.cli import app

PAGE = Path(__file__).parents[3] / "docs" / "error-decisions.md"
RULES = """
from trenova_errors import ErrorKind, Rule, RuleSet

class QuotaError(Exception): ...

RULES = RuleSet([Rule(name="race", kind=ErrorKind.RETRYABLE, codes=("SQLSTATE 23505",), types=(QuotaError,))])
NUMBER = 5
"""


def call(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the installed command."""
    command = Path(sysconfig.get_path("scripts")) / "trenova-errors"
    return subprocess.run([command, *arguments], cwd=folder, capture_output=True, text=True, timeout=60)


def run(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def program(tmp_path) -> Path:
    (tmp_path / "shop_errors.py").write_text(RULES)
    (tmp_path / "broken_errors.py").write_text("raise RuntimeError('secret')")
    return tmp_path


def test_explain_prints_what_is_decided_and_why():
    shown = run("explain", "http", "429")

    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[0] == "HTTP 429 (Too Many Requests)"
    fields = dict(re.findall(r"^  ([\w ]{12}) (.+)$", shown.stdout, re.MULTILINE))
    assert {name.strip(): value for name, value in fields.items()} == {
        "kind": "throttle",
        "code": "http.429",
        "retried": "yes",
        "delay": "from Retry-After, in seconds or as a date, cut at 3600 s, plus up to 30 s by chance; without one as "
        "the retry policy says",
        "log level": "WARNING",
        "HTTP status": "429",
        "runbook": "error-decisions#throttle",
        "why": "HTTP 429 (Too Many Requests): the other side asks for fewer requests.",
        "source": "HTTP 429",
    }
    assert "  3. rules of your own, in their order" in shown.stdout


def test_explain_shows_both_readings_of_a_number():
    shown = run("explain", "451")

    assert "SMTP 451 (local error in processing)" in shown.stdout
    assert "HTTP 451 (Unavailable For Legal Reasons)" in shown.stdout


def test_explain_says_when_an_unknown_outcome_is_retried_and_who_is_to_blame():
    assert "idempotent=True" in run("explain", "40003").stdout
    assert "INFO, benign" in run("explain", "http", "404").stdout
    assert "no failure" in run("explain", "asyncio.CancelledError").stdout


def test_explain_prints_json_for_programs():
    [found] = json.loads(run("explain", "40P01", "--json").stdout)

    assert found["kind"] == "retryable"
    assert found["retryable"] is True
    assert found["retry_after_s"] is None
    assert found["log_level"] == "WARNING"
    assert len(found["precedence"]) == 5
    assert set(found) == {
        *("subject", "failure", "kind", "code", "retryable", "retry_after_s", "delay", "log_level", "benign"),
        *("http_status", "runbook", "reason", "source", "notes", "precedence"),
    }


def test_what_is_not_known_ends_with_status_2_and_what_is_near():
    shown = run("explain", "ECONNREST")

    assert shown.exit_code == 2
    assert shown.stdout == ""
    assert "Did you mean ECONNRESET" in shown.stderr


def test_rules_and_classes_of_a_program_are_found_in_the_working_folder(program):
    shown = call("explain", "23505", "shop_errors.QuotaError", "--rules", "shop_errors:RULES", "--json", folder=program)

    assert shown.returncode == 0, shown.stderr
    assert [one["source"] for one in json.loads(shown.stdout)] == ["rule race", "rule race"]


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("shop_errors", "Rules are named module:attribute"),
        ("shop_errors:", "Rules are named module:attribute"),
        (":RULES", "Rules are named module:attribute"),
        ("shop_errors:NONE", "has no attribute 'NONE'"),
        ("shop_errors:NUMBER", "is of type int, not RuleSet"),
        ("absent_errors:RULES", "There is no module 'absent_errors'"),
        ("broken_errors:RULES", "fails to be imported (RuntimeError)"),
    ],
)
def test_rules_that_cannot_be_had_are_refused_with_what_to_do(program, monkeypatch, reference, says):
    monkeypatch.chdir(program)
    monkeypatch.setattr(sys, "path", [*sys.path])
    shown = run("explain", "40P01", "--rules", reference)

    assert shown.exit_code == 2
    assert says in shown.stderr
    assert "secret" not in shown.stderr


def test_without_its_extra_the_command_says_what_to_install():
    code = "import sys; sys.modules['typer'] = None; import trenova_errors.cli"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env={**os.environ})

    assert done.returncode == 1
    assert 'uv pip install "trenova-errors[cli]"' in done.stderr


def test_table_prints_the_page():
    assert run("table").stdout == document()


def test_the_page_in_the_documentation_is_that_of_the_code():
    stale = "docs/error-decisions.md is stale: run 'uv run trenova-errors table > docs/error-decisions.md'"

    assert PAGE.read_text() == document(), stale


@pytest.mark.parametrize("kind", list(ErrorKind))
def test_a_runbook_is_a_section_of_the_page(kind):
    page, _, section = classify(TimeoutError()).runbook.replace("unavailable", kind).partition("#")

    assert PAGE.stem == page
    assert re.search(rf"^### {section}\n\n\S.{{80,}}", document(), re.MULTILINE)


def test_no_row_of_the_page_breaks_its_table():
    for line in document().splitlines():
        if line.startswith("|"):
            assert line.endswith(" |")
    widths = [line.count(" | ") for line in document().splitlines() if line.startswith("| `")]
    assert set(widths) <= {1, 2, 3}
