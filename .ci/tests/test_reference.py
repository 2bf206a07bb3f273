"""The reference of settings is what the models say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from notification_worker._settings import Settings as Notification
from shipment_worker._settings import Settings as Shipment
from system_worker._settings import Settings as System
from trenova_errors import ConfigurationError
from trenova_workers._layers import environment_layer

pytestmark = pytest.mark.integration

CI = Path(__file__).parents[1]


def test_the_page_of_settings_is_up_to_date_and_says_of_each_what_it_is():
    done = subprocess.run(
        [sys.executable, str(CI / "reference.py"), "--check"], capture_output=True, text=True, timeout=100
    )

    assert done.returncode == 0, done.stdout + done.stderr
    page = (CI.parent / "docs/reference/configuration.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) > 300
    assert [row.split("`")[1] for row in rows if row.endswith("|  |")] == []
    assert "SecretStr" not in page


@pytest.mark.parametrize("settings", [Shipment, Notification, System], ids=lambda one: one.__module__)
def test_a_variable_of_the_page_is_one_that_a_service_reads(settings):
    page = (CI.parent / "docs/reference/configuration.md").read_text()
    told = set(re.findall(r"\| `(TRENOVA_\w+)` \|", page))
    read = set()
    for variable in told:
        try:
            read |= set(environment_layer(settings, "TRENOVA_", {variable: "1"}, exclusive=True).names.values())
        except ConfigurationError:
            assert "Only" in next(line for line in page.splitlines() if f"`{variable}`" in line), variable

    assert len(read) > 80
