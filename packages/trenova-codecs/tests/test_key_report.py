import asyncio
import json
import sysconfig
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio import activity, workflow
from temporalio.api.common.v1 import Memo, Payload, Payloads, SearchAttributes
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.api.history.v1 import History, HistoryEvent, WorkflowExecutionStartedEventAttributes
from temporalio.client import Client, Schedule, ScheduleActionStartWorkflow, ScheduleSpec, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from trenova_codecs import CodecPlugin, EncryptionCodec, Key, KeyRing, KeyState
from trenova_codecs._census_checkpoint import Checkpoint
from trenova_codecs._key_census import KeyCensus, Pace
from trenova_codecs._key_needs import Needs, verdicts
from trenova_codecs._key_text import new_secret
from trenova_codecs._payload_keys import PLAIN, key_of, keys_of
from trenova_codecs._ring_changes import added, promoted
from trenova_codecs._ring_document import AesMaterial, RingDocument, new_entry
from trenova_errors import ConfigurationError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


def sealed(key_id: str) -> Payload:
    return Payload(metadata={"encoding": b"binary/encrypted", "encryption-key-id": key_id.encode()}, data=b"?" * 40)


def test_every_payload_of_a_message_is_found_wherever_it_lies():
    started = WorkflowExecutionStartedEventAttributes(
        input=Payloads(payloads=[sealed("k1"), sealed("k2")]),
        memo=Memo(fields={"note": sealed("k3")}),
        search_attributes=SearchAttributes(indexed_fields={"Kind": Payload(data=b'"x"')}),
        continued_failure=Failure(
            encoded_attributes=sealed("k4"),
            cause=Failure(
                application_failure_info=ApplicationFailureInfo(
                    details=Payloads(payloads=[sealed("k5")]), next_retry_delay=Duration(seconds=1)
                )
            ),
        ),
    )
    event = HistoryEvent(workflow_execution_started_event_attributes=started)
    assert keys_of(History(events=[event])) == {"k1", "k2", "k3", "k4", "k5"}


async def test_the_key_of_a_payload_is_told_in_both_formats_and_under_compression():
    ring = KeyRing.from_keys({"k1": new_secret()}, active="k1")
    plain = Payload(metadata={"encoding": b"json/plain"}, data=b"1")
    for layout in ("compat", "v2"):
        (payload,) = await EncryptionCodec(ring, format=layout).encode([plain])
        assert key_of(payload) == "k1"
        around = Payload(metadata={"encoding": b"binary/zlib"}, data=zlib.compress(payload.SerializeToString()))
        assert key_of(around) == "k1"
    assert key_of(plain) == PLAIN
    assert key_of(Payload(metadata={"encoding": b"binary/zlib"}, data=b"damaged")) == PLAIN
    assert key_of(Payload()) is None


def ring_of_three() -> RingDocument:
    document = RingDocument()
    for key_id in ("k1", "k2", "k3"):
        document = added(document, key_id, AesMaterial.of(new_secret()))
    return promoted(promoted(document, "k1"), "k2")


def test_a_key_may_be_retired_when_the_last_closed_run_is_deleted():
    needs = {
        "k1": Needs(closed_runs=3, last_close=NOW - timedelta(days=2), exact=True),
        "k9": Needs(open_runs=["run"]),
    }
    k1, k2, k3, k9 = verdicts(ring_of_three(), needs, retention=WEEK, now=NOW)
    assert k1.safe_from == NOW + timedelta(days=5)
    assert not k1.allows_retirement(NOW)
    assert k1.allows_retirement(NOW + timedelta(days=5))
    assert (k2.safe_from, k2.why) == (None, "it is active: promote another one")
    assert k3.allows_retirement(NOW)
    assert k9.state is None
    assert "the ring does not have it" in k9.why


@pytest.mark.parametrize("needs", [Needs(open_runs=["run"]), Needs(schedules=["schedule"])])
def test_a_key_that_an_open_run_or_a_schedule_needs_has_no_day(needs):
    k1 = verdicts(ring_of_three(), {"k1": needs}, retention=WEEK, now=NOW)[0]
    assert k1.safe_from is None
    assert "then 7 days have to pass" in k1.why


def test_an_interrupted_scan_goes_on_where_it_was(tmp_path):
    path = tmp_path / "scan.jsonl"
    first = Checkpoint.at(path, scope="here")
    first.add("r1", frozenset({"k1"}))
    first.close()
    with path.open("a") as file:
        file.write('{"run": "r2", "ke')  # killed while it wrote

    second = Checkpoint.at(path, scope="here")
    assert second.find("r1") == {"k1"}
    assert second.find("r2") is None
    second.add("r3", frozenset())
    second.close()
    third = Checkpoint.at(path, scope="here")
    assert third.find("r3") == frozenset()
    third.close()
    with pytest.raises(ConfigurationError, match="another server"):
        Checkpoint.at(path, scope="there")


@activity.defn(name="codecs.beat")
async def beat() -> None:
    activity.heartbeat("how far")
    while True:
        await asyncio.sleep(0.2)
        activity.heartbeat("how far")


@workflow.defn(name="CodecsWaitWorkflow")
class WaitWorkflow:
    def __init__(self) -> None:
        self._done = False

    @workflow.run
    async def run(self, text: str) -> str:
        await workflow.wait_condition(lambda: self._done)
        return text

    @workflow.signal(name="done")
    def done(self) -> None:
        self._done = True


