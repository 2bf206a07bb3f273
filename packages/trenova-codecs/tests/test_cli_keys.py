import asyncio
import json
import os
import stat
import sys
import sysconfig
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.plugin import SimplePlugin
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker
from typer.testing import CliRunner

from trenova_codecs import KeyRing, KeyState
from trenova_codecs._attestation import PLUGIN_NAME
from trenova_codecs._attestation_worker import KeyAttestation
from trenova_codecs._key_text import new_secret, write_base64
from trenova_codecs._live_workers import live_workers
from trenova_codecs.cli import app

COMMAND = str(Path(sys.executable).with_name("trenova-codecs"))


class Outcome:
    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


def keys(*words: str, ring: Path, stdin: str = "") -> Outcome:
    """Run the command in this process."""
    done = CliRunner().invoke(app, ["keys", *words, "--ring", str(ring)], input=stdin, env={"COLUMNS": "200"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Outcome(done.exit_code, done.stdout, done.stderr)


async def installed(*words: str, ring: Path, environ: Mapping[str, str] | None = None) -> Outcome:
    """Run the command as it is installed, as a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(COMMAND, "keys", *words, "--ring", str(ring)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "COLUMNS": "200", **(environ or {})},
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return Outcome(process.returncode, out.decode(), err.decode())


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "ring.json"


def test_a_key_lives_from_init_to_the_archive_and_back(ring):
    assert (keys("init", ring=ring)).status == 0
    first = KeyRing.from_file(ring).active()
    assert stat.S_IMODE(ring.stat().st_mode) == 0o600

    added = keys("add", ring=ring)
    assert "key 'k2' decrypts" in added.out
    assert "keys promote k2" in added.out
    promote = ("promote", "k2", "--skip-workers", "--i-have-updated")
    assert (keys(*promote, ring=ring)).status == 0
    assert (keys(*promote, ring=ring)).status == 0  # once more changes nothing
    assert KeyRing.from_file(ring).active().id == "k2"

    retired = keys("retire", "k1", "--skip-usage", ring=ring)
    assert "ring.archive.json" in retired.out
    assert KeyRing.from_file(ring).find("k1") is None
    assert write_base64(first.reveal()) not in ring.read_text()
    assert stat.S_IMODE(ring.with_name("ring.archive.json").stat().st_mode) == 0o600

    assert (keys("restore", "k1", ring=ring)).status == 0
    back = KeyRing.from_file(ring).find("k1")
    assert back is not None
    assert back.reveal() == first.reveal()
    assert back.state is KeyState.DECRYPT_ONLY

    assert (keys("revoke", "k1", "--destroy", ring=ring)).status == 0
    listed = keys("list", "--json", ring=ring)
    assert [(json.loads(line)["id"], json.loads(line)["state"]) for line in listed.out.splitlines()] == [
        ("k1", "revoked"),
        ("k2", "active"),
    ]


def lose_the_ring_after_k1_was_archived(ring: Path) -> bytes:
    keys("init", ring=ring)
    first = KeyRing.from_file(ring).active().reveal()
    keys("add", ring=ring)
    keys("promote", "k2", "--skip-workers", "--i-have-updated", ring=ring)
    assert keys("retire", "k1", "--skip-usage", ring=ring).status == 0
    ring.unlink()
    return first


def test_init_beside_the_archive_of_a_lost_ring_wants_an_id_that_was_never_used(ring):
    first = lose_the_ring_after_k1_was_archived(ring)
    for words in (("init",), ("init", "--id", "k1")):
        refused = keys(*words, ring=ring)
        assert refused.status == 2
        assert "ring.archive.json" in refused.err
        assert not ring.exists()

    assert keys("init", "--id", "k7", ring=ring).status == 0
    assert keys("restore", "k1", ring=ring).status == 0
    back = KeyRing.from_file(ring).find("k1")
    assert back is not None
    assert back.reveal() == first
    assert back.state is KeyState.DECRYPT_ONLY


def test_add_leaves_archived_ids_alone(ring):
    first = lose_the_ring_after_k1_was_archived(ring)
    keys("init", "--id", "main", ring=ring)
    assert keys("add", "k1", ring=ring).status == 2
    assert "key 'k2' decrypts" in keys("add", ring=ring).out
    same = keys("add", "k1", "--from-stdin", ring=ring, stdin=write_base64(first))
    assert same.status == 0
    assert keys("retire", "k1", "--skip-usage", ring=ring).status == 0
    assert keys("restore", "k1", ring=ring).status == 0


@pytest.mark.parametrize("command", [("retire", "k1", "--skip-usage"), ("revoke", "k1")])
def test_a_key_stays_where_the_archive_keeps_another_one_under_its_id(ring, command):
    lose_the_ring_after_k1_was_archived(ring)
    archive = ring.with_name("ring.archive.json")
    aside = archive.rename(archive.with_suffix(".aside"))
    keys("init", ring=ring)
    keys("add", ring=ring)
    keys("promote", "k2", "--skip-workers", "--i-have-updated", ring=ring)
    aside.rename(archive)
    before = ring.read_bytes(), archive.read_bytes()

    refused = keys(*command, ring=ring)
    assert refused.status == 2
    assert "keeps another key under the id 'k1'" in refused.err
    assert (ring.read_bytes(), archive.read_bytes()) == before


def test_restore_refuses_a_key_that_was_archived_before_the_ring_had_its_id(ring):
    lose_the_ring_after_k1_was_archived(ring)
    archive = ring.with_name("ring.archive.json")
    content = json.loads(archive.read_text())
    content["keys"][0]["since"] = "2020-01-01T00:00:00Z"
    aside = archive.rename(archive.with_suffix(".aside"))
    keys("init", ring=ring)
    keys("add", ring=ring)
    keys("promote", "k2", "--skip-workers", "--i-have-updated", ring=ring)
    keys("revoke", "k1", "--destroy", ring=ring)
    aside.write_text(json.dumps(content))
    aside.rename(archive)

    refused = keys("restore", "k1", ring=ring)
    assert refused.status == 2
    assert "keeps another key 'k1'" in refused.err


def test_init_never_touches_a_ring_that_is_there(ring):
    keys("init", ring=ring)
    before = ring.read_bytes()
    again = keys("init", ring=ring)
    assert again.status == 2
    assert "was left as it is" in again.err
    assert ring.read_bytes() == before


def test_adoption_writes_its_day_into_the_ring(ring, tmp_path):
    keys("init", "--adopt", ring=ring)
    assert KeyRing.from_file(ring).plaintext_until == datetime.now(UTC).date() + timedelta(days=90)

    day = datetime.now(UTC).date() + timedelta(days=20)
    keys("adopt", "--until", str(day), ring=ring)
    assert KeyRing.from_file(ring).plaintext_until == day
    assert "Ended" in (keys("adopt", "--end", ring=ring)).out
    assert KeyRing.from_file(ring).plaintext_until is None
    assert (keys("adopt", ring=ring)).status == 2

    dated = tmp_path / "keys" / "dated.json"
    assert str(day) in (keys("init", "--adopt", "--until", str(day), ring=dated)).out
    past = keys("init", "--adopt", "--until", "2020-01-01", ring=tmp_path / "keys" / "past.json")
    assert past.status == 2
    assert "is past" in past.err


def test_a_key_that_exists_comes_in_through_stdin_and_is_never_shown(ring):
    secret = new_secret()
    keys("init", ring=ring)
    outcomes = [
        keys("add", "ours", "--from-stdin", ring=ring, stdin=write_base64(secret) + "\n"),
        keys("list", ring=ring),
        keys("list", "--json", ring=ring),
        keys("add", "again", "--from-stdin", ring=ring, stdin=write_base64(secret)),
        keys("promote", "ours", "--skip-workers", ring=ring),
        keys("retire", "ours", "--skip-usage", ring=ring),
        keys("add", "ours", "--from-stdin", ring=ring, stdin=write_base64(secret)),
    ]
    assert [outcome.status for outcome in outcomes] == [0, 0, 0, 2, 1, 0, 2]
    shown = "".join(outcome.out + outcome.err for outcome in outcomes)
    assert write_base64(secret)[:16] not in shown
    assert secret.hex()[:16] not in shown


def test_a_weak_key_is_refused_with_what_to_do_and_not_shown(ring):
    keys("init", ring=ring)
    passphrase = write_base64(b"correct-horse-battery-staple-123")
    for text in (passphrase, "c2hvcnQ=", "not base64 at all"):
        refused = keys("add", "weak", "--from-stdin", ring=ring, stdin=text)
        assert refused.status == 2
        assert "'weak'" in refused.err
        assert text not in refused.err
    legacy = keys("add", "the old one", "--legacy", ring=ring, stdin="short and weak\n")
    assert legacy.status == 0
    key = KeyRing.from_file(ring).find("the old one")
    assert key is not None
    assert key.reveal().startswith(b"short and weak\0")


async def test_the_installed_command_ends_as_its_errors_say(ring):
    refused = await installed("list", ring=ring)
    assert refused.status == 2
    assert "Traceback" not in refused.err
    assert (await installed("init", ring=ring)).status == 0
    assert "k1" in (await installed("list", ring=ring)).out
    assert (await installed("retire", "k1", "--skip-usage", ring=ring)).status == 2


def test_a_missing_ring_is_one_sentence_and_status_2(ring):
    outcome = keys("add", ring=ring)
    assert outcome.status == 2
    assert outcome.err.startswith("There is no key ring")
    assert "Traceback" not in outcome.err


@activity.defn(name="codecs.nothing")
async def nothing() -> None: ...


@pytest.fixture
async def server() -> AsyncIterator[Client]:
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary), dev_server_log_level="error"
    ) as environment:
        yield environment.client


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=1))


@asynccontextmanager
async def worker(server: Client, runtime: Runtime, name: str, path: Path) -> AsyncIterator[None]:
    attestation = KeyAttestation(KeyRing.from_file(path))
    client = await Client.connect(
        server.service_client.config.target_host,
        runtime=runtime,
        identity=name,
        plugins=[SimplePlugin(attestation.plugin_name(PLUGIN_NAME))],
    )
    async with attestation.answering(client), Worker(client, task_queue=name, activities=[nothing]):
        yield


async def listed(server: Client, count: int) -> None:
    async with asyncio.timeout(15):
        while len(await live_workers(server)) != count:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.2)


@pytest.mark.slow
@pytest.mark.integration
async def test_a_key_is_promoted_only_once_every_worker_holds_it(server, runtime, ring, tmp_path):
    here = {"TEMPORAL_ADDRESS": server.service_client.config.target_host}
    keys("init", ring=ring)
    keys("add", ring=ring)
    behind = tmp_path / "behind" / "ring.json"  # as on a machine that has not got the new ring yet
    keys("init", ring=behind)

    refused = await installed("promote", "k2", "--i-have-updated", ring=ring, environ=here)
    assert refused.status == 1
    assert "Namespace 'default' has no live worker" in refused.err

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(worker(server, runtime, "w1", ring))
        await stack.enter_async_context(worker(server, runtime, "w2", behind))
        await listed(server, 2)
        promote = ("promote", "k2", "--i-have-updated", "--wait", "5")
        refused = await installed(*promote, ring=ring, environ=here)
        assert refused.status == 1
        assert "w2 lacks key 'k2'" in refused.err
        assert "not promoted" in refused.err
        assert KeyRing.from_file(ring).active().id == "k1"
        assert (await installed("attest", "k2", "--ignore-worker", "w2", ring=ring, environ=here)).status == 0
        nobody = await installed("attest", "k2", "--ignore-worker", "nonsense", ring=ring, environ=here)
        assert nobody.status == 1
        assert "'nonsense': no live worker is called so, any more or at all; there are 'w1', 'w2'." in nobody.err
        assert "w2 lacks key 'k2'" in nobody.err, "a name of nobody leaves nobody out"

        behind.write_bytes(ring.read_bytes())
        without = await installed("promote", "k2", "--wait", "5", ring=ring, environ=here)
        assert "--i-have-updated" in without.err
        done = await installed(*promote, ring=ring, environ=here)
        assert done.status == 0, done.err
        assert KeyRing.from_file(ring).active().id == "k2"

        switched = await installed("attest", "k2", "--active", ring=ring, environ=here)
        assert switched.status == 1
        assert "w2 still encrypts with 'k1'" in switched.err
        behind.write_bytes(ring.read_bytes())
        await asyncio.sleep(1.1)
        assert (await installed("attest", "k2", "--active", ring=ring, environ=here)).status == 0
