import asyncio
import json
import os
import signal
import socket
import ssl
import sys

import httpx
import pytest
import yaml
from google.protobuf import json_format
from temporalio.api.common.v1 import Payloads

from trenova_codecs import KeyRing
from trenova_codecs._ring_changes import added, promoted
from trenova_codecs._ring_document import AesMaterial, RingDocument
from trenova_codecs._ring_storage import create_ring
from trenova_codecs.server import ServeOptions, serve
from trenova_codecs.server._settings import load_options
from trenova_errors import ConfigurationError

TOKENS = {
    "issuer": "https://issuer.example.com/",
    "audiences": ["codec"],
    "keys": {"url": "https://issuer.example.com/jwks"},
}


@pytest.fixture
def ring_file(tmp_path):
    path = tmp_path / "keyring.json"
    document = added(RingDocument(revision=1), "k1", AesMaterial.of(os.urandom(32)))
    create_ring(path, promoted(document, "k1").model_copy(update={"revision": 1}))
    return path


@pytest.fixture
async def run(tmp_path):
    """Start `trenova-codecs serve` as a process that ends with the test."""
    started = []

    async def start(*arguments, module="trenova_codecs.cli", **environ):
        code = f"import {module} as m; m.main()" if module == "trenova_codecs.cli" else None
        command = ["-c", code] if code else ["-m", module]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TRENOVA_")}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *(*command, *arguments),
            cwd=tmp_path,
            env={**kept, "TRENOVA_DATA_DIR": str(tmp_path), **environ},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def left(file, limit=20):
    async with asyncio.timeout(limit):
        while not file.exists():  # noqa: ASYNC110  # written by another process
            await asyncio.sleep(0.05)
    return json.loads(file.read_text())


async def until_ready(url, **client):
    async with httpx.AsyncClient(base_url=url, trust_env=False, **client) as asking, asyncio.timeout(20):
        while True:
            try:
                return await asking.get("/readyz")
            except httpx.TransportError:
                await asyncio.sleep(0.05)


async def refused(process):
    _, err = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, err.decode()


async def test_it_serves_until_it_is_asked_to_stop_and_leaves_no_secret_behind(run, ring_file, tmp_path):
    process = await run("serve", "--port", "0")
    told = await left(tmp_path / "codec-server.json")

    assert (tmp_path / "codec-server.json").stat().st_mode & 0o777 == 0o600
    assert (await until_ready(told["url"])).status_code == 200
    async with httpx.AsyncClient(base_url=told["url"], trust_env=False) as client:
        headers = {"Authorization": f"Bearer {told['key']}", "X-Namespace": "default"}
        encoded = await client.post("/encode", json={"payloads": [{"data": "AAAA"}]}, headers=headers)
        assert json_format.Parse(encoded.content, Payloads()).payloads[0].metadata["encryption-key-id"] == b"k1"
        wrong = {**headers, "Authorization": "Bearer planted-token"}
        assert (await client.post("/decode", json={}, headers=wrong)).status_code == 401
        shown = (await client.get("/metrics", headers=headers)).text
        assert "trenova_codecs_server_requests_total" in shown
        (line,) = [line for line in shown.splitlines() if line.startswith("trenova_access_refusals_total{")]
        assert 'reason="wrong_key"' in line
        assert line.endswith(" 1.0")
    process.send_signal(signal.SIGTERM)
    out, err = await asyncio.wait_for(process.communicate(), 20)

    assert process.returncode == 0
    assert not (tmp_path / "codec-server.json").exists()
    assert told["sign_in"] in out.decode()
    assert "encode in 'default' by 'local' (key): done" in err.decode()
    line = "reader on 'default' by nobody known: access.not_signed_in (wrong_key), from 127.0.0.1"
    assert line in err.decode()
    assert told["key"] not in out.decode() + err.decode()
    assert "planted-token" not in err.decode()


async def test_what_is_being_answered_is_finished_before_it_stops(ring_file, tmp_path):
    options = ServeOptions(port=0, data_dir=tmp_path)
    serving = asyncio.ensure_future(serve(options, KeyRing.from_file(ring_file), say=lambda _: None))
    told = await left(tmp_path / "codec-server.json")
    await until_ready(told["url"])
    host, port = told["url"].removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /decode HTTP/1.1\r\nHost: {host}\r\nX-Namespace: default\r\nAuthorization: Bearer {told['key']}\r\n"
    writer.write(f"{head}Content-Length: 2\r\n\r\n{{".encode())
    await writer.drain()
    await asyncio.sleep(0.3)

    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(0.5)
    writer.write(b"}")

    assert (await asyncio.wait_for(reader.read(15), 10)).startswith(b"HTTP/1.1 200")
    writer.close()
    await asyncio.wait_for(serving, 15)


async def test_a_file_variables_and_flags_are_read_in_this_order(run, ring_file, tmp_path):
    config = tmp_path / "codec.yaml"
    told = {"port": 1, "host": "0.0.0.0", "namespaces": {"pay": {"keys": ["k*"]}}, "batch": {"max_payloads": 7}}
    config.write_text(yaml.safe_dump(told))
    environ = {"TRENOVA_CODEC_SERVER_HOST": "127.0.0.1", "TRENOVA_CODEC_SERVER_BATCH__MAX_OUTPUT": "1000"}

    options = load_options(config, {**environ, "OTHER": "x"}, {"port": 0, "data_dir": None})

    assert (options.host, options.port) == ("127.0.0.1", 0)
    assert (options.batch.max_payloads, options.batch.max_output) == (7, 1000)
    assert list(options.namespaces) == ["pay"]
    assert options.access.sign_in.cookie == "trenova-codec-server"