@workflow.defn(name="CodecsBeatWorkflow")
class BeatWorkflow:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            beat,
            activity_id="beat",
            start_to_close_timeout=timedelta(minutes=1),
            heartbeat_timeout=timedelta(seconds=2),
        )


@pytest.fixture
async def server() -> AsyncIterator[Client]:
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary), dev_server_log_level="error"
    ) as environment:
        yield environment.client


async def connect(server: Client, ring: KeyRing) -> Client:
    return await Client.connect(server.service_client.config.target_host, plugins=[CodecPlugin(ring=ring)])


def worker(client: Client) -> Worker:
    return Worker(
        client,
        task_queue="codecs",
        workflows=[WaitWorkflow, BeatWorkflow],
        activities=[beat],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_cached_workflows=0,
        max_heartbeat_throttle_interval=timedelta(seconds=0.1),
    )


async def counted(server: Client, count: int, query: str = "") -> None:
    """Visibility is a moment behind."""
    async with asyncio.timeout(15):
        while (await server.count_workflows(query)).count != count:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def has_beaten(run: WorkflowHandle) -> bool:
    described = await run.describe()
    return any(pending.heartbeat_details.payloads for pending in described.raw_description.pending_activities)


async def test_what_needs_a_key_is_counted_on_a_real_server(server, tmp_path):
    one, two = new_secret(), new_secret()
    ring = KeyRing.from_keys({"k1": one}, active="k1")
    client = await connect(server, ring)
    async with worker(client):
        for number in range(3):
            await client.start_workflow(WaitWorkflow.run, "text", id=f"w{number}", task_queue="codecs")
        await client.get_workflow_handle("w0").signal(WaitWorkflow.done)
        await client.get_workflow_handle("w0").result()
        action = ScheduleActionStartWorkflow(
            WaitWorkflow.run, "text", id="scheduled", task_queue="codecs", memo={"note": "text"}
        )
        await client.create_schedule("s1", Schedule(action=action, spec=ScheduleSpec()))

        ring.replace([Key("k1", one, state=KeyState.DECRYPT_ONLY), Key("k2", two)])
        await client.start_workflow(WaitWorkflow.run, "text", id="later", task_queue="codecs")
        # Begun under the new key; then a heartbeat under the old one, which is in no history.
        beats = await client.start_workflow(BeatWorkflow.run, id="beats", task_queue="codecs")
        async with asyncio.timeout(20):
            while not await has_beaten(beats):  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.1)
        ring.replace([Key("k1", one), Key("k2", two, state=KeyState.DECRYPT_ONLY)])
        await asyncio.sleep(1.0)
        await counted(server, 4, "ExecutionStatus = 'Running'")
        await counted(server, 1, "ExecutionStatus = 'Completed'")

        needs: dict[str, Needs] = {}
        census = KeyCensus(server, Pace(1000))
        await census.schedules(needs)
        await census.open_runs(needs)
        await census.closed_runs(needs)

    assert needs["k1"].schedules == ["s1"]
    assert sorted(needs["k1"].open_runs) == ["beats", "w1", "w2"]
    assert needs["k2"].open_runs == ["later"]
    assert needs["k1"].closed_runs == 1
    assert needs["k1"].exact
    assert PLAIN not in needs
    assert await census.retention() > timedelta(0)


async def test_closed_runs_are_bounded_by_when_they_began_and_a_scan_reads_each_once(server, tmp_path):
    ring = KeyRing.from_keys({"k2": new_secret()}, active="k2")
    client = await connect(server, ring)
    async with worker(client):
        for number in range(5):
            handle = await client.start_workflow(WaitWorkflow.run, "text", id=f"w{number}", task_queue="codecs")
            await handle.signal(WaitWorkflow.done)
            await handle.result()
    await counted(server, 5, "ExecutionStatus = 'Completed'")

    material = AesMaterial.of(new_secret())
    document = RingDocument(
        keys=(
            new_entry("k1", KeyState.DECRYPT_ONLY, material, used=True),
            new_entry("k3", KeyState.DECRYPT_ONLY, material, used=False),
        )
    )
    most: dict[str, Needs] = {}
    await KeyCensus(server, Pace(1000)).closed_runs_at_most(most, document)
    assert {key: found.closed_runs for key, found in most.items()} == {"k1": 5}
    assert not most["k1"].exact
    assert most["k1"].last_close is not None

    path = tmp_path / "scan.jsonl"
    for _ in range(2):
        looked: list[int] = []
        checkpoint = Checkpoint.at(path, scope="here")
        needs: dict[str, Needs] = {}
        await KeyCensus(server, Pace(1000), checkpoint=checkpoint, progress=looked.append).closed_runs(needs)
        checkpoint.close()
        assert needs["k2"].closed_runs == 5
        assert "k1" not in needs
    lines = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    assert len(lines) == 5
    assert all(line["keys"] == ["k2"] for line in lines)


async def test_requests_are_spread_over_time():
    pace = Pace(100)
    began = asyncio.get_running_loop().time()
    for _ in range(11):
        await pace.turn()
    assert asyncio.get_running_loop().time() - began >= 0.1
