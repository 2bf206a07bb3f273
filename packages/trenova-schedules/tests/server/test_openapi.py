"""What OpenAPI says is what the server does: no 5xx, and nothing undocumented."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,ignored_auth"
)
FEW, MANY = 3, 200
ALL = "examples,coverage,fuzzing,stateful"
HOOKS = '''
import schemathesis

@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Most requests are about a schedule that is there."""
    found = (path_parameters or {}).get("schedule_id")
    if found is not None and len(found) % 4:
        path_parameters["schedule_id"] = "known/one"
    return path_parameters
'''


@pytest.mark.parametrize("caller", ["admin-all", pytest.param("viewer-acme", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("examples", "phases"),
    [
        pytest.param(FEW, "examples,fuzzing", marks=pytest.mark.timeout(400), id="few"),
        pytest.param(MANY, ALL, marks=[pytest.mark.slow, pytest.mark.timeout(3600)], id="many"),
    ],
)
@pytest.mark.skipif(importlib.util.find_spec("schemathesis") is None, reason="needs schemathesis")
def test_no_request_that_a_fuzzer_finds_is_answered_otherwise_than_described(site, tmp_path, examples, phases, caller):
    """Schemathesis, signed in, with data that fits the description and data that does not."""
    hooks = tmp_path / "schedule_hooks.py"
    hooks.write_text(HOOKS)
    with site.call() as api:
        if api.get("/schedules/known%2Fone").status_code == 404:
            site.new(id="known/one", cron=None, interval="PT1H", labels={"organization": "acme"})
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("run", f"{site.url}/api/v1/openapi.json", "--max-examples", str(examples), "--seed", "1", "--mode", "all"),
        *("--phases", phases),
        *("--checks", CHECKS, "--exclude-path", "/api/v1/events"),  # which answers until somebody hangs up
        *("--header", f"Authorization: Bearer {site.tokens[caller]}"),
        *("--suppress-health-check", "all", "--no-color", "--request-timeout", "60"),
        # With many examples, two threads of its generator make Python 3.11 fail in ast.parse now and then.
        *("--workers", "1" if examples == MANY else "2"),
    ]
    environ = {**os.environ, "SCHEMATHESIS_HOOKS": "schedule_hooks", "PYTHONPATH": str(tmp_path)}

    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=3500, check=False)

    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]


def test_every_operation_says_who_may_and_what_can_go_wrong(site, api):
    document = api.get("/openapi.json").json()

    assert document["openapi"].startswith("3.1")
    operations = [one for path in document["paths"].values() for one in path.values()]
    open_to_all = {one["operationId"] for one in operations if "security" not in one}
    assert open_to_all == {"health", "ready"}
    for one in operations:
        failures = {status: what for status, what in one["responses"].items() if status >= "4"}
        assert {"400", "403", "413", "503"} <= failures.keys()
        for status, what in failures.items():
            unready = (one["operationId"], status) == ("ready", "503")
            assert "application/problem+json" in what["content"] or unready, (one["operationId"], status)
    assert "HTTPValidationError" not in document["components"]["schemas"]