def test_access_that_is_told_takes_the_place_of_the_sign_in():
    environ = {"TRENOVA_CODEC_SERVER_ACCESS": json.dumps({"tokens": TOKENS, "hosts": ["codec.example.com"]})}

    options = load_options(None, environ, {"access.origins": ["https://ui.example.com"]})

    assert options.access.sign_in is None
    assert options.access.tokens.audiences == ("codec",)
    assert options.access.origins == ("https://ui.example.com",)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"TRENOVA_CODEC_SERVER_PORT": "planted"}, "port (TRENOVA_CODEC_SERVER_PORT): Input should be a valid integer"),
        ({"TRENOVA_CODEC_SERVER_PROT": "1"}, "prot (TRENOVA_CODEC_SERVER_PROT): there is no such option"),
        ({"TRENOVA_CODEC_SERVER_NAMESPACES": '{"a": planted'}, "begins as JSON and is none"),
        (
            {"TRENOVA_CODEC_SERVER_ACCESS": '{"origins": []}'},
            "(TRENOVA_CODEC_SERVER_ACCESS): nobody can be let in",
        ),
        ({"TRENOVA_CODEC_SERVER_TLS_KEY": "planted"}, "tls_certificate and tls_key belong together"),
    ],
)
def test_an_option_that_is_wrong_is_named_without_its_value(environ, said):
    with pytest.raises(ConfigurationError) as caught:
        load_options(None, environ, {})
    assert said in caught.value.message
    assert "planted" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "said"), [("a: [", "is not YAML at line"), ("- a", "is no mapping"), (None, "cannot be read")]
)
def test_a_file_that_is_none_is_refused(tmp_path, text, said):
    file = tmp_path / "codec.yaml"
    if text is not None:
        file.write_text(text)

    with pytest.raises(ConfigurationError, match=said):
        load_options(file, {}, {})


async def test_it_does_not_listen_for_other_machines_unasked_or_in_clear(run, ring_file):
    status, said = await refused(await run("serve", "--host", "0.0.0.0", "--port", "0"))

    assert status == 2
    assert "Listening on '0.0.0.0' lets other machines in; that needs JWT verification" in said
    assert "and TLS" in said


async def test_with_tokens_and_a_certificate_it_serves_encrypted(ring_file, tmp_path, certificate):
    chain, key = certificate
    options = ServeOptions.model_validate(
        {
            "host": "0.0.0.0",
            "port": 0,
            "data_dir": tmp_path,
            "access": {"tokens": TOKENS, "hosts": ["localhost"]},
            "tls_certificate": chain,
            "tls_key": key,
        }
    )
    serving = asyncio.ensure_future(serve(options, KeyRing.from_file(ring_file), say=lambda _: None))
    told = await left(tmp_path / "codec-server.json")
    port = told["url"].rpartition(":")[2]

    answer = await until_ready(f"https://localhost:{port}", verify=ssl.create_default_context(cafile=str(chain)))

    assert answer.status_code == 200
    assert set(told) == {"url"}
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(serving, 15)


async def test_a_port_that_is_taken_and_a_ring_that_is_not_there_are_said(run, ring_file, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, said = await refused(await run("serve", "--port", str(taken.getsockname()[1])))
    assert status == 2
    assert "cannot listen on 127.0.0.1" in said
    status, said = await refused(await run("serve", "--port", "0", "--ring", str(tmp_path / "none.json")))
    assert status in {1, 2}
    assert "none.json" in said
    assert "Traceback" not in said


async def test_a_console_says_where_it_is_and_takes_up_a_ring_that_comes_later(run, ring_file, tmp_path):
    later = tmp_path / "later"
    kept = ring_file.read_bytes()
    ring_file.unlink()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = await run(
        module="trenova_codecs.server",
        TRENOVA_CONSOLE__PORT=str(port),
        TRENOVA_CONSOLE__FILE=str(later / "console.json"),
        TRENOVA_CONSOLE__ORIGINS="http://127.0.0.1:18233",
    )
    told = await left(later / "console.json")

    assert told["url"] == f"http://127.0.0.1:{port}"
    assert (await until_ready(told["url"])).status_code == 200
    async with httpx.AsyncClient(base_url=told["url"], trust_env=False) as client:
        headers = {"Authorization": f"Bearer {told['key']}", "X-Namespace": "default"}
        plain = {"payloads": [{"data": "AAAA"}]}
        assert (await client.post("/decode", json=plain, headers=headers)).json() == plain
        assert (await client.post("/encode", json=plain, headers=headers)).status_code == 503
        ring_file.touch(mode=0o600)
        ring_file.write_bytes(kept)
        async with asyncio.timeout(15):
            while (await client.post("/encode", json=plain, headers=headers)).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        evil = await client.post("/decode", json=plain, headers={**headers, "Origin": "http://127.0.0.1:8233"})
        assert evil.status_code == 403
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 20) == 0


async def test_a_console_that_up_did_not_start_says_what_to_run(run):
    status, said = await refused(await run(module="trenova_codecs.server"))

    assert status == 2
    assert "TRENOVA_CONSOLE__PORT is not set" in said
    assert "trenova-codecs serve" in said


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for localhost that signs itself."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(signed.public_bytes(Encoding.PEM))
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return chain, key
