"""The options that the guide shows are such as the server takes."""

import re
from pathlib import Path

import pytest

from trenova_schedules.server._serve import require_safe
from trenova_schedules.server._settings import load_options

GUIDE = Path(__file__).parents[4] / "docs/schedules-api.md"


@pytest.mark.skipif(not GUIDE.exists(), reason="the guide is in the repository only")
def test_the_file_of_the_guide_is_taken_as_it_stands(tmp_path):
    (block,) = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    secret = tmp_path / "oidc-client"
    secret.write_text("planted")
    file = tmp_path / "server.yaml"
    file.write_text(block.replace("/run/secrets/oidc-client", str(secret)))

    options = load_options(file, {"TRENOVA_SCHEDULES_SERVER_ACCESS__OIDC__IDLE_S": "60"}, {})

    require_safe(options)
    assert options.access.oidc.cookie == "__Host-schedules"
    assert options.access.oidc.idle_s == 60
    assert options.access.sign_in is None
