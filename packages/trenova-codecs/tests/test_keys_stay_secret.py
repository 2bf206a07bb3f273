"""Keys are planted wherever this package holds them, and looked for wherever they could come out."""

import base64
import copy
import json
import logging
import pickle
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kms_server import CREDENTIALS, moto

from trenova_codecs import (
    CodecOptions,
    CodecPlugin,
    EncryptionCodec,
    EncryptionOptions,
    Key,
    KeyFile,
    KeyRing,
)
from trenova_codecs._attestation import Challenge
from trenova_codecs._attestation_worker import KeyAttestation
from trenova_codecs._aws_kms import AwsKms
from trenova_codecs._key_text import new_secret, write_base64
from trenova_codecs._ring_aws import AwsKmsRingSource
from trenova_codecs._ring_changes import added, promoted
from trenova_codecs._ring_document import AesMaterial, AwsKmsMaterial, LegacyMaterial, RingDocument
from trenova_codecs._ring_storage import create_ring, read_ring
from trenova_codecs._ring_watch import WatchedKeyRing
from trenova_errors import ApplicationError

SECRET = new_secret()
TEXT = "the weak old passphrase"


def shapes(secret: bytes) -> list[str]:
    """In which forms a key could come out."""
    return [
        base64.b64encode(secret).decode()[:24],
        base64.urlsafe_b64encode(secret).decode()[:24],
        secret.hex()[:24],
        repr(secret)[2:20],
        str(list(secret))[1:40],
    ]


def assert_silent(said: str, *secrets: bytes) -> None:
    for shape in [*(shape for secret in secrets for shape in shapes(secret)), TEXT]:
        assert shape not in said


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    path = tmp_path / "keys" / "ring.json"
    document = added(RingDocument(), "k1", AesMaterial.of(SECRET))
    create_ring(path, added(promoted(document, "k1"), "old", LegacyMaterial(text=TEXT)))
    return path


def test_what_holds_a_key_does_not_show_it(ring):
    opened = KeyRing.from_file(ring)
    options = CodecOptions(encryption=EncryptionOptions(keys=KeyFile(path=ring)))
    document = read_ring(ring)
    plugin = CodecPlugin(options)
    holders = [
        *(opened, opened.active(), opened.find("old"), document, document.keys[0], document.keys[0].material),
        *(EncryptionCodec(opened), plugin, plugin.ring, plugin.codec, options, Challenge(opened.active(), "here")),
        *(KeyAttestation(opened), KeyRing.from_keys({"k1": SECRET}, active="k1"), opened.source),
    ]
    for holder in holders:
        assert_silent(f"{holder!r} {holder}", SECRET)
    for dumped in (options.model_dump(), options.model_dump_json(), document.model_dump()):
        assert_silent(str(dumped), SECRET)


def test_only_the_file_itself_has_the_keys(ring):
    document = read_ring(ring)
    assert write_base64(SECRET) in document.to_json()
    assert json.loads(ring.read_text()) == json.loads(document.to_json())


@pytest.mark.parametrize("carry", [pickle.dumps, copy.deepcopy])
def test_a_key_does_not_leave_the_process(carry):
    with pytest.raises(TypeError, match="not pickled") as caught:
        carry(Key("k1", SECRET))
    assert_silent("".join(traceback.format_exception(caught.value)), SECRET)


SOURCES = ("keys", "environ", "file", "folder")
TEXT_KEY = ("text", "keys")
WRONG = {
    "short": SECRET[:20],
    "long": SECRET + b"!",
    "padded": SECRET[:20].ljust(32, b"\0"),
    "text": b"correct-horse-battery-staple-123",
    "repeated": b"\x9c\x01" * 16,
}


@pytest.mark.parametrize(
    ("name", "source"),
    # From a mapping a program may take text that it knows to be random.
    [
        (name, source)
        for name in WRONG
        for source in ("keys", "environ", "file", "folder")
        if (name, source) != TEXT_KEY
    ],
)
def test_a_refused_key_is_in_no_traceback(name, source, ring, tmp_path, caplog):
    secret = WRONG[name]
    document = json.loads(ring.read_text())
    document["keys"][0]["material"]["key"] = write_base64(secret)
    ring.write_text(json.dumps(document))
    (tmp_path / "k1").write_bytes(secret if len(secret) == 32 else write_base64(secret).encode())
    (tmp_path / "active").write_text("k1")
    for file in ("k1", "active"):
        (tmp_path / file).chmod(0o600)
    variables = {"TEMPORAL_ENCRYPTION_KEY_k1": write_base64(secret), "TEMPORAL_ENCRYPTION_ACTIVE_KEY": "k1"}
    if source == "folder":
        ring.rename(ring.with_name("aside"))
    make = {
        "keys": lambda: KeyRing.from_keys({"k1": secret}, active="k1"),
        "environ": lambda: KeyRing.from_environ(variables),
        "file": lambda: KeyRing.from_file(ring),
        "folder": lambda: KeyRing.from_directory(_only_files(tmp_path)),
    }
    with caplog.at_level(logging.DEBUG), pytest.raises(ApplicationError) as caught:
        make[source]()
    said = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caplog.text
    assert "'k1'" in said
    assert_silent(said, secret)
    assert secret.decode(errors="replace") not in said


def _only_files(folder: Path) -> Path:
    target = folder / "mounted"
    target.mkdir(mode=0o700)
    for name in ("k1", "active"):
        (folder / name).rename(target / name)
    return target


def test_a_reload_says_which_keys_there_are_and_not_what_they_are(ring, caplog):
    now = [0.0]
    opened = WatchedKeyRing(KeyRing.from_file(ring).source, clock=lambda: now[0])
    with caplog.at_level(logging.DEBUG):
        create_ring(ring.with_name("new"), promoted(added(read_ring(ring), "k2", AesMaterial.of(new_secret())), "k2"))
        ring.with_name("new").replace(ring)
        now[0] = 1.0
        assert opened.active().id == "k2"
        ring.write_text("{" + write_base64(SECRET))
        now[0] = 2.0
        assert opened.active().id == "k2"
    assert "Active k2" in caplog.text
    assert "is not a key ring" in caplog.text
    assert_silent(caplog.text, SECRET)


@pytest.fixture(scope="module")
def kms() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with moto() as address:
            yield address


def test_a_data_key_is_in_no_log_of_ours_nor_of_boto3_at_its_most_talkative(kms, tmp_path, caplog):
    import boto3

    kms_key = boto3.session.Session().client("kms", endpoint_url=kms).create_key()["KeyMetadata"]["KeyId"]
    with caplog.at_level(logging.DEBUG):
        connection = AwsKms(endpoint_url=kms)
        wrapped = connection.generate("k1", kms_key)
        path = tmp_path / "keys" / "ring.json"
        material = AwsKmsMaterial(wrapped=write_base64(wrapped), kms_key=kms_key)
        create_ring(path, promoted(added(RingDocument(), "k1", material), "k1"))
        source = AwsKmsRingSource(path, connection)
        opened = WatchedKeyRing(source)
    secret = opened.active().reveal()
    assert "botocore" in caplog.text  # it does talk
    assert_silent(caplog.text, secret)
    assert_silent(f"{connection!r} {source!r} {opened!r} {opened.active()!r}", secret)
