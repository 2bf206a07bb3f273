"""Arguments of `serve` that cannot be meant are refused with a sentence and exit status 2."""

import os
import ssl

import pytest
import yaml
from typer.testing import CliRunner

from trenova_codecs import KeyRing
from trenova_codecs._ring_changes import added, promoted
from trenova_codecs._ring_document import AesMaterial, RingDocument
from trenova_codecs._ring_storage import create_ring
from trenova_codecs.cli import app
from trenova_codecs.server import ServeOptions, serve
from trenova_codecs.server._console import console_options
from trenova_codecs.server._key_source import check_assigned
from trenova_codecs.server._settings import load_options
from trenova_errors import ConfigurationError


@pytest.fixture
def ring_file(tmp_path):
    path = tmp_path / "keyring.json"
    document = added(RingDocument(revision=1), "k1", AesMaterial.of(os.urandom(32)))
    create_ring(path, promoted(document, "k1").model_copy(update={"revision": 1}))
    return path


@pytest.fixture
def refused(ring_file, tmp_path, monkeypatch):
    """Run `serve` with arguments that it refuses; what it says."""
    for name in os.environ:
        if name.startswith("TRENOVA_"):
            monkeypatch.delenv(name)

    def run(*arguments, **environ):
        command = ["serve", "--port", "0", *arguments]
        result = CliRunner().invoke(app, command, env={"TRENOVA_DATA_DIR": str(tmp_path), **environ})
        assert result.exit_code == 2, result.output
        assert isinstance(result.exception, SystemExit)
        return " ".join(result.output.split())

    return run


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["x="], "--namespace 'x=' names no key ids. Write NAME=ID,ID"),
        (["x=k1,"], "names no key ids"),
        (["x=,"], "names no key ids"),
        (["=k1"], "'=k1' names no namespace"),
        ([""], "names no namespace"),
        (["x=k1", "x=k1"], "names 'x' twice. Give all of its keys in one"),
        ([" x=k1"], "it is empty or has spaces around it"),
        (["n" * 256], "should have at most 255"),
        (["x=k1,k9"], "Namespace 'x' is assigned 'k9'; the key ring holds k1. Correct the id, add the key first"),
    ],
)
def test_a_namespace_without_a_name_or_with_keys_that_are_none_is_refused(refused, flags, said):
    assert said in refused(*[part for flag in flags for part in ("--namespace", flag)])


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"namespaces": {"a": {"keys": [""]}}}, "namespaces.a.keys.0: it is empty"),
        ({"namespaces": {"": {"keys": ["*"]}}}, "it is empty"),
        ({"namespaces": {"a": {"keys": ["k1"], "encode_with": "k2"}}}, "encode_with is none of keys"),
        ({"trusted_proxies": ["planted"]}, "trusted_proxies.0: it is neither an address nor a network"),
        ({"trusted_proxies": ["*"]}, "neither an address nor a network"),
        ({"stop": 3}, "stop: there is no such option; did you mean 'stop_s'?"),
        ({"codec": {"encryption": {"fromat": "v2"}}}, "codec.encryption.fromat: there is no such option; did you mean"),
        ({"batch": {"xyz": 1}}, "there is no such option; known there: max_output, max_payloads."),
        ({"stop_s": float("inf")}, "stop_s: Input should be less than or equal to 3600"),
        ({"host": "codec.example.com"}, "Listening on 'codec.example.com' lets other machines in"),
        ({"tls_certificate": "none.pem", "tls_key": "none.pem"}, "The certificate 'none.pem' with the key 'none.pem'"),
        ({"codec": {"encryption": {"keys": {"source": "file", "path": "none.json"}}}}, "no key ring 'none.json'"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(refused, tmp_path, told, said):
    (tmp_path / "codec.yaml").write_text(yaml.safe_dump(told))

    shown = refused("--config", str(tmp_path / "codec.yaml"))

    assert said in shown
    assert "planted" not in shown


def test_the_variable_that_names_the_file_is_no_option_of_it(refused, tmp_path):
    (tmp_path / "codec.yaml").write_text("stop_s: 0")

    said = refused(TRENOVA_CODEC_SERVER_CONFIG=str(tmp_path / "codec.yaml"))

    assert "stop_s: Input should be greater than 0" in said
    assert "config" not in said


def test_a_wrong_variable_is_named_with_the_nearest_one_that_there_is(refused):
    said = refused(TRENOVA_CODEC_SERVER_BATCH__MAX_PAYLOD="7")

    assert "batch.max_paylod (TRENOVA_CODEC_SERVER_BATCH__MAX_PAYLOD): there is no such option" in said
    assert "did you mean 'max_payloads'?" in said


@pytest.mark.parametrize("folder", ["/proc/x", "file"])
async def test_a_folder_that_cannot_be_written_is_said(ring_file, tmp_path, folder):
    (tmp_path / "file").touch()
    options = ServeOptions(port=0, data_dir=tmp_path / folder)

    with pytest.raises(ConfigurationError, match=r"cannot leave its address in .*codec-server.json'.*Choose a folder"):
        await serve(options, KeyRing.from_file(ring_file), say=lambda _: None)


async def test_a_sealed_private_key_is_refused_without_asking_the_terminal(ring_file, tmp_path):
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    sealed = BestAvailableEncryption(b"planted")
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed))
    (tmp_path / "chain.pem").write_text(ssl.DER_cert_to_PEM_cert(b"none"))
    tls = {"tls_certificate": tmp_path / "chain.pem", "tls_key": tmp_path / "key.pem"}

    with pytest.raises(ConfigurationError, match=r"cannot be used: .*the key without a password"):
        await serve(ServeOptions(port=0, data_dir=tmp_path, **tls), KeyRing.from_file(ring_file), say=lambda _: None)


def test_a_file_may_name_keys_that_are_still_to_come(ring_file, caplog):
    options = load_options(None, {}, {"namespaces": {"a": {"keys": ["k1", "k9"]}, "b": {"keys": ["pay-*"]}}})

    check_assigned(options, KeyRing.from_file(ring_file), typed=())

    (message,) = caplog.messages
    assert message.startswith("Namespace 'a' is assigned 'k9'; the key ring holds k1.")


def test_a_console_serves_a_namespace_whose_name_has_dots(tmp_path):
    environ = {"TRENOVA_CONSOLE__PORT": "1", "TRENOVA_CONSOLE__FILE": str(tmp_path / "c.json")}

    options, _ = console_options({**environ, "TEMPORAL_NAMESPACE": "payments.acct"})

    assert list(options.namespaces) == ["payments.acct"]
