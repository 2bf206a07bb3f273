import asyncio
import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.plugin import SimplePlugin
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker, _worker

from trenova_codecs import Key, KeyRing, KeyState
from trenova_codecs._attestation import PLUGIN_NAME, QUEUE_PREFIX, Answer, Challenge, instance_of, prove
from trenova_codecs._attestation_round import Holding, ask_workers, missing
from trenova_codecs._attestation_worker import KeyAttestation
from trenova_codecs._key_text import new_secret, write_base64
from trenova_codecs._live_workers import WorkerProcess, live_workers

ONE, TWO = new_secret(), new_secret()
CANDIDATE = Key("k2", TWO, state=KeyState.DECRYPT_ONLY)


def test_whoever_holds_the_key_meets_the_challenge():
    challenge = Challenge(CANDIDATE, "one")
    proof = prove(challenge.question, Key("k2", TWO))
    assert challenge.is_met_by(Answer(instance="one", proof=proof))


def test_another_key_of_the_same_id_does_not():
    challenge = Challenge(CANDIDATE, "one")
    assert prove(challenge.question, Key("k2", ONE)) is None


@pytest.mark.parametrize("change", ["instance", "question", "echo", "absent", "garbage"])
def test_an_answer_counts_only_for_the_process_and_the_question_it_was_made_for(change):
    challenge, other = Challenge(CANDIDATE, "one"), Challenge(CANDIDATE, "one")
    proof = prove(challenge.question, CANDIDATE)
    answers = {
        "instance": Answer(instance="two", proof=proof),
        "question": Answer(instance="one", proof=prove(other.question, CANDIDATE)),
        "echo": Answer(instance="one", proof=challenge.question.sealed),
        "absent": Answer(instance="one"),
        "garbage": Answer(instance="one", proof=write_base64(b"x" * 60)),
    }
    assert not challenge.is_met_by(answers[change])


def test_neither_message_holds_the_key_or_the_nonce():
    challenge = Challenge(CANDIDATE, "one")
    sent = challenge.question.model_dump_json() + str(prove(challenge.question, CANDIDATE))
    for secret in (TWO, challenge._nonce):
        assert write_base64(secret)[:20] not in sent
        assert secret.hex() not in sent


def test_a_plugins_name_tells_where_its_process_answers():
    attestation = KeyAttestation(KeyRing.from_keys({"k1": ONE}, active="k1"))
    names = ["OpenTelemetryPlugin", attestation.plugin_name(PLUGIN_NAME)]
    assert instance_of(names) == attestation.instance
    assert instance_of(["another/plugin", PLUGIN_NAME]) is None


@pytest.fixture(scope="module")
def runtime() -> Runtime:
    return Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=1))


@pytest.fixture
async def server() -> AsyncIterator[Client]:
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary), dev_server_log_level="error"
    ) as environment:
        yield environment.client


@activity.defn(name="codecs.nothing")
async def nothing() -> None: ...


@asynccontextmanager
async def worker(server: Client, runtime: Runtime, name: str, ring: KeyRing | None) -> AsyncIterator[None]:
    """A worker with two queues on one connection, as a service has it; without a codec if it has no ring."""
    attestation = KeyAttestation(ring) if ring else None
    plugin = SimplePlugin(attestation.plugin_name(PLUGIN_NAME) if attestation else "other")
    client = await Client.connect(
        server.service_client.config.target_host, runtime=runtime, identity=name, plugins=[plugin]
    )
    async with AsyncExitStack() as stack:
        for queue in (f"{name}-a", f"{name}-b"):
            if attestation:
                await stack.enter_async_context(attestation.answering(client))
            await stack.enter_async_context(Worker(client, task_queue=queue, activities=[nothing]))
        yield


async def listed(server: Client, count: int) -> None:
    async with asyncio.timeout(15):
        while len(await live_workers(server)) != count:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.2)


