import asyncio
import json
import sysconfig
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import DescribeScheduleRequest, DescribeScheduleResponse
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
)
from temporalio.testing import WorkflowEnvironment

from trenova_codecs import CodecOptions, CodecPlugin, EncryptionOptions, Key, KeyRing, KeyState
from trenova_codecs._key_text import new_secret
from trenova_codecs._payload_keys import keys_of, payloads_of
from trenova_codecs._schedule_recreation import ScheduleRecreation
from trenova_codecs._schedule_reencryption import ScheduleReencryption
from trenova_errors import ConflictError

CHASM = {
    "history.enableChasm": True,
    "history.enableCHASMSchedulerCreation": True,
    "history.enableCHASMSchedulerRouting": True,
    "history.chasmSchedulerCreationRolloutPercent": 100,
}
pytestmark = pytest.mark.integration

LETTER = "Dear dispatcher, the truck is late. " * 200
ONE, TWO = new_secret(), new_secret()


@pytest.fixture(params=["workflow-backed", "chasm"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    settings = CHASM if request.param == "chasm" else {}
    extra = [
        word for key, value in settings.items() for word in ("--dynamic-config-value", f"{key}={json.dumps(value)}")
    ]
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary), dev_server_log_level="error", dev_server_extra_args=extra
    ) as environment:
        environment.client.chasm = request.param == "chasm"
        yield environment.client


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.from_keys({"k1": ONE}, active="k1")


def rotate(ring: KeyRing) -> None:
    ring.replace([Key("k1", ONE, state=KeyState.DECRYPT_ONLY), Key("k2", TWO)])


async def connect(server: Client, ring: KeyRing, layout: str = "compat") -> Client:
    options = CodecOptions(encryption=EncryptionOptions(format=layout))
    return await Client.connect(server.service_client.config.target_host, plugins=[CodecPlugin(options, ring=ring)])


async def create(client: Client, schedule_id: str, **more: object) -> None:
    action = ScheduleActionStartWorkflow(
        "CodecsAnyWorkflow",
        args=[LETTER, 7],
        id=f"{schedule_id}-run",
        task_queue="codecs",
        memo={"note": "of the run"},
        static_summary="a summary",
    )
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=3))])
    state = ScheduleState(paused=True, note="by the operator")
    await client.create_schedule(schedule_id, Schedule(action=action, spec=spec, state=state), **more)


async def stored(server: Client, schedule_id: str) -> DescribeScheduleResponse:
    request = DescribeScheduleRequest(namespace="default", schedule_id=schedule_id)
    return await server.workflow_service.describe_schedule(request)


@pytest.mark.parametrize("layout", ["compat", "v2"])
async def test_a_schedule_comes_under_the_active_key_and_says_what_it_said(server, ring, layout):
    client = await connect(server, ring, layout)
    await create(client, "s1")
    before = await stored(server, "s1")
    assert keys_of(before) == {"k1"}
    rotate(ring)

    done = await ScheduleReencryption(server, ring, dry_run=False).reencrypt("s1")

    assert done is not None
    assert (done.was, done.rewritten, done.current, done.skipped, done.left) == ({"k1"}, 4, 0, 0, "")
    after = await stored(server, "s1")
    assert keys_of(after) == {"k2"}
    encodings = [{payload.metadata["encoding"] for payload in payloads_of(found)} for found in (before, after)]
    assert encodings[0] == encodings[1]  # the layout stays
    ring.revoke("k1")
    plain = await client.data_converter.decode(after.schedule.action.start_workflow.input.payloads)
    assert plain == [LETTER, 7]
    assert after.schedule.spec == before.schedule.spec
    assert after.schedule.state == before.schedule.state
    assert after.schedule.policies == before.schedule.policies
    input_size = len(after.schedule.action.start_workflow.input.payloads[0].data)
    assert input_size < len(LETTER) / 4  # compression was kept

    for dry_run in (False, True):
        again = await ScheduleReencryption(server, ring, dry_run=dry_run).reencrypt("s1")
        assert again is not None
        assert (again.was, again.rewritten, again.current, again.skipped) == (frozenset(), 0, 4, 0)
    assert await ScheduleReencryption(server, ring, dry_run=False).reencrypt("never made") is None


async def test_a_dry_run_says_it_all_and_changes_nothing(server, ring):
    client = await connect(server, ring)
    await create(client, "s1")
    before = await stored(server, "s1")
    rotate(ring)
    done = await ScheduleReencryption(server, ring, dry_run=True).reencrypt("s1")
    assert done is not None
    assert (done.was, done.rewritten) == ({"k1"}, 4)
    assert (await stored(server, "s1")).schedule == before.schedule


async def test_the_schedules_own_memo_is_rewritten_where_the_server_can_and_told_where_not(server, ring):
    client = await connect(server, ring)
    await create(client, "s1", memo={"owner": "dispatch"})
    rotate(ring)
    done = await ScheduleReencryption(server, ring, dry_run=False).reencrypt("s1")
    assert done is not None
    after = await stored(server, "s1")
    assert keys_of(after.schedule) == {"k2"}
    if server.chasm:
        assert (done.rewritten, done.skipped, done.left) == (5, 0, "")
        assert keys_of(after.memo) == {"k2"}
        assert await (await client.get_schedule_handle("s1").describe()).memo() == {"owner": "dispatch"}
    else:
        assert "memo updates are not supported on workflow-backed schedules" in done.left
        assert (done.rewritten, done.current, done.skipped) == (4, 0, 1)
        assert keys_of(after.memo) == {"k1"}
        again = await ScheduleReencryption(server, ring, dry_run=False).reencrypt("s1")
        assert again is not None
        assert (again.rewritten, again.current, again.skipped) == (0, 4, 1)
        foreseen = await ScheduleReencryption(server, ring, dry_run=True).reencrypt("s1")
        assert foreseen is not None
        assert (foreseen.rewritten, foreseen.memo, foreseen.current, foreseen.skipped) == (0, 1, 4, 0)


