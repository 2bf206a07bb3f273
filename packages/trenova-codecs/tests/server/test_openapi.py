"""What the server says of itself, and that nothing which fits it makes the server fail."""

import asyncio
import importlib.util
import sys
from pathlib import Path

import pytest


async def test_the_server_describes_itself(server):
    document = (await server.client.get("/openapi.json")).json()

    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {"/decode", "/encode", "/download", "/healthz", "/readyz"}
    schema = document["components"]["schemas"]["Payloads"]["properties"]["payloads"]
    assert schema["maxItems"] == 50


@pytest.mark.integration
@pytest.mark.skipif(
    importlib.util.find_spec("schemathesis") is None, reason="needs schemathesis, which is in the root environment"
)
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "signed_in",
    [pytest.param(True, id="signed in"), pytest.param(False, id="not signed in", marks=pytest.mark.slow)],
)
async def test_no_request_that_a_fuzzer_finds_is_an_error_of_the_server(server, signed_in, tmp_path):
    """Schemathesis, with data that fits the description and data that does not."""
    command = [
        *("run", f"{server.url}/openapi.json", "--max-examples", "8", "--seed", "1", "--mode", "all"),
        *(
            "--checks",
            "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
        ),
        *("--suppress-health-check", "all", "--no-color"),
    ]
    if signed_in:
        command += [
            "--header",
            f"Authorization: Bearer {server.access.sign_in.key}",
            "--header",
            "X-Namespace: payments",
        ]
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        *command,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 240)

    assert process.returncode == 0, out.decode()
    assert any(event.outcome == "done" for event in server.events) is signed_in
