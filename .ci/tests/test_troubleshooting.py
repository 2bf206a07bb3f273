"""What the page of troubleshooting quotes is what our code says."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
SOURCES = [path for place in ("packages/*/src", "services/*/src") for path in ROOT.glob(f"{place}/**/*.py")]
OF_TEMPORAL = {"NonDeterminismError"}


def quoted():
    """What is quoted in the first cells of tables, and in sentences about what a log says."""
    text = (ROOT / "docs/troubleshooting.md").read_text()
    cells = re.findall(r"^\| (.+?) \|", text, re.MULTILINE)
    said = {one for cell in cells for one in re.findall(r"`([^`]+)`", cell)}
    said |= set(re.findall(r"`((?:has no|was created|would undo)[^`]*)`", text))
    return sorted(one for one in said if not one.startswith(("temporal ", "trenova-")))


@pytest.mark.parametrize("message", quoted())
def test_a_message_that_is_quoted_is_one_of_ours(message):
    assert message in OF_TEMPORAL or any(message in path.read_text() for path in SOURCES)


def test_there_are_messages():
    assert len(quoted()) > 8
