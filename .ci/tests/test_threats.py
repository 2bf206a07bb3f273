"""Each test that the security model relies on is there."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs/security-model.md").read_text().partition("## Threats")[2].partition("\n## ")[0]
ROWS = [line for line in TABLE.splitlines() if line.startswith("| ") and not line.startswith(("| threat", "|---"))]
TESTS = "\n".join(
    path.read_text()
    for place in ("packages/*/tests", "services/tests", "services/*/tests", ".ci/tests")
    for path in ROOT.glob(f"{place}/**/test_*.py")
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:60])
def test_a_threat_has_tests_that_are_there(row):
    named = re.findall(r"`(test_\w+)`", row)

    assert named
    assert [name for name in named if f"def {name}(" not in TESTS] == []
