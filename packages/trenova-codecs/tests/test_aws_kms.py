import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent))

from kms_server import CREDENTIALS, moto, wire_to

from trenova_codecs import KeyRing, KeyRingError, KeyState
from trenova_codecs._aws_kms import AwsKms, KmsRefusedError, KmsUnavailableError
from trenova_codecs._cli_attest import key_to_ask_for
from trenova_codecs._key_text import new_secret, write_base64
from trenova_codecs._ring_aws import AwsKmsRingSource
from trenova_codecs._ring_changes import added, promoted
from trenova_codecs._ring_document import AesMaterial, AwsKmsMaterial, RingDocument
from trenova_codecs._ring_storage import change_ring, create_ring, read_ring
from trenova_codecs._ring_watch import WatchedKeyRing
from trenova_codecs.cli import app

COMMAND = Path(sys.executable).with_name("trenova-codecs")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with moto() as address:
            yield address


@pytest.fixture
def kms_key(address: str) -> str:
    import boto3

    made: dict[str, Any] = boto3.session.Session().client("kms", endpoint_url=address).create_key()
    return str(made["KeyMetadata"]["KeyId"])


def material(kms: AwsKms, key_id: str, kms_key: str) -> tuple[AwsKmsMaterial, bytes]:
    wrapped = kms.generate(key_id, kms_key)
    secret = kms.open(key_id, wrapped, kms_key)
    return AwsKmsMaterial(wrapped=write_base64(wrapped), kms_key=kms_key, region="eu-west-1"), secret


@pytest.fixture
def ring(tmp_path: Path, address: str, kms_key: str) -> tuple[Path, bytes]:
    path = tmp_path / "keys" / "ring.json"
    sealed, secret = material(AwsKms(region="eu-west-1", endpoint_url=address), "k1", kms_key)
    create_ring(path, promoted(added(RingDocument(), "k1", sealed), "k1"))
    return path, secret


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def loaded(ring: WatchedKeyRing, clock: Clock, seconds: float) -> None:
    """Let time pass, touch the ring, and wait for the thread that looks."""
    clock.now += seconds
    ring.find("k1")
    await asyncio.to_thread(ring._looking.acquire)
    ring._looking.release()


def test_a_ring_of_sealed_keys_is_opened_by_kms_and_holds_no_key_itself(ring, address):
    path, secret = ring
    opened = KeyRing.from_aws_kms(path, endpoint_url=address)
    assert opened.active().reveal() == secret
    assert write_base64(secret) not in path.read_text()
    assert secret not in path.read_bytes()


def test_a_file_that_kms_has_to_open_is_not_taken_for_another(ring):
    with pytest.raises(KeyRingError, match=r"k1 in .* are sealed by AWS KMS"):
        KeyRing.from_file(ring[0])


def test_sealed_and_other_keys_stand_on_one_ring(ring, address):
    path, _ = ring
    change_ring(path, lambda document: added(document, "k2", AesMaterial.of(new_secret())))
    assert list(KeyRing.from_aws_kms(path, endpoint_url=address).ids()) == ["k1", "k2"]


def test_a_data_key_is_bound_to_its_id(address, kms_key):
    kms = AwsKms(region="eu-west-1", endpoint_url=address)
    wrapped = kms.generate("k1", kms_key)
    with pytest.raises(KmsRefusedError, match=r"'k2'.*InvalidCiphertextException"):
        kms.open("k2", wrapped, kms_key)


def test_an_unknown_kms_key_is_a_refusal_and_no_network_is_an_outage(address):
    with pytest.raises(KmsRefusedError, match="NotFoundException"):
        AwsKms(region="eu-west-1", endpoint_url=address).generate("k1", "11111111-2222-3333-4444-555555555555")
    with pytest.raises(KmsUnavailableError, match="EndpointConnectionError"):
        AwsKms(region="eu-west-1", endpoint_url="http://127.0.0.1:1").generate("k1", "any")


