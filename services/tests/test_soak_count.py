"""What a soak counts: each kind of loss is planted in what the jobs really left, and told."""

import asyncio
import dataclasses
import json
import shutil
import sys
import time
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, update
from temporalio.testing import ActivityEnvironment
from tms_rows import Tms, opened, sqlite_url

sys.path.append(str(Path(__file__).parent / "soak"))

import cancellations
import duplications
import messages
from latency import of_history, summary
from planting import OUTLIVED, SPARED, STALE, Planting
from receivers import Receivers
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import ActivityTaskStartedEventAttributes, HistoryEvent

from trenova_activities import CancelShipmentsPayload, DeliveryPayload, JobNotificationPayload, RunState
from trenova_activities.channels import ChannelOptions, open_channels
from trenova_activities.database import (
    CancellationActivities,
    DeliveryActivities,
    NotificationActivities,
    ShipmentActivities,
)
from trenova_errors import ApplicationError


@pytest.fixture
async def tms(seeded_sqlite: Path, tmp_path: Path):
    shutil.copyfile(seeded_sqlite, tmp_path / "tms.db")
    async with opened(sqlite_url(tmp_path)) as tms:
        yield tms


@pytest.fixture
async def receivers():
    receivers = Receivers()
    environ = await receivers.open()
    yield receivers, environ
    await receivers.close()


def environment(workflow_id: str) -> ActivityEnvironment:
    made = ActivityEnvironment()
    made.info = dataclasses.replace(
        ActivityEnvironment.default_info(), workflow_id=workflow_id, heartbeat_timeout=timedelta(seconds=10)
    )
    return made


async def notified(tms: Tms, environ: dict[str, str], run: str):
    """Plan a notification for every channel, as the job does; return what is planned and who delivers."""
    told = {name.partition("CHANNELS__")[2]: value for name, value in environ.items()}
    options = ChannelOptions.model_validate(
        {
            "email": {
                **{name: told[f"EMAIL__{name.upper()}"] for name in ("host", "security", "sender")},
                "port": int(told["EMAIL__PORT"]),
            },
            "webhook": {"endpoints": json.loads(told["WEBHOOK__ENDPOINTS"])},
        }
    )
    about = {"job_id": "job", "job_type": "duplicate_shipment", "success": True, "result": "Done.", "timestamp": 100}
    payload = JobNotificationPayload(**tms.tenant.values, user_id=tms.user_id, **about)
    activities = await NotificationActivities.open(tms.database, options)
    return options, (await environment(run).run(activities.notify, payload)).deliveries


async def delivered(tms: Tms, options: ChannelOptions, planned, times: int = 1) -> None:
    async with open_channels(options) as channels:
        sent = await DeliveryActivities.open(tms.database, channels)
        for one in planned:
            payload = DeliveryPayload(**tms.tenant.values, key=one.key)
            for _ in range(times):
                try:
                    await environment("w").run(getattr(sent, one.channel), payload)
                except ApplicationError:
                    continue


async def change(tms: Tms, statement) -> None:
    async with tms.database.write() as connection:
        await connection.execute(statement)


async def test_of_a_duplication_a_lost_row_and_one_too_many_are_told(tms: Tms):
    request = tms.request(count=2)
    activities = await ShipmentActivities.open(tms.database)
    result = await environment("job").run(activities.duplicate, request)
    notification = {"id": "notif_1", **tms.tenant.values, "job_id": "job", "event_type": "e", "priority": "low"}
    notification |= {"channel": "user", "title": "t", "message": "m", "source": "s", "delivery_status": "delivered"}
    about = {"id": "ae_again", **tms.tenant.values, "resource": "shipment", "operation": "duplicate", "timestamp": 1}
    notifications, audit = tms.catalog["notifications"], tms.catalog["audit_entries"]

    async def wrong() -> list[str]:
        return await duplications.wrong_with(tms, request, result.shipment_ids, "job")

    assert await wrong() == ["notifications []"]
    await change(tms, insert(notifications).values(notification))
    assert await wrong() == []
    await change(tms, insert(notifications).values(notification | {"id": "notif_2"}))
    assert await wrong() == ["notifications ['delivered', 'delivered']"]
    await change(tms, delete(notifications).where(notifications.c.id == "notif_2"))

    await change(tms, insert(audit).values(about | {"resource_id": result.shipment_ids[0]}))
    goods = tms.catalog["shipment_commodities"]
    await change(tms, delete(goods).where(goods.c.shipment_id == result.shipment_ids[1]))
    keys = tms.database.jobs.idempotency_keys
    await change(tms, delete(keys).where(keys.c.key == request.idempotency_key))

    assert await wrong() == [
        "copies that are not what was asked for",
        "other than one audit entry a copy",
        "0 idempotency keys",
    ]


