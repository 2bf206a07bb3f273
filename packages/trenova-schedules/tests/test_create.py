import asyncio
import sysconfig
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client, ScheduleOverlapPolicy
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from trenova_errors import ConfigurationError
from trenova_schedules import OWNER_MEMO, CreatedReport, ScheduleDefinition, create_missing


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary), dev_server_log_level="error"
    ) as environment:
        yield environment.client


def define(schedule_id: str = "purge", **changes: object) -> ScheduleDefinition:
    fields = {
        "id": schedule_id,
        "workflow": "PurgeWorkflow",
        "task_queue": "system-queue",
        "args": ("org_1",),
        "catchup_window": timedelta(hours=1),
        "owner": "system-worker",
        "cron": "30 2 * * *",
    }
    return ScheduleDefinition.model_validate({**fields, **changes})


async def test_a_missing_schedule_is_created_as_defined_and_marked_with_its_owner(client):
    definition = define(
        time_zone="America/New_York",
        overlap=ScheduleOverlapPolicy.BUFFER_ONE,
        jitter=timedelta(seconds=30),
        pause_on_failure=True,
        note="Nightly",
        paused=True,
    )

    report = await create_missing(client, [definition])

    assert report == CreatedReport(created=("purge",), existing=(), never_fire=())
    description = await client.get_schedule_handle("purge").describe()
    assert await description.memo() == {OWNER_MEMO: "system-worker"}
    schedule = description.schedule
    assert schedule.action.workflow == "PurgeWorkflow"
    assert [payload.data for payload in schedule.action.args] == [b'"org_1"']
    assert schedule.spec.time_zone_name == "America/New_York"
    assert schedule.policy == definition.to_schedule().policy
    assert (schedule.state.note, schedule.state.paused) == ("Nightly", True)
    first = description.info.next_action_times[0]
    assert first.astimezone(ZoneInfo("America/New_York")).strftime("%H:%M") == "02:30"


async def test_what_exists_is_left_exactly_as_an_operator_left_it(client):
    await create_missing(client, [define()])
    handle = client.get_schedule_handle("purge")
    await handle.pause(note="Held for the audit")

    report = await create_missing(client, [define(cron="@hourly", note="changed"), define("new")])

    assert report == CreatedReport(created=("new",), existing=("purge",), never_fire=())
    state = (await handle.describe()).schedule.state
    assert (state.paused, state.note) == (True, "Held for the audit")


async def test_ten_replicas_at_once_create_each_schedule_once(client):
    definitions = [define(f"purge-{number}") for number in range(3)]

    reports = await asyncio.gather(*(create_missing(client, definitions) for _ in range(10)))

    created = sorted(schedule_id for report in reports for schedule_id in report.created)
    assert created == ["purge-0", "purge-1", "purge-2"]
    assert all(len(report.created) + len(report.existing) == 3 for report in reports)


async def test_a_schedule_that_will_never_fire_is_named(client):
    report = await create_missing(client, [define("leap", cron="0 0 31 2 *"), define("sane")])

    assert report == CreatedReport(created=("leap", "sane"), existing=(), never_fire=("leap",))


@pytest.mark.parametrize(
    ("cron", "fires"),
    [
        ("0 0 13 * 5", lambda time: (time.day, time.isoweekday()) == (13, 5)),
        ("*/10 * * * * *", lambda time: time.second == 0),
    ],
)
async def test_the_server_still_reads_these_crons_as_the_definition_says_it_does(client, cron, fires):
    schedule = define().to_schedule()
    schedule.spec.cron_expressions = [cron]
    schedule.spec.jitter = None

    handle = await client.create_schedule("misread", schedule)

    times = (await handle.describe()).info.next_action_times
    assert times
    assert all(fires(time) for time in times)


async def test_what_the_server_refuses_names_the_schedule_and_its_reason(client):
    with pytest.raises(ConfigurationError, match=r"'bad': .*Minute is not in range \[0-59\]") as caught:
        await create_missing(client, [define("good"), define("bad", cron="61 * * * *"), define("after")])

    assert caught.value.facts == {"schedule_id": "bad"}
    again = await create_missing(client, [define("good"), define("bad"), define("after")])
    assert again == CreatedReport(created=("bad", "after"), existing=("good",), never_fire=())


async def test_two_definitions_with_one_id_create_nothing(client):
    with pytest.raises(ConfigurationError, match="'twice' defined more than once"):
        await create_missing(client, [define("first"), define("twice"), define("twice", cron="@daily")])

    with pytest.raises(RPCError, match="not found"):
        await client.get_schedule_handle("first").describe()


async def test_an_unreachable_server_is_not_mistaken_for_a_bad_definition():
    client = await Client.connect("127.0.0.1:9", lazy=True)

    with pytest.raises((RPCError, RuntimeError)):
        await create_missing(client, [define()])


async def test_a_run_says_what_its_definition_says_of_it(client):
    tags = SearchAttributeKey.for_keyword_list("Tags")
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace="default", search_attributes={"Tags": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST}
        )
    )
    definition = define(
        run_summary="Purge what is outlived",
        run_details="Of every organization.",
        run_memo={"asked": {"by": "the schedule"}},
        run_search_attributes=TypedSearchAttributes([SearchAttributePair(tags, ["nightly"])]),
    )
    await create_missing(client, [definition])
    handle = client.get_schedule_handle("purge")
    async with asyncio.timeout(30):
        await handle.trigger()
        while not (started := (await handle.describe()).info.recent_actions):  # noqa: ASYNC110 (of another process)
            await asyncio.sleep(0.1)
    run = await client.get_workflow_handle(started[0].action.workflow_id).describe()

    assert (await run.static_summary(), await run.static_details()) == (
        "Purge what is outlived",
        "Of every organization.",
    )
    assert (await run.memo())["asked"] == {"by": "the schedule"}
    assert run.typed_search_attributes.get(tags) == ["nightly"]


def test_a_summary_that_the_server_would_refuse_is_refused_when_it_is_defined():
    with pytest.raises(ValidationError, match="has 201 bytes"):
        define(run_summary="x" * 201)