async def test_keys_outlive_an_outage_up_to_their_limit_and_are_asked_for_ahead_of_need(ring, address, caplog):
    path, secret = ring
    clock = Clock()
    async with wire_to(address) as wire:
        source = AwsKmsRingSource(
            path, AwsKms(endpoint_url=wire.address), refresh_seconds=60, max_stale_seconds=3600, clock=clock
        )
        watched = await asyncio.to_thread(WatchedKeyRing, source, clock=clock)
        asked = wire.requests
        for _ in range(1000):
            assert watched.active().reveal() == secret
        assert wire.requests == asked == 1

        await loaded(watched, clock, 61)
        assert wire.requests == 2  # nobody needed it

        await wire.down()
        with caplog.at_level(logging.WARNING):
            await loaded(watched, clock, 61)
        assert watched.active().reveal() == secret
        assert "It is used as it was opened" in caplog.text
        await loaded(watched, clock, 3600)
        assert watched.find("k1") is None

        await wire.up()
        await loaded(watched, clock, 61)
        assert watched.active().reveal() == secret


async def test_many_who_need_an_unknown_key_cause_one_question(ring, address, kms_key):
    path, _ = ring
    async with wire_to(address) as wire:
        opened = await asyncio.to_thread(KeyRing.from_aws_kms, path, endpoint_url=wire.address)
        sealed, secret = await asyncio.to_thread(material, AwsKms(endpoint_url=address), "k2", kms_key)
        change_ring(path, lambda document: added(document, "k2", sealed))
        before = wire.requests
        await asyncio.gather(*(opened.refresh("k2") for _ in range(50)))
        assert wire.requests == before + 2  # both keys once
        found = opened.find("k2")
        assert found is not None
        assert found.reveal() == secret


async def test_what_kms_refuses_is_revoked_at_the_next_question(ring, address, kms_key):
    import boto3

    path, _ = ring
    clock = Clock()
    source = AwsKmsRingSource(path, AwsKms(endpoint_url=address), clock=clock)
    watched = await asyncio.to_thread(WatchedKeyRing, source, clock=clock)
    generation = watched.generation
    # moto decrypts with a disabled key, so it is asked with a key that it really has no more.
    reset = boto3.session.Session().client("kms", endpoint_url=address)
    await asyncio.to_thread(reset.schedule_key_deletion, KeyId=kms_key, PendingWindowInDays=7)
    await asyncio.to_thread(_forget_all_keys, address)
    await loaded(watched, clock, 61)

    found = watched.find("k1")
    assert found is not None
    assert found.state is KeyState.REVOKED
    assert watched.generation > generation


def _forget_all_keys(address: str) -> None:
    import urllib.request

    with urllib.request.urlopen(urllib.request.Request(f"{address}/moto-api/reset", method="POST"), timeout=10):
        pass


async def test_without_kms_at_the_start_there_is_no_ring(ring):
    with pytest.raises(KmsUnavailableError, match="could not be asked for key 'k1'"):
        await asyncio.to_thread(KeyRing.from_aws_kms, ring[0], endpoint_url="http://127.0.0.1:1")


def test_the_command_line_makes_and_asks_for_sealed_keys(tmp_path, address, kms_key):
    path = tmp_path / "keys" / "ring.json"
    for words in (("init",), ("add",)):
        command = [COMMAND, "keys", *words, "--ring", path, "--aws-kms", kms_key, "--aws-endpoint-url", address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ})
        assert done.returncode == 0, done.stderr
    assert [key.material.kind for key in read_ring(path).keys if key.material] == ["aws-kms", "aws-kms"]
    ring = KeyRing.from_aws_kms(path, endpoint_url=address)
    assert list(ring.ids()) == ["k1", "k2"]
    asked_for = key_to_ask_for(path, "k2", aws_endpoint_url=address)
    found = ring.find("k2")
    assert found is not None
    assert asked_for.reveal() == found.reveal()


def test_payloads_are_encoded_and_decoded_with_a_sealed_ring(ring, address):
    path, _ = ring
    environ = {"AWS_ENDPOINT_URL_KMS": address, "TRENOVA_CODECS_RING": str(path)}
    encoded = CliRunner().invoke(app, ["encode", "--value"], input='"Reno"', env=environ)
    assert encoded.exit_code == 0, encoded.stderr
    decoded = CliRunner().invoke(app, ["decode"], input=encoded.stdout, env=environ)
    assert decoded.stdout == '"Reno"\n'
