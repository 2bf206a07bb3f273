import asyncio
import dataclasses

import pytest
from sqlalchemy import delete
from temporalio.testing import ActivityEnvironment
from tms import Tms

from trenova_activities import JOB_EVENTS, ConfigurationCopiedPayload, JobNotificationPayload, RelatedEntity
from trenova_activities.database import NotificationActivities


class Notifier:
    def __init__(self, tms: Tms, activities: NotificationActivities) -> None:
        self.tms = tms
        self.activities = activities

    async def send(self, payload, *, workflow_id="job/notify"):
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(ActivityEnvironment.default_info(), workflow_id=workflow_id)
        chosen = self.activities.notify
        if isinstance(payload, ConfigurationCopiedPayload):
            chosen = self.activities.configuration_copied
        return await environment.run(chosen, payload)

    async def row(self, result):
        [row] = await self.tms.rows("notifications", id=result.notification_id)
        return row

    def about(self, **changes):
        told = {
            **self.tms.tenant.values,
            "timestamp": 100,
            "job_id": "job",
            "job_type": "duplicate_shipment",
            "user_id": self.tms.user_id,
            "success": True,
            "result": "Shipment S1 was duplicated twice.",
            "data": {"count": 2},
            "related_entities": [RelatedEntity(type="shipment", id="shp_1", name="S1")],
        }
        return JobNotificationPayload(**(told | changes))


@pytest.fixture
async def notifier(tms: Tms) -> Notifier:
    activities = await NotificationActivities.open(tms.database)
    return Notifier(dataclasses.replace(tms, catalog=activities._catalog), activities)


async def test_a_notification_says_what_was_done_to_what_by_whom(notifier: Notifier):
    row = await notifier.row(await notifier.send(notifier.about()))

    assert (row.event_type, row.priority, row.title) == (
        "job.shipment.duplicate_complete",
        "medium",
        "Shipment Duplication Completed",
    )
    assert row.message.startswith("Shipment duplication of shipment S1, requested by ")
    assert row.message.endswith(", is done. Shipment S1 was duplicated twice.")
    assert (row.channel, row.source, row.job_id) == ("user", "job_service", "job")
    assert (row.target_user_id, row.tags, row.data) == (notifier.tms.user_id, ["job", "shipment"], {"count": 2})
    assert row.related_entities == [{"type": "shipment", "id": "shp_1", "name": "S1", "url": ""}]


async def test_a_stored_notification_is_a_delivered_one(notifier: Notifier):
    result = await notifier.send(notifier.about())

    row = await notifier.row(result)
    assert (result.delivered, result.channels) == (True, ["in_app"])
    assert (row.delivery_status, row.retry_count, row.max_retries, row.read_at) == ("delivered", 0, 3, None)
    assert row.delivered_at > 0


async def test_a_failure_is_told_with_higher_priority(notifier: Notifier):
    row = await notifier.row(await notifier.send(notifier.about(success=False, result="It was too late.")))

    assert (row.priority, row.title) == ("high", "Shipment Duplication Failed")
    assert row.message.endswith(", failed. It was too late.")


async def test_a_role_is_told_through_its_own_channel(notifier: Notifier):
    told = notifier.about(user_id=None, target_role="dispatcher")
    row = await notifier.row(await notifier.send(told))

    assert (row.channel, row.target_user_id, row.data["targetRole"]) == ("role", None, "dispatcher")


@pytest.mark.parametrize("job_type", [*JOB_EVENTS, "something_else"])
async def test_every_type_of_job_fits_the_table(notifier: Notifier, job_type: str):
    for success in (True, False):
        row = await notifier.row(
            await notifier.send(notifier.about(job_type=job_type, success=success), workflow_id=f"{job_type}/{success}")
        )
        assert row.event_type == (JOB_EVENTS[job_type].event if job_type in JOB_EVENTS else "job.unknown")


async def test_there_is_one_row_per_workflow_and_target_however_often_it_is_sent(notifier: Notifier):
    before = len(await notifier.tms.rows("notifications"))
    results = await asyncio.gather(*(notifier.send(notifier.about()) for _ in range(5)))

    assert len({result.notification_id for result in results}) == 1
    assert len(await notifier.tms.rows("notifications")) == before + 1
    await notifier.send(notifier.about(), workflow_id="another")
    assert len(await notifier.tms.rows("notifications")) == before + 2


async def test_a_newer_outcome_replaces_the_message_and_an_older_one_does_not(notifier: Notifier):
    failed = await notifier.send(notifier.about(success=False, timestamp=100))
    worked = await notifier.send(notifier.about(success=True, timestamp=200))
    await notifier.send(notifier.about(success=False, timestamp=100, result="late"))

    assert worked.notification_id == failed.notification_id
    row = await notifier.row(worked)
    assert (row.title, row.version) == ("Shipment Duplication Completed", 1)


async def test_a_newer_outcome_comes_back_although_its_reader_deleted_the_older_one(notifier: Notifier):
    failed = await notifier.send(notifier.about(success=False, timestamp=100))
    table = notifier.tms.catalog["notifications"]
    async with notifier.tms.database.write() as connection:
        await connection.execute(delete(table).where(table.c.id == failed.notification_id))

    again = await notifier.send(notifier.about(success=False, timestamp=100))
    worked = await notifier.send(notifier.about(timestamp=200))

    assert again.notification_id == failed.notification_id
    assert (await notifier.row(worked)).title == "Shipment Duplication Completed"


async def test_a_workflow_id_longer_than_the_column_is_cut(notifier: Notifier):
    row = await notifier.row(await notifier.send(notifier.about(job_id=""), workflow_id="w" * 1000))

    assert row.job_id == "w" * 255


async def test_the_owner_of_a_configuration_is_told_who_copied_it(notifier: Notifier):
    payload = ConfigurationCopiedPayload(
        **notifier.tms.tenant.values,
        user_id=notifier.tms.user_id,
        config_id="tc_1",
        config_name="Open loads",
        config_creator="Ann",
        config_copied_by="Bob",
    )
    row = await notifier.row(await notifier.send(payload))

    assert (row.event_type, row.priority, row.target_user_id) == ("configuration.copied", "low", notifier.tms.user_id)
    assert row.message == "Bob copied the configuration “Open loads”. It was created by Ann."
