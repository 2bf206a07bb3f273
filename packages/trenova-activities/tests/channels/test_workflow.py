"""Notifications through a real Temporal server: side by side, given up, tried again, and runs from before."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Replayer, Worker

import trenova_activities as jobs
from trenova_errors import InvalidInputError, UnavailableError

TENANT = {"organization_id": "org_1", "business_unit_id": "bu_1"}
PLANNED = [
    jobs.PlannedDelivery(key="a" * 64, channel="email", target="user/usr_1", max_attempts=2),
    jobs.PlannedDelivery(key="b" * 64, channel="redis", target="stream/s"),
    jobs.PlannedDelivery(key="c" * 64, channel="webhook", target="endpoint/billing"),
]


class Fakes:
    """Activities that answer as told, and what they were asked."""

    def __init__(self, planned=PLANNED, failing=()):
        self.planned = planned
        self.failing = dict(failing)
        self.called = []
        self.reopened = []
        self.left_out = 0
        self.hold = asyncio.Event()
        self.hold.set()
        self.stored = asyncio.Event()

    @activity.defn(name=jobs.JOB_NOTIFICATION_ACTIVITY)
    async def notify(self, _payload: jobs.JobNotificationPayload) -> jobs.NotificationResult:
        self.stored.set()
        await self.hold.wait()
        return jobs.NotificationResult(
            notification_id="notif_1",
            delivered=True,
            channels=["in_app"],
            result="Told.",
            deliveries=self.planned,
            recipients_left_out=self.left_out,
        )

    def _deliver(self, channel, payload):
        self.called.append(activity.info().activity_id)
        if channel in self.failing:
            raise self.failing[channel]
        return jobs.DeliveryReceipt(state="delivered", receipt=payload.key[:1])

    @activity.defn(name=jobs.EMAIL_DELIVERY_ACTIVITY)
    async def email(self, payload: jobs.DeliveryPayload) -> jobs.DeliveryReceipt:
        return self._deliver("email", payload)

    @activity.defn(name=jobs.WEBHOOK_DELIVERY_ACTIVITY)
    async def webhook(self, payload: jobs.DeliveryPayload) -> jobs.DeliveryReceipt:
        return self._deliver("webhook", payload)

    @activity.defn(name=jobs.REDIS_DELIVERY_ACTIVITY)
    async def redis(self, payload: jobs.DeliveryPayload) -> jobs.DeliveryReceipt:
        return self._deliver("redis", payload)

    @activity.defn(name=jobs.BURY_DELIVERY_ACTIVITY)
    async def bury(self, payload: jobs.DeliveryPayload) -> jobs.DeliveryReceipt:
        self.called.append(f"{activity.info().activity_id} {payload.error_code}")
        return jobs.DeliveryReceipt(state="dead")

    @activity.defn(name=jobs.REOPEN_DELIVERY_ACTIVITY)
    async def reopen(self, payload: jobs.RedeliverPayload) -> jobs.PlannedDelivery:
        self.reopened.append(payload)
        return self.planned[0]


WORKFLOWS = (jobs.SendJobCompleteNotificationWorkflow, jobs.RedeliverNotificationWorkflow)


@asynccontextmanager
async def worker(client: Client, queue: str, fakes: Fakes, workflows=WORKFLOWS):
    # A worker that does not keep runs in memory, so that each of its steps is a replay.
    activities = [fakes.notify, fakes.email, fakes.webhook, fakes.redis, fakes.bury, fakes.reopen]
    async with Worker(
        client, task_queue=queue, workflows=list(workflows), activities=activities, max_cached_workflows=0
    ):
        yield


async def told(client: Client, queue: str):
    payload = jobs.JobNotificationPayload(**TENANT, job_type="billing_process", user_id="usr_1", success=True)
    return await client.start_workflow(
        jobs.JOB_NOTIFICATION_WORKFLOW,
        payload,
        id=f"{queue}/notify",
        task_queue=queue,
        result_type=jobs.NotificationResult,
        execution_timeout=timedelta(seconds=60),
    )


async def test_every_channel_is_an_activity_of_its_own(client: Client, queue: str):
    fakes = Fakes()
    async with worker(client, queue, fakes):
        result = await (await told(client, queue)).result()

    assert sorted(fakes.called) == [
        "deliver/email/user/usr_1",
        "deliver/redis/stream/s",
        "deliver/webhook/endpoint/billing",
    ]
    assert (result.delivered, result.channels) == (True, ["in_app", "email", "redis", "webhook"])
    assert {one.state for one in result.deliveries} == {"delivered"}


async def test_users_who_are_told_in_the_application_alone_are_counted(client: Client, queue: str):
    fakes = Fakes()
    fakes.left_out = 12
    async with worker(client, queue, fakes):
        result = await (await told(client, queue)).result()

    assert result.result.endswith("12 more users of the role will find it in the application.")


async def test_one_channels_end_stops_no_other_and_does_not_fail_the_run(client: Client, queue: str):
    refused = {"email": UnavailableError("No."), "webhook": InvalidInputError("No.")}
    fakes = Fakes(failing=refused)
    async with worker(client, queue, fakes):
        result = await (await told(client, queue)).result()

    assert fakes.called.count("deliver/email/user/usr_1") == 2
    assert fakes.called.count("deliver/webhook/endpoint/billing") == 1
    assert "bury/email/user/usr_1 unavailable" in fakes.called
    assert "bury/webhook/endpoint/billing invalid_input" in fakes.called
    assert (result.delivered, result.channels) == (False, ["in_app", "redis"])
    assert result.result == (
        "Told. 0 of 1 message by email taken. 1 of 1 message by redis taken. 0 of 1 message by webhook taken."
    )
    assert [one.state for one in result.deliveries] == ["dead", "delivered", "dead"]


async def test_a_redelivery_is_recorded_and_brought_to_its_end(client: Client, queue: str):
    fakes = Fakes()
    asked = jobs.RedeliverPayload(**TENANT, key=PLANNED[0].key, requested_by="usr_9", reason="moved")
    async with worker(client, queue, fakes):
        first = await jobs.start_redelivery(client, asked, task_queue=queue)
        result = await first.result()
        second = await jobs.start_redelivery(client, asked, task_queue=queue)
        await second.result()

    assert first.id == second.id == f"redeliver-notification/org_1/{PLANNED[0].key}"
    assert result.delivery.state == "delivered"
    assert result.result == "The email message to user/usr_1 is delivered."
    assert len(fakes.reopened) == 2


@workflow.defn(name=jobs.JOB_NOTIFICATION_WORKFLOW, sandboxed=False)
class Before:
    """The workflow as it was before there were channels."""

    @workflow.run
    async def run(self, payload: jobs.JobNotificationPayload) -> jobs.NotificationResult:
        return await workflow.execute_activity(
            jobs.JOB_NOTIFICATION_ACTIVITY,
            payload,
            result_type=jobs.NotificationResult,
            activity_id="notify",
            start_to_close_timeout=timedelta(seconds=30),
        )


@pytest.mark.parametrize("planned", [[], PLANNED], ids=["stored by an old worker", "stored by a new worker"])
async def test_a_run_from_before_goes_on_with_the_new_code(client: Client, queue: str, planned):
    fakes = Fakes(planned)
    fakes.hold.clear()
    other = await Client.connect(client.service_client.config.target_host, plugins=client.config()["plugins"])
    activities = [fakes.notify, fakes.email, fakes.webhook, fakes.redis, fakes.bury]
    async with Worker(client, task_queue=queue, activities=activities):
        async with Worker(other, task_queue=queue, workflows=[Before], max_cached_workflows=0):
            handle = await told(client, queue)
            await asyncio.wait_for(fakes.stored.wait(), 30)
        fakes.hold.set()
        async with Worker(other, task_queue=queue, workflows=list(WORKFLOWS), max_cached_workflows=0):
            result = await asyncio.wait_for(handle.result(), 60)

    assert len(result.deliveries) == len(fakes.called) == len(planned)


async def test_a_run_that_old_code_ended_replays_although_new_activities_planned(client: Client, queue: str):
    async with worker(client, queue, Fakes(), workflows=[Before]):
        handle = await told(client, queue)
        assert len((await handle.result()).deliveries) == 3

    replayer = Replayer(workflows=list(WORKFLOWS), plugins=client.config()["plugins"])
    await replayer.replay_workflow(await handle.fetch_history())
