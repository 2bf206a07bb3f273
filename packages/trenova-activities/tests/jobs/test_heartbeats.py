"""Every activity heartbeats while it waits, be it for the database or for the other side of a channel."""

import asyncio
import contextlib
import dataclasses
import shutil
import sqlite3
import time
from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment
from tms import opened

import trenova_activities as jobs
from trenova_activities import _names
from trenova_activities.channels import ChannelOptions, Channels
from trenova_activities.database import (
    CancellationActivities,
    DeliveryActivities,
    NotificationActivities,
    RetentionActivities,
    ShipmentActivities,
    SystemActivities,
    TransferActivities,
)

pytestmark = pytest.mark.integration  # a database for each activity: once, not on every Python

TENANT = {"organization_id": "org_1", "business_unit_id": "bu_1"}
DUPLICATE = jobs.DuplicateShipmentPayload(**TENANT, user_id="usr_1", shipment_id="shp_1", count=1, idempotency_key="k")
MOVE = jobs.TransferCall(**TENANT, user_id="usr_1", shipment_ids=["shp_1"], customer_id="cus_2", run_id="r")
TOLD = jobs.JobNotificationPayload(**TENANT, job_type="billing_process", user_id="usr_1", success=True)
COPIED = jobs.ConfigurationCopiedPayload(**TENANT, user_id="usr_1", config_id="tc_1", config_name="Loads")
DELIVERY = jobs.DeliveryPayload(**TENANT, key="a" * 64)
AGAIN = jobs.RedeliverPayload(**TENANT, key="a" * 64, requested_by="usr_1")
RUN = jobs.RunState(run_id="run", workflow_time=int(time.time()), calls=1)
PAYLOADS = {
    jobs.DUPLICATE_SHIPMENT_ACTIVITY: DUPLICATE,
    jobs.JOB_NOTIFICATION_ACTIVITY: TOLD,
    jobs.CONFIGURATION_COPIED_ACTIVITY: COPIED,
    jobs.EMAIL_DELIVERY_ACTIVITY: DELIVERY,
    jobs.WEBHOOK_DELIVERY_ACTIVITY: DELIVERY,
    jobs.REDIS_DELIVERY_ACTIVITY: DELIVERY,
    jobs.BURY_DELIVERY_ACTIVITY: DELIVERY,
    jobs.REOPEN_DELIVERY_ACTIVITY: AGAIN,
    jobs.CANCEL_SHIPMENTS_ACTIVITY: jobs.CancelShipmentsPayload(run=RUN),
    jobs.DELETE_AUDIT_ENTRIES_ACTIVITY: jobs.DeleteAuditEntriesPayload(run=RUN),
    **{
        value: MOVE
        for name, value in vars(_names).items()
        if name.startswith("TRANSFER_") and name.endswith("_ACTIVITY")
    },
}
READS_ONLY = {jobs.CHECK_DATABASE_ACTIVITY}


class Wire:
    """A channel whose other side takes its time."""

    def __init__(self, name):
        self.name = name
        self.answer = asyncio.Event()

    async def send(self, _message, _destination):
        await self.answer.wait()
        return "taken"

    async def probe(self):
        return []

    async def close(self):
        pass


@pytest.fixture
async def tms(seeded_sqlite, tmp_path):
    shutil.copyfile(seeded_sqlite, tmp_path / "tms.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "tms.db")) as log:
        log.execute("DROP TRIGGER audit_entries_no_delete")  # or the purge is refused before it waits for anything
    async with opened(f"sqlite+aiosqlite:///{tmp_path}/tms.db") as tms:
        yield tms


async def every_activity(tms, channels):
    database = tms.database
    classes = (
        await CancellationActivities.open(database),
        await RetentionActivities.open(database),
        await ShipmentActivities.open(database),
        await TransferActivities.open(database),
        await NotificationActivities.open(database, channels.options),
        await DeliveryActivities.open(database, channels),
        SystemActivities(database),
    )
    methods = [getattr(one, name) for one in classes for name in dir(one) if not name.startswith("_")]
    defined = {
        m.__temporal_activity_definition.name: m for m in methods if hasattr(m, "__temporal_activity_definition")
    }
    assert set(defined) == {value for name, value in vars(_names).items() if name.endswith("_ACTIVITY")}
    return defined


def environment():
    beats = []
    made = ActivityEnvironment()
    made.info = dataclasses.replace(
        ActivityEnvironment.default_info(), workflow_id="job/notify", heartbeat_timeout=timedelta(seconds=0.3)
    )
    made.on_heartbeat = lambda *details: beats.append(details[0])
    return made, beats


async def until(beats, count, work):
    async with asyncio.timeout(30):
        while len(beats) < count:
            assert not work.done(), work.exception()
            await asyncio.sleep(0.02)


def channels_of(options):
    wires = [Wire(name) for name in ("email", "webhook", "redis")]
    return Channels(ChannelOptions.model_validate(options), wires), wires


@pytest.mark.parametrize("name", sorted(PAYLOADS))
async def test_an_activity_beats_while_another_writer_holds_the_database(tms, tmp_path, name):
    channels, _ = channels_of({})
    activities = await every_activity(tms, channels)
    assert set(PAYLOADS) | READS_ONLY == set(activities)
    other = sqlite3.connect(tmp_path / "tms.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    made, beats = environment()
    waiting = asyncio.create_task(made.run(activities[name], PAYLOADS[name]))
    try:
        await until(beats, 6, waiting)
        assert not waiting.done()
    finally:
        waiting.cancel()
        other.close()
        await asyncio.gather(waiting, return_exceptions=True)
    assert all(len(str(stage).split()) >= 1 for stage in beats)


async def test_a_delivery_beats_while_the_other_side_takes_its_time(tms):
    channels, [mail, *_] = channels_of({"email": {"host": "mail.example", "sender": "tms@example.com"}})
    activities = await every_activity(tms, channels)
    made, _ = environment()
    asked = jobs.JobNotificationPayload(
        **tms.tenant.values, job_type="billing_process", user_id=tms.user_id, success=True, job_id="job"
    )
    [planned] = (await made.run(activities[jobs.JOB_NOTIFICATION_ACTIVITY], asked)).deliveries
    made, beats = environment()
    payload = jobs.DeliveryPayload(**tms.tenant.values, key=planned.key)
    sending = asyncio.create_task(made.run(activities[jobs.EMAIL_DELIVERY_ACTIVITY], payload))
    await until(beats, 6, sending)
    mail.answer.set()

    assert (await sending).state == "delivered"
    assert beats[0] == "reading the message"
    assert beats.count("sending by email") >= 3
    assert beats[-1] == "recording that it was taken"
