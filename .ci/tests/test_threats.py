"""Each test that the security model relies on is there, and can be collected where the page says it is."""

import ast
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs/security-model.md").read_text().partition("## Threats")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| ([A-Z]) \| (.+?) \|(.+)\|$", TABLE, re.MULTILINE)
TEST = re.compile(r"`([^`:]+\.py)::(test_\w+)`")


def functions(file: str) -> set[str]:
    """The tests of a file, by reading it."""
    path = ROOT / file
    tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
    return {one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1][:60])
def test_a_threat_has_tests_that_are_there(row):
    named = TEST.findall(row[2])

    assert named
    assert [f"{file}::{name}" for file, name in named if name not in functions(file)] == []


def test_every_kind_of_threat_has_rows_and_every_row_is_read():
    assert {kind for kind, _, _ in ROWS} == set("STRIDE")
    assert len(ROWS) == len([line for line in TABLE.splitlines() if line.startswith("|")]) - 2
    assert len(TEST.findall(TABLE)) == TABLE.count("::test_")