def test_shipments_that_no_run_knows_of_are_told():
    assert duplications.more_copies(30, 36, 6) == []
    assert duplications.more_copies(30, 38, 6) == ["8 shipments more than before, and 6 are known"]


async def canceled(tms: Tms) -> int:
    """Cancel what is stale, as the job does; return how many it says."""
    activities = await CancellationActivities.open(tms.database)
    payload = CancelShipmentsPayload().at(RunState(run_id=uuid.uuid4().hex, workflow_time=int(time.time())))
    while not (progress := await environment("cancel").run(activities.cancel, payload)).done:
        pass
    return progress.result.total_cancelled


async def test_a_cancellation_that_is_lost_repeated_or_wanton_is_told(tms: Tms):
    planting = await Planting.open(tms)
    was = await cancellations.before(tms)
    await planting.stale()
    planted = await planting.planted()
    assert {kind: len(ids) for kind, ids in planted.items()} == {"stale": STALE, "young": SPARED, "under way": SPARED}
    told = await canceled(tms)

    async def wrong(said: int = told) -> list[str]:
        return await cancellations.counted(tms, was, planted["stale"], said)

    assert told >= STALE
    assert await wrong() == []
    assert await wrong(told + 1) == [f"{told} shipments were canceled and the runs say {told + 1}"]

    shipments, audit = tms.catalog["shipments"], planting.catalog["audit_entries"]
    stops, moves = tms.catalog["stops"], tms.catalog["shipment_moves"]
    lost, twice, unsaid, open_, silent = sorted(planted["stale"])[:5]
    await change(tms, update(shipments).where(shipments.c.id == lost).values(status="New"))
    wanton = planted["young"][0]
    await change(tms, update(shipments).where(shipments.c.id == wanton).values(status="Canceled", version=1))
    await change(tms, update(shipments).where(shipments.c.id == twice).values(version=2))
    await change(tms, update(shipments).where(shipments.c.id == unsaid).values(cancel_reason=None))
    below = select(moves.c.id).where(moves.c.shipment_id == open_)
    await change(tms, update(stops).where(stops.c.shipment_move_id.in_(below)).values(status="New"))
    again = select(audit).where(audit.c.resource_id == silent)
    async with tms.database.write() as connection:
        entry = dict((await connection.execute(again)).mappings().one())
        await connection.execute(insert(audit).values(entry | {"id": "ae_again"}))

    assert await wrong() == [
        f"1 stale shipments that were not canceled, e.g. {lost}",
        f"1 shipments that were canceled and were not stale, e.g. {wanton}",
        f"1 canceled shipments whose version says another number of changes than one, e.g. {twice}",
        f"2 canceled shipments without time or reason, e.g. {min(unsaid, wanton)}",
        f"2 canceled shipments without one audit entry, e.g. {min(silent, wanton)}",
        f"1 audit entries of cancellations that were none, e.g. {lost}",
        f"2 canceled shipments with something open below them, e.g. {min(open_, wanton)}",
    ]


async def test_what_is_planted_to_be_purged_is_known_to_be_there(tms: Tms):
    planting = await Planting.open(tms)
    await planting.outlived()
    planted = (await planting.planted())["outlived"]

    assert (len(planted), await planting.left(planted), await planting.left([])) == (OUTLIVED, OUTLIVED, 0)