async def test_a_schedule_is_made_again_for_its_own_memo_as_it_was(server, ring, tmp_path):
    client = await connect(server, ring)
    await create(client, "s1", memo={"owner": "dispatch"})
    before = await stored(server, "s1")
    rotate(ring)
    again = ScheduleRecreation(server, tmp_path / "again")
    done = await ScheduleReencryption(server, ring, dry_run=False, recreation=again).reencrypt("s1")
    assert done is not None
    assert done.left == ""
    after = await stored(server, "s1")
    assert keys_of(after) == {"k2"}
    assert after.schedule.spec == before.schedule.spec
    assert after.schedule.state == before.schedule.state
    assert await (await client.get_schedule_handle("s1").describe()).memo() == {"owner": "dispatch"}
    assert list((tmp_path / "again").iterdir()) == []


async def test_what_was_deleted_when_it_was_interrupted_is_made_by_the_next_call(server, ring, tmp_path):
    client = await connect(server, ring)
    await create(client, "s1", memo={"owner": "dispatch"})
    described = await stored(server, "s1")
    first = ScheduleRecreation(server, tmp_path)

    async def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    first._create = interrupted
    with pytest.raises(KeyboardInterrupt):
        await first.recreate("s1", described, described.memo)
    (file,) = tmp_path.iterdir()
    kept = file.read_text()
    assert "Dear dispatcher" not in kept

    assert await ScheduleRecreation(server, tmp_path).resume() == ["s1"]
    file.write_text(kept)  # as if it had been interrupted once more, just after it was made
    assert await ScheduleRecreation(server, tmp_path).resume() == ["s1"]
    assert (await stored(server, "s1")).schedule == described.schedule
    assert list(tmp_path.iterdir()) == []


async def test_a_schedule_with_a_run_under_way_is_not_made_again(server, ring, tmp_path):
    client = await connect(server, ring)
    await create(client, "s1", memo={"owner": "dispatch"})
    await client.get_schedule_handle("s1").trigger()
    async with asyncio.timeout(15):
        while not (described := await stored(server, "s1")).info.running_workflows:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    with pytest.raises(ConflictError, match="runs under way"):
        await ScheduleRecreation(server, tmp_path).recreate("s1", described, described.memo)
    assert (await stored(server, "s1")).schedule == described.schedule


async def test_plain_arguments_are_encrypted(server, ring):
    await create(server, "plain")
    done = await ScheduleReencryption(server, ring, dry_run=False).reencrypt("plain")
    assert done is not None
    assert done.was == {""}
    after = await stored(server, "plain")
    assert keys_of(after.schedule) == {"k1"}
    client = await connect(server, ring)
    assert await client.data_converter.decode(after.schedule.action.start_workflow.input.payloads) == [LETTER, 7]


async def test_a_change_that_somebody_else_makes_meanwhile_is_not_lost(server, ring):
    client = await connect(server, ring)
    await create(client, "s1")
    rotate(ring)
    work = ScheduleReencryption(server, ring, dry_run=False)
    describe, overtaken = work._describe, 0

    async def overtaking(schedule_id: str) -> DescribeScheduleResponse | None:
        """Between reading and writing somebody else changes the schedule, twice."""
        nonlocal overtaken
        described = await describe(schedule_id)
        if overtaken < 2:
            overtaken += 1
            number = overtaken

            def note(given: object) -> ScheduleUpdate:
                schedule = given.description.schedule  # type: ignore[attr-defined]
                schedule.state.note = f"change {number}"
                return ScheduleUpdate(schedule=schedule)

            await server.get_schedule_handle(schedule_id).update(note)
            # The default scheduler keeps one update at a time: of two that it has not looked at yet, the second stays.
            for _ in range(500):
                if (await stored(server, schedule_id)).schedule.state.notes == f"change {number}":
                    break
                await asyncio.sleep(0.02)
        return described

    work._describe = overtaking
    done = await work.reencrypt("s1")
    assert done is not None
    assert done.left == ""
    after = await stored(server, "s1")
    assert keys_of(after) == {"k2"}
    assert after.schedule.state.notes == "change 2"


async def test_a_schedule_whose_key_is_gone_is_left_and_named(server, ring):
    client = await connect(server, ring)
    await create(client, "s1")
    ring.replace([Key("k2", TWO)])
    done = await ScheduleReencryption(server, ring, dry_run=False).reencrypt("s1")
    assert done is not None
    assert "needs key 'k1'" in done.left
    assert (done.rewritten, done.skipped) == (0, 4)
    foreseen = await ScheduleReencryption(server, ring, dry_run=True).reencrypt("s1")
    assert foreseen is not None
    assert (foreseen.rewritten, foreseen.skipped, foreseen.left) == (0, 4, done.left)
    assert keys_of(await stored(server, "s1")) == {"k1"}
