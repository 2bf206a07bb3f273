"""A profile that does not hold is told without its lines: one of them may be the API key."""

import pytest

from trenova_activities._cli_follow import connect
from trenova_errors import ConfigurationError


@pytest.mark.parametrize("line", ['api_key = "hunter2', 'tls = "hunter2"', "api_key = [5, 'hunter2']"])
async def test_what_is_wrong_with_a_profile_is_told_without_its_lines(line, tmp_path, monkeypatch):
    file = tmp_path / "temporal.toml"
    file.write_text(f"[profile.default]\n{line}\n")
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(file))
    monkeypatch.setenv("TRENOVA_CODECS_PLAIN", "1")  # for an installed codec, which would ask for keys first

    with pytest.raises(ConfigurationError, match=r"TOML parse error at line 2, column \d+: .*\. Correct") as refused:
        await connect()
    assert "hunter2" not in refused.value.message
    assert refused.value.__cause__ is None