async def test_a_message_arrives_by_every_channel(tms: Tms, receivers):
    took, environ = receivers
    options, planned = await notified(tms, environ, "job/notify")
    await delivered(tms, options, planned, times=2)

    found = messages.counted(await messages.deliveries(tms), took.arrived(), ["job/notify"])

    assert (found.planned, sum(found.repeated.values()), found.wrong) == ({"email": 1, "webhook": 1}, 0, [])


async def test_a_message_whose_answer_was_lost_arrives_again_and_is_counted(tms: Tms, receivers):
    took, environ = receivers
    options, planned = await notified(tms, environ, "job/notify")
    breaking = [took.break_mail("silent", 3), took.break_hook("silent", 3)]
    silent = asyncio.gather(*breaking)
    await asyncio.sleep(0)
    await delivered(tms, options, planned)
    await silent
    await delivered(tms, options, planned)

    found = messages.counted(await messages.deliveries(tms), took.arrived(), ["job/notify"])

    assert (found.repeated, found.wrong) == ({"email": 1, "webhook": 1}, [])
    assert str(found) == "1 by email of which 1 came once more, 1 by webhook of which 1 came once more"


async def test_a_message_that_is_lost_repeated_or_false_is_told(tms: Tms, receivers):
    took, environ = receivers
    options, planned = await notified(tms, environ, "job/notify")
    waiting = messages.counted(await messages.deliveries(tms), took.arrived(), ["job/notify", "other/notify"])
    await delivered(tms, options, planned)
    rows, arrived = await messages.deliveries(tms), took.arrived()
    [mail] = [one for one in arrived if one.channel == "email"]
    others = [one for one in arrived if one is not mail]

    def wrong(*seen) -> list[str]:
        return messages.counted(rows, [*others, *seen], ["job/notify"]).wrong

    assert waiting.wrong == [
        "1 times: email on record as pending",
        "1 times: notification that left by []",
        "1 times: webhook on record as pending",
    ]
    assert wrong(mail) == []
    assert wrong() == ["1 times: email on record as delivered that never arrived"]
    assert wrong(mail, mail) == ["1 times: email that arrived more often than it was sent on record"]
    assert wrong(mail, dataclasses.replace(mail, delivery="x")) == ["1 times: email that nobody planned"]
    assert wrong(dataclasses.replace(mail, sound=False)) == [
        "1 times: email with ids that disagree or a signature that is none"
    ]
    table = tms.database.jobs.channel_deliveries
    await change(tms, update(table).values(attempts=2))
    rows = await messages.deliveries(tms)
    assert wrong(mail, mail) == ["1 times: email that arrived again and is not on record as ambiguous"]
    await change(tms, update(table).values(ambiguous=True))
    rows = await messages.deliveries(tms)
    assert wrong(mail, mail) == []
    assert wrong(mail, dataclasses.replace(mail, digest="x")) == ["1 times: email whose repetition is another message"]


def event(number: int, kind: int, at: float, **more) -> HistoryEvent:
    made = HistoryEvent(event_id=number, event_type=kind, **more)
    made.event_time.FromNanoseconds(int(at * 1e9))
    return made


def test_a_task_waits_from_when_it_was_due_first_until_a_worker_has_it():
    started = {"scheduled_event_id": 6, "attempt": 1}
    events = [
        event(1, EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, 100),
        event(2, EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT, 110),  # kept for a worker that was gone
        event(3, EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED, 110),
        event(4, EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED, 110.5),
        event(6, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, 111),
        event(
            7,
            EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED,
            113,
            activity_task_started_event_attributes=ActivityTaskStartedEventAttributes(**started),
        ),
    ]

    found = of_history(events)

    assert [(one.kind, one.at, one.took_s) for one in found.seen] == [
        ("a workflow task", 100, 10.5),
        ("an activity", 111, 2),
    ]
    assert found.again == 0

    events[-1].activity_task_started_event_attributes.attempt = 2
    assert [one.kind for one in of_history(events).seen] == ["a workflow task"]
    assert of_history(events).again == 1


def test_a_summary_says_median_tail_and_most():
    assert summary([float(n) for n in range(101)]) == "median 50.000, p95 95.00, p99 99.00, most 100.0 (of 101)"