async def test_every_process_says_for_itself_whether_it_holds_the_key(server, runtime):
    both = KeyRing.from_keys({"k1": ONE, "k2": TWO}, active="k1")
    impostor = KeyRing.from_keys({"k1": ONE, "k2": new_secret()}, active="k2")
    async with (
        worker(server, runtime, "has", both),
        worker(server, runtime, "lacks", KeyRing.from_keys({"k1": ONE}, active="k1")),
        worker(server, runtime, "wrong", impostor),
        worker(server, runtime, "without", None),
    ):
        await listed(server, 4)
        attested = await ask_workers(server, CANDIDATE)

    said = {(one.worker.name, one.holding, one.active) for one in attested}
    assert said == {
        ("has", Holding.HOLDS, "k1"),
        ("lacks", Holding.LACKS, "k1"),
        ("wrong", Holding.LACKS, "k2"),
        ("without", Holding.WITHOUT_CODEC, None),
    }
    assert {one.worker.name for one in missing(attested, ignored=["lacks"])} == {"wrong", "without"}
    has = next(one for one in attested if one.worker.name == "has")
    assert sorted(has.worker.task_queues) == ["has-a", "has-b"]
    assert len(missing(attested, ignored=has.worker.keys)) == 3


async def test_a_process_that_only_now_gets_the_key_looks_for_it_when_it_is_asked(server, runtime):
    class Late(KeyRing):
        async def refresh(self, key_id: str | None = None) -> bool:
            self.replace([Key("k1", ONE), CANDIDATE])
            return True

    async with worker(server, runtime, "late", Late([Key("k1", ONE)])):
        await listed(server, 1)
        (said,) = await ask_workers(server, CANDIDATE)
    assert said.holding is Holding.HOLDS


async def test_a_revoked_key_is_not_held(server, runtime):
    ring = KeyRing.from_keys({"k1": ONE, "k2": TWO}, active="k1")
    ring.revoke("k2")
    async with worker(server, runtime, "revoked", ring):
        await listed(server, 1)
        (said,) = await ask_workers(server, CANDIDATE)
    assert said.holding is Holding.LACKS


KILLED = """
import asyncio, sys
from datetime import timedelta
from temporalio.client import Client
from temporalio.plugin import SimplePlugin
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Worker
from temporalio import activity
from trenova_codecs import KeyRing
from trenova_codecs._attestation import PLUGIN_NAME
from trenova_codecs._attestation_worker import KeyAttestation

@activity.defn(name="codecs.nothing")
async def nothing(): ...

async def main():
    attestation = KeyAttestation(KeyRing.from_keys({"k1": bytes(range(32))}, active="k1"))
    runtime = Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=1))
    client = await Client.connect(
        sys.argv[1], identity="killed", runtime=runtime, plugins=[SimplePlugin(attestation.plugin_name(PLUGIN_NAME))]
    )
    async with attestation.answering(client), Worker(client, task_queue="killed", activities=[nothing]):
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.mark.integration
async def test_a_killed_worker_is_listed_as_lost_after_three_heartbeats_and_a_stopped_one_is_not_listed(
    server, runtime
):
    async with worker(server, runtime, "stopped", KeyRing.from_keys({"k2": TWO}, active="k2")):
        await listed(server, 1)
    process = subprocess.Popen([sys.executable, "-c", KILLED, server.service_client.config.target_host])
    try:
        await listed(server, 1)
        await asyncio.sleep(1.2)  # its second heartbeat tells its interval
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    (said,) = await ask_workers(server, CANDIDATE)
    assert (said.worker.name, said.holding) == ("killed", Holding.LOST)
    assert said.worker.patience <= timedelta(seconds=9)
    assert missing([said], ignored=["killed"]) == []


async def test_answering_does_not_make_the_sdk_read_every_module_of_the_process(server, runtime, monkeypatch):
    """It does so in the event loop, for about a second, for a worker that does not say what was built."""
    monkeypatch.setattr(_worker, "_default_build_id", None)
    attestation = KeyAttestation(KeyRing.from_keys({"k1": ONE}, active="k1"))
    process = WorkerProcess("one", attestation.instance, "sdk", heartbeat=timedelta(seconds=5))
    async with attestation.answering(server):
        (said,) = await ask_workers(server, Key("k1", ONE), workers=[process])
        assert said.holding is Holding.HOLDS
    assert _worker._default_build_id is None


async def test_the_queue_of_questions_is_not_among_the_workers(server, runtime):
    ring = KeyRing.from_keys({"k1": ONE}, active="k1")
    async with worker(server, runtime, "one", ring):
        await listed(server, 1)
        (process,) = await live_workers(server)
    assert not any(queue.startswith(QUEUE_PREFIX) for queue in process.task_queues)
