import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload

from trenova_codecs import CodecError, KeyRing
from trenova_codecs.client_plugin import plugin
from trenova_codecs.first_ring import make_first_ring
from trenova_errors import ConfigurationError, ConflictError

PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"planted"')


@pytest.fixture
def environ(tmp_path):
    return {"TRENOVA_DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
def ring(tmp_path):
    return tmp_path / "data" / "keyring.json"


def test_a_new_machine_gets_a_ring_with_one_active_key(environ, ring):
    said = make_first_ring(environ)

    assert f"made the key ring {ring} with key 'k1'" in said
    assert KeyRing.from_file(ring).active().id == "k1"
    assert ring.stat().st_mode & 0o777 == 0o600


def test_a_ring_that_is_there_is_left_alone_whatever_else_is_there(environ, ring):
    make_first_ring(environ)
    before = ring.read_bytes()

    assert make_first_ring({**environ, "TRENOVA_SERVER_DATABASE": "/some/temporal.db"}) == ""
    assert ring.read_bytes() == before


def test_no_ring_is_made_beside_stored_payloads(environ, ring):
    with pytest.raises(ConfigurationError, match=r"keys init --adopt --ring .*keyring\.json") as caught:
        make_first_ring({**environ, "TRENOVA_SERVER_DATABASE": "/some/temporal.db"})

    assert "'/some/temporal.db'" in caught.value.message
    assert not ring.exists()


def test_no_ring_is_made_beside_the_archive_of_a_lost_one(environ, ring):
    ring.parent.mkdir(mode=0o700)
    ring.with_name("keyring.archive.json").write_text("{}")

    with pytest.raises(ConflictError, match=r"keyring\.archive\.json.*Put the ring back"):
        make_first_ring(environ)
    assert not ring.exists()


def test_no_ring_is_made_where_the_keys_come_from_elsewhere(environ, ring):
    assert make_first_ring({**environ, "SHIPMENT_WORKER_CODEC__ENCRYPTION__KEYS__SOURCE": "environment"}) == ""
    assert not ring.exists()


def test_a_damaged_ring_is_refused_and_left_as_it_is(environ, ring):
    ring.parent.mkdir(mode=0o700)
    ring.write_text("{")
    ring.chmod(0o600)

    with pytest.raises(CodecError):
        make_first_ring(environ)
    assert ring.read_text() == "{"


def test_the_program_says_what_it_did_and_why_it_refused(environ, ring):
    def run(**more: str) -> "subprocess.CompletedProcess[str]":
        told = {**os.environ, **environ, **more}
        command = [sys.executable, "-m", "trenova_codecs.first_ring"]
        return subprocess.run(command, env=told, capture_output=True, text=True, timeout=60)

    refused = run(TRENOVA_SERVER_DATABASE="/some/temporal.db")
    made = run()

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "keys init --adopt" in refused.stderr
    assert (made.returncode, made.stderr) == (0, "")
    assert str(ring) in made.stdout


async def test_a_tool_uses_the_ring_of_the_data_folder(environ):
    make_first_ring(environ)
    codec = plugin(environ).codec

    [sealed] = await codec.encode([PLAIN])
    assert sealed.metadata["encryption-key-id"] == b"k1"
    assert await codec.decode([sealed]) == [PLAIN]


async def test_a_tool_reads_what_is_not_encrypted(environ):
    make_first_ring(environ)

    assert await plugin(environ).codec.decode([PLAIN]) == [PLAIN]


def test_a_ring_that_is_named_must_be_there(environ, tmp_path):
    with pytest.raises(CodecError):
        plugin({**environ, "TRENOVA_CODECS_RING": str(tmp_path / "none.json"), "TRENOVA_CODECS_PLAIN": "1"})


@pytest.mark.parametrize("said", [{}, {"TRENOVA_ENV": "dev"}, {"TRENOVA_CODECS_PLAIN": "0"}, {"TRENOVA_ENV": ""}])
def test_a_tool_without_keys_sends_nothing_unless_it_is_told_to_in_words(environ, ring, said):
    with pytest.raises(ConfigurationError, match=r"nothing was sent.*set TRENOVA_CODECS_PLAIN=1") as caught:
        plugin(environ | said)

    for place in ("TRENOVA_CODECS_RING", str(ring), "TRENOVA_DATA_DIR", "TEMPORAL_ENCRYPTION_"):
        assert place in caught.value.message
    assert plugin({**environ, **said, "TRENOVA_CODECS_PLAIN": "1"}) is None


@pytest.mark.parametrize("env", ["staging", "prod", "production"])
@pytest.mark.parametrize("plain", [{}, {"TRENOVA_CODECS_PLAIN": "1"}])
def test_outside_dev_no_tool_goes_without_keys(environ, env, plain):
    with pytest.raises(ConfigurationError, match=rf"nothing was sent.*TRENOVA_ENV={env} .*does not count"):
        plugin({**environ, **plain, "TRENOVA_ENV": env})


@pytest.mark.parametrize("name", ["KEY_e1", "REVOKED_KEYS", "ACTIVE_KEY", "ACTIVE_KEYS"])
def test_keys_in_the_environment_that_are_not_complete_are_refused(environ, name):
    key = "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs="
    told = {**environ, f"TEMPORAL_ENCRYPTION_{name}": key, "TRENOVA_CODECS_PLAIN": "1"}

    with pytest.raises(ConfigurationError, match="TEMPORAL_ENCRYPTION_ACTIVE_KEY") as caught:
        plugin(told)
    assert key not in caught.value.message


async def test_a_tool_takes_keys_from_the_environment(environ):
    key = "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs="
    keys = {"TEMPORAL_ENCRYPTION_ACTIVE_KEY": "e1", "TEMPORAL_ENCRYPTION_KEY_e1": key}
    codec = plugin({**environ, **keys}).codec

    [sealed] = await codec.encode([PLAIN])
    assert sealed.metadata["encryption-key-id"] == b"e1"


KEY_A, KEY_B = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
IN_VARIABLES = {"TEMPORAL_ENCRYPTION_ACTIVE_KEY": "e1", "TEMPORAL_ENCRYPTION_KEY_e1": KEY_A}
OF_WORKERS = "TRENOVA_CODEC__ENCRYPTION__KEYS"


def folder_of_keys(folder: Path) -> str:
    folder.mkdir(mode=0o700)
    for name, content in (("d1", KEY_B), ("active", "d1")):
        (folder / name).write_text(content)
        (folder / name).chmod(0o600)
    return str(folder)


async def key_of(environ: dict[str, str]) -> bytes:
    """The key under which a tool encrypts."""
    [sealed] = await plugin(environ).codec.encode([PLAIN])
    return sealed.metadata["encryption-key-id"]


@pytest.mark.parametrize("way", ["levels", "lower case", "json", "json around"])
async def test_a_tool_uses_the_source_that_services_are_told_of(environ, tmp_path, way):
    make_first_ring(environ)
    keys = {"source": "directory", "path": folder_of_keys(tmp_path / "keys")}
    told = {
        "levels": {f"{OF_WORKERS}__SOURCE": keys["source"], f"{OF_WORKERS}__PATH": keys["path"]},
        "lower case": {f"{OF_WORKERS}__source".lower(): keys["source"], f"{OF_WORKERS}__PATH": keys["path"]},
        "json": {OF_WORKERS: json.dumps(keys)},
        "json around": {
            "TRENOVA_CODEC": json.dumps({"encryption": {"keys": {**keys, "path": "/nowhere"}}}),
            f"{OF_WORKERS}__PATH": keys["path"],
        },
    }

    assert await key_of({**environ, **IN_VARIABLES, **told[way]}) == b"d1"


async def test_a_tool_takes_keys_from_the_environment_before_a_ring_if_services_do(environ):
    make_first_ring(environ)

    assert await key_of({**environ, **IN_VARIABLES}) == b"k1"
    assert await key_of({**environ, **IN_VARIABLES, f"{OF_WORKERS}__SOURCE": "environment"}) == b"e1"


async def test_the_variable_of_tools_wins_over_that_of_services(environ, ring):
    make_first_ring(environ)
    told = {**IN_VARIABLES, f"{OF_WORKERS}__SOURCE": "environment", "TRENOVA_CODECS_RING": str(ring)}

    assert await key_of(environ | told) == b"k1"


async def test_a_path_alone_is_that_of_a_ring_file_and_may_name_the_data_folder(environ, ring):
    make_first_ring(environ)
    ring.rename(ring.with_name("other.json"))

    assert (
        await key_of({**environ, f"{OF_WORKERS}__PATH": "{data_dir}/other.json", f"{OF_WORKERS}__SOURCE": ""}) == b"k1"
    )


async def test_a_tool_writes_in_the_format_of_the_services(environ):
    make_first_ring(environ)
    told = {"TRENOVA_CODEC__ENCRYPTION__FORMAT": "v2", "TRENOVA_CODEC__ENCRYPTION__ON_PLAINTEXT": "reject"}
    codec = plugin(environ | told).codec

    [sealed] = await codec.encode([PLAIN])
    assert sealed.metadata["encoding"] == b"binary/trenova-encrypted-v2"
    with pytest.raises(CodecError):
        await codec.decode([PLAIN])


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        (f"{OF_WORKERS}__SOURCE", "planted"),
        (f"{OF_WORKERS}__REGION", "planted"),
        ("TRENOVA_CODEC__ENCRYPTION__FORMAT", "planted"),
        ("TRENOVA_CODEC__ENCRYPTION", "{planted"),
        ("TRENOVA_CODEC", "planted"),
    ],
)
def test_a_variable_that_says_what_cannot_be_is_named_without_its_value(environ, variable, value):
    make_first_ring(environ)

    with pytest.raises(ConfigurationError, match=variable) as caught:
        plugin({**environ, f"{OF_WORKERS}__PATH": "ring.json", variable: value})
    assert "planted" not in caught.value.message


def test_what_services_are_told_to_leave_in_clear_a_tool_leaves_in_clear_in_dev_alone(environ):
    make_first_ring(environ)
    told = {**environ, "TRENOVA_CODEC__ENCRYPTION": "null"}

    assert plugin(told).options.encryption is None
    with pytest.raises(ConfigurationError, match="plain_because"):
        plugin({**told, "TRENOVA_ENV": "prod"})
