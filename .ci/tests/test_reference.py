"""The reference of settings is what the models say."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

CI = Path(__file__).parents[1]


def test_the_page_of_settings_is_up_to_date_and_says_of_each_what_it_is():
    done = subprocess.run(
        [sys.executable, str(CI / "reference.py"), "--check"], capture_output=True, text=True, timeout=100
    )

    assert done.returncode == 0, done.stdout + done.stderr
    page = (CI.parent / "docs/reference/configuration.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    silent = [row.split("`")[1] for row in rows if row.endswith("|  |")]
    assert len(rows) > 300
    assert len(silent) < len(rows) / 10, silent
    assert "SecretStr" not in page
