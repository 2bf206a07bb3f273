"""What people see of a run in Temporal: read from the server, as the UI reads it."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import RawValue
from temporalio.worker import Worker

import trenova_activities as jobs
from trenova_activities._labels import RunLabels, brief, checked_tags
from trenova_activities._notice_labels import notice_labels
from trenova_activities.database._nightly_handover import handed_over
from trenova_activities.database._own_run import cancel_own_run
from trenova_errors import ConflictError, ErrorsPlugin, InvalidInputError

TENANT = {"organization_id": "org_1", "business_unit_id": "bu_1"}
SHOWN = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
    EventType.EVENT_TYPE_TIMER_STARTED,
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
}
WORKFLOWS = (
    jobs.CancelShipmentsByCreatedAtWorkflow,
    jobs.CheckDatabaseWorkflow,
    jobs.DeleteAuditEntriesWorkflow,
    jobs.DuplicateShipmentWorkflow,
    jobs.RedeliverNotificationWorkflow,
    jobs.SendConfigurationCopiedNotificationWorkflow,
    jobs.SendJobCompleteNotificationWorkflow,
    jobs.TransferShipmentsWorkflow,
)


def planned() -> list[dict[str, Any]]:
    return [{"key": "a" * 64, "channel": "email", "target": "user/usr_1", "maxAttempts": 1}]


def refused(failure: Exception):
    def answer(_: dict[str, Any]) -> Any:
        raise failure

    return answer


def results() -> dict[str, Any]:
    """What each activity answers, by its wire name; a function is asked with the payload."""
    told = {"notificationId": "notif_1", "delivered": True, "channels": ["in_app"], "result": "Told."}
    moved = {"jobId": "j", "count": 1, "sourceShipmentIds": [], "shipmentIds": [], "proNumbers": [], "result": "Moved."}
    notice = {"organizationId": "org_1", "businessUnitId": "bu_1", "role": "ops", "words": "It is away."}
    return {
        jobs.DUPLICATE_SHIPMENT_ACTIVITY: {**moved, "proNumbers": ["S1"], "shipmentIds": ["shp_2"], "result": "Made."},
        jobs.JOB_NOTIFICATION_ACTIVITY: {**told, "deliveries": planned()},
        jobs.CONFIGURATION_COPIED_ACTIVITY: told,
        jobs.EMAIL_DELIVERY_ACTIVITY: refused(InvalidInputError("No such user.")),
        jobs.BURY_DELIVERY_ACTIVITY: {"state": "dead"},
        jobs.REOPEN_DELIVERY_ACTIVITY: planned()[0],
        jobs.CHECK_DATABASE_ACTIVITY: {"ready": True, "database": "sqlite", "jobs": [], "result": "Ready."},
        jobs.CANCEL_SHIPMENTS_ACTIVITY: {
            "done": True,
            "notices": [notice],
            "result": {"totalCancelled": 0, "result": "Nothing."},
        },
        jobs.DELETE_AUDIT_ENTRIES_ACTIVITY: lambda payload: (
            {"done": True, "notices": [notice]}
            if payload["run"].get("failed")
            else refused(InvalidInputError("No."))(payload)
        ),
        jobs.TRANSFER_RESERVE_ACTIVITY: {"count": 1},
        jobs.TRANSFER_COPY_ACTIVITY: {"count": 1},
        jobs.TRANSFER_CANCEL_ACTIVITY: refused(ConflictError("Somebody changed it.")),
        jobs.TRANSFER_VERIFY_ACTIVITY: {"done": True},
        jobs.TRANSFER_RESTORE_ACTIVITY: {"count": 1},
        jobs.TRANSFER_WITHDRAW_ACTIVITY: {"count": 1},
        jobs.TRANSFER_RELEASE_ACTIVITY: {"count": 1},
    }


@asynccontextmanager
async def serving(client: Client, *queues: str) -> AsyncIterator[None]:
    answers = results()

    @activity.defn(dynamic=True)
    async def answer(args: Sequence[RawValue]) -> Any:
        said = answers[activity.info().activity_type]
        [payload] = [activity.payload_converter().from_payload(arg.payload, dict) for arg in args]
        return said(payload) if callable(said) else said

    async def serve(queue: str, done: asyncio.Event) -> None:
        own = await Client.connect(client.service_client.config.target_host, plugins=[ErrorsPlugin()])
        async with Worker(own, task_queue=queue, workflows=WORKFLOWS, activities=[answer]):
            await done.wait()

    done = asyncio.Event()
    serving = [asyncio.create_task(serve(queue, done)) for queue in queues]
    try:
        yield
    finally:
        done.set()
        await asyncio.gather(*serving)


async def metadata_of(client: Client, workflow_id: str) -> tuple[str, str, list[str]]:
    """Return summary and details of a run, and the summary of everything that it scheduled."""
    handle = client.get_workflow_handle(workflow_id)
    with suppress(WorkflowFailureError):
        await handle.result()
    run = await handle.describe()
    scheduled = []
    for event in (await handle.fetch_history()).events:
        if event.event_type in SHOWN:
            assert event.user_metadata.HasField("summary"), event
            [text] = await client.data_converter.decode([event.user_metadata.summary], [str])
            scheduled.append(text)
    return await run.static_summary() or "", await run.static_details() or "", scheduled


async def start_all(client: Client, queue: str) -> list[str]:
    """Start every job through our helpers, wait for its end, and return the ids of all runs with those of children."""
    duplicate = jobs.DuplicateShipmentPayload(**TENANT, user_id="usr_1", shipment_id="shp_1", count=1)
    transfer = jobs.TransferShipmentsPayload(**TENANT, user_id="usr_1", shipment_ids=["shp_1"], customer_id="cus_2")
    redeliver = jobs.RedeliverPayload(**TENANT, key="a" * 64, requested_by="usr_9")
    key = {"idempotency_key": queue}
    there = {"task_queue": queue}
    handles: list[Any] = [
        await jobs.start_duplicate(client, duplicate.model_copy(update=key), **there, tags=["fleet-move"]),
        await jobs.start_transfer(client, transfer.model_copy(update=key), **there),
        await jobs.start_cancel(
            client, jobs.CancelShipmentsPayload(dry_run=True), key=f"{queue}/dry", **there, requested_by="usr_9"
        ),
        await jobs.start_cancel(client, jobs.CancelShipmentsPayload(organization_ids=["org_1"]), key=queue, **there),
        await jobs.start_purge(client, key=queue, **there),
        await jobs.start_redelivery(client, redeliver, **there),
    ]
    for handle in handles:
        try:
            await handle.result()
        except WorkflowFailureError:
            continue
    duplicated, moved, _dry, canceled, purged, _again = (handle.id for handle in handles)
    return [
        *(handle.id for handle in handles),
        f"{duplicated}/notify",
        f"{moved}/notify",
        *(f"{nightly}/notify/org_1/bu_1" for nightly in (canceled, purged)),
    ]


async def test_every_run_says_what_it_is_and_everything_it_schedules_says_why(client: Client, queue: str):
    async with serving(client, queue, jobs.NOTIFICATION_QUEUE):
        ids = await start_all(client, queue)
        seen = {run: await metadata_of(client, run) for run in ids}

    for run, (summary, details, scheduled) in seen.items():
        assert summary, run
        assert len(details.split()) >= 10, run
        assert scheduled, run
        assert all(len(said.split()) >= 4 for said in scheduled), (run, scheduled)
    duplicated, moved, dry, _, purged, again, told, told_of_move, *_ = ids
    assert seen[duplicated][0] == "Duplicate shp_1, one copy"
    assert seen[duplicated][2] == ["Copy shp_1, once, in one transaction", seen[told][0]]
    assert seen[told][0] == "Tell user/usr_1 how the duplication of a shipment ended"
    assert seen[told_of_move][0] == "Tell user/usr_1 why the transfer of shipments failed"
    assert "Somebody changed it." in seen[told_of_move][1]
    assert "Undo the step copy, because a later one failed or the run was canceled" in seen[moved][2]
    assert "It is a dry run: rows are counted, and nothing is changed." in seen[dry][1]
    assert "by usr_9 as the caller says" in seen[dry][1]
    assert "Find out whom to tell that the run failed" in seen[purged][2]
    assert seen[again][2] == [
        "Make the delivery ready that usr_9 wants tried again",
        "Send by email to user/usr_1",
        "Record that email to user/usr_1 is given up",
    ]


async def test_a_run_that_was_steered_says_why_each_of_its_calls_runs(client: Client, queue: str):
    asked = asyncio.Event()

    async def work(payload: jobs.CancelShipmentsPayload) -> jobs.CancelShipmentsProgress:
        assert payload.run is not None
        if payload.run.canceled:
            await cancel_own_run()
            return jobs.CancelShipmentsProgress(done=False)
        asked.set()
        while not activity.is_cancelled():
            activity.heartbeat()
            await asyncio.sleep(0.05)
        return jobs.CancelShipmentsProgress(done=False)

    @activity.defn(name=jobs.CANCEL_SHIPMENTS_ACTIVITY)
    async def call(payload: jobs.CancelShipmentsPayload) -> jobs.CancelShipmentsProgress:
        return await handed_over(work(payload))

    soon = {"max_heartbeat_throttle_interval": timedelta(milliseconds=100)}  # what stops a call comes with a heartbeat
    async with Worker(client, task_queue=queue, workflows=WORKFLOWS, activities=[call], **soon):
        run = await jobs.start_cancel(client, key=queue, task_queue=queue)
        await asyncio.wait_for(asked.wait(), 60)
        await jobs.steer(client, run.id, jobs.PauseRequest(reason="They complain", by="ana"))
        asked.clear()
        await jobs.steer(client, run.id, jobs.ResumeRequest(by="ana"))
        await asyncio.wait_for(asked.wait(), 60)
        await jobs.steer(client, run.id, jobs.CancelRequest(reason="wrong night", by="ana"))
        *calls, last = (await metadata_of(client, run.id))[2]
        details = await details_now(client, run.id)

    assert [said.partition(":")[0] for said in calls] == [f"Cancel, call {number}" for number in (1, 2)]
    assert last == "End the run as canceled, as it was told"
    assert details.startswith("Canceled by ana (claimed): wrong night")


async def details_now(client: Client, workflow_id: str) -> str:
    metadata = await client.get_workflow_handle(workflow_id).query(
        "__temporal_workflow_metadata", result_type=WorkflowMetadata
    )
    return metadata.current_details


async def test_a_run_says_where_it_stands(client: Client, queue: str):
    async with serving(client, queue, jobs.NOTIFICATION_QUEUE):
        duplicated, moved, *_ = ids = await start_all(client, queue)
        await metadata_of(client, f"{duplicated}/notify")
        told = await details_now(client, f"{duplicated}/notify")

        assert await details_now(client, duplicated) == "Made."
        undone = await details_now(client, moved)
        assert undone.startswith("The shipment was not transferred. Somebody changed it.")
        assert undone.endswith("What had been done was undone.")
        assert told == "Told. 0 of 1 message by email taken."
        for run in ids:
            await metadata_of(client, run)


async def test_runs_and_their_notifications_are_found_by_what_they_are(client: Client, queue: str):
    async with serving(client, queue, jobs.NOTIFICATION_QUEUE):
        ids = await start_all(client, queue)
        for run in ids:
            await metadata_of(client, run)
    duplicated, moved, dry, canceled, purged, _again, told, told_of_move, *_ = ids

    async def found(query: str) -> set[str]:
        return {run.id async for run in client.list_workflows(query) if queue in run.id}

    async def finds(query: str, *wanted: str) -> None:
        async with asyncio.timeout(30):  # the server lists a run a moment after it has begun
            while await found(query) != set(wanted):  # noqa: ASYNC110 (of another process)
                await asyncio.sleep(0.2)

    await finds("TrenovaJobType = 'duplicate_shipment'", duplicated)
    await finds("TrenovaTags = 'fleet-move'", duplicated, told)
    await finds("TrenovaTags = 'dry-run'", dry)
    await finds("TrenovaTags = 'by-hand' AND TrenovaJobType != 'notification'", dry, canceled, purged)
    await finds("TrenovaJobType = 'notification' AND TrenovaTags = 'about:transfer_shipments'", told_of_move)
    await finds("TrenovaTags = 'tells-failure' AND TrenovaTags = 'about:delete_audit_entries'", ids[-1])
    await finds("TrenovaOrganizationId = 'org_1'", duplicated, moved, canceled, *ids[-4:])
    await finds("TrenovaBusinessUnitId = 'bu_1' AND TrenovaJobType != 'notification'", duplicated, moved)

    memo = await jobs.job_memo(await client.get_workflow_handle(told).describe())
    assert memo == jobs.JobMemo(
        job_type="notification",
        request="Tell user/usr_1 how the duplication of a shipment ended",
        requested_by="usr_1",
        tags=["tells-success", "about:duplicate_shipment"],
    )
    by_hand = await jobs.job_memo(await client.get_workflow_handle(dry).describe())
    assert (by_hand.requested_by, by_hand.tags) == ("usr_9", ["by-hand", "dry-run"])


async def test_a_run_that_somebody_else_started_without_attributes_gives_its_children_none(client: Client, queue: str):
    payload = jobs.DuplicateShipmentPayload(**TENANT, user_id="usr_1", shipment_id="shp_1", count=1)
    async with serving(client, queue, jobs.NOTIFICATION_QUEUE):
        await client.execute_workflow(jobs.DUPLICATE_SHIPMENT_WORKFLOW, payload, id=queue, task_queue=queue)
        await metadata_of(client, f"{queue}/notify")
    told = await client.get_workflow_handle(f"{queue}/notify").describe()

    assert not any(pair.key.name.startswith("Trenova") for pair in told.typed_search_attributes)
    assert (await jobs.job_memo(told)).job_type == "notification"
    assert await jobs.job_memo(await client.get_workflow_handle(queue).describe()) is None


async def test_the_server_takes_the_longest_texts_there_can_be(client: Client, queue: str):
    payload = jobs.JobNotificationPayload(
        **TENANT, job_type="ä" * 1000, user_id="usr_" + "x" * 96, success=False, result="ü" * 50_000, job_id="j" * 900
    )
    labels = notice_labels(payload)
    handle = await client.start_workflow(
        jobs.JOB_NOTIFICATION_WORKFLOW, payload, id=queue, task_queue=queue, **labels.arguments()
    )
    run = await handle.describe()
    await handle.terminate()

    summary = await run.static_summary()
    assert summary.endswith("...")
    assert len(summary.encode()) <= 200
    assert len((await run.static_details()).encode()) <= 8_000


def test_a_summary_is_one_line():
    assert brief("a\n  b\tc") == "a b c"
    assert brief("é" * 200) == "é" * 98 + "..."
    assert brief("x" * 200) == "x" * 200


@pytest.mark.parametrize("character", ["x", "é", '"', "\x00", "\U0001f69a"])
def test_a_summary_is_short_as_it_is_sent(character: str):
    sent = json.dumps(brief(character * 1000), ensure_ascii=False).encode()

    assert 190 <= len(sent) <= 202


@pytest.mark.parametrize("tag", ["", "Upper", "two words", "-begins", "x" * 101, "name@example"])
def test_what_is_no_tag_is_refused_before_anything_is_started(tag: str):
    with pytest.raises(InvalidInputError, match="is no tag"):
        checked_tags([tag])


def test_tags_are_few_and_each_stands_once():
    assert checked_tags(["b", "a", "b"]) == ("b", "a")
    with pytest.raises(InvalidInputError, match="11 tags are too many"):
        checked_tags([f"t{number}" for number in range(11)])
    many = RunLabels(job_type="j", summary="s", details="d", tags=("a",))
    kept = many.search_attributes(inherited=[f"t{number}" for number in range(30)]).get(jobs.TAGS)
    assert len(kept) == 20
    assert kept[0] == "a"


def test_a_scheduled_run_says_that_it_is():
    fields = jobs.DELETE_AUDIT_ENTRIES_SCHEDULE.fields()

    assert fields["run_summary"] == "Delete outlived audit entries of every organization"
    assert "Started by its schedule." in fields["run_details"]
    assert fields["run_search_attributes"].get(jobs.TAGS) == ["scheduled"]
    assert fields["run_memo"]["trenova.job"]["jobType"] == "delete_audit_entries"


async def test_the_workflows_that_do_not_loop_have_few_events(client: Client, queue: str):
    async with serving(client, queue, jobs.NOTIFICATION_QUEUE):
        ids = await start_all(client, queue)
        for run in ids:
            await metadata_of(client, run)
        lengths = {run: len((await client.get_workflow_handle(run).fetch_history()).events) for run in ids}

    assert max(lengths.values()) < 100, lengths
