"""Record one history per scenario into ``histories/<version>/``; run it when a released workflow changes.

uv run python packages/trenova-activities/tests/record_histories.py [VERSION]
"""

import asyncio
import contextlib
import json
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

import trenova_activities as jobs
from trenova_errors import (
    AmbiguousOutcomeError,
    ApplicationError,
    ConfigurationError,
    ConflictError,
    ErrorsPlugin,
    ResourceNotFoundError,
    UnavailableError,
)

QUEUE = "recording"
TENANT = {"organization_id": "org_1", "business_unit_id": "bu_1"}
CALLS = {"continued": 12, "budget": 6}
PLANNED = [
    jobs.PlannedDelivery(key="a" * 64, channel="email", target="user/usr_1", max_attempts=2),
    jobs.PlannedDelivery(key="b" * 64, channel="redis", target="stream/trenova:notifications"),
    jobs.PlannedDelivery(key="c" * 64, channel="webhook", target="endpoint/billing"),
]
FAILING = {
    "gone": ResourceNotFoundError.of("shipment", "shp_gone"),
    "flaky": UnavailableError("The database cannot be reached."),
}


TRANSFERS: dict[str, dict[str, ApplicationError]] = {
    "done": {},
    "known": {},
    "held": {},
    "gone": {jobs.TRANSFER_RESERVE_ACTIVITY: FAILING["gone"]},
    "changed": {jobs.TRANSFER_CANCEL_ACTIVITY: ConflictError("Somebody changed S0.")},
    "undone": {jobs.TRANSFER_CANCEL_ACTIVITY: AmbiguousOutcomeError("Nobody knows.")},
    "left": {
        jobs.TRANSFER_CANCEL_ACTIVITY: AmbiguousOutcomeError("Nobody knows."),
        jobs.TRANSFER_RESTORE_ACTIVITY: jobs.CompensationConflictError("S0 had been changed since."),
    },
}
"""By scenario, what its activities fail with."""


class Answers:
    """Activities that answer by the name of the shipment."""

    @activity.defn(name=jobs.DUPLICATE_SHIPMENT_ACTIVITY)
    async def duplicate(self, payload: jobs.DuplicateShipmentPayload) -> jobs.DuplicateShipmentResult:
        scenario = payload.shipment_id.removeprefix("shp_")
        while scenario == "held":
            activity.heartbeat("held")
            await asyncio.sleep(0.2)
        if scenario in FAILING and (scenario == "gone" or activity.info().attempt == 1):
            raise FAILING[scenario]
        data: dict[str, object] = {"sourceShipmentId": payload.shipment_id, "sourceProNumber": "S0"}
        return jobs.DuplicateShipmentResult(
            job_id=activity.info().workflow_id or "",
            count=1,
            pro_numbers=["S1"],
            shipment_ids=["shp_1"],
            result="Shipment S0 was duplicated once.",
            data=data,
        )

    @activity.defn(name=jobs.JOB_NOTIFICATION_ACTIVITY)
    async def notify(self, payload: jobs.JobNotificationPayload) -> jobs.NotificationResult:
        return jobs.NotificationResult(
            notification_id="notif_1",
            delivered=True,
            channels=["in_app"],
            result="Told.",
            deliveries=PLANNED if payload.job_type == "billing_process" else [],
        )

    @activity.defn(name=jobs.EMAIL_DELIVERY_ACTIVITY)
    async def email(self, payload: jobs.DeliveryPayload) -> jobs.DeliveryReceipt:
        if payload.business_unit_id == "bu_dead" or activity.info().attempt == 1:
            raise FAILING["flaky"]
        return jobs.DeliveryReceipt(state="delivered", receipt="SMTP 250")

    @activity.defn(name=jobs.WEBHOOK_DELIVERY_ACTIVITY)
    async def webhook(self, _payload: jobs.DeliveryPayload) -> jobs.DeliveryReceipt:
        return jobs.DeliveryReceipt(state="delivered", receipt="HTTP 200")

    @activity.defn(name=jobs.REDIS_DELIVERY_ACTIVITY)
    async def redis(self, _payload: jobs.DeliveryPayload) -> jobs.DeliveryReceipt:
        return jobs.DeliveryReceipt(state="delivered", receipt="1-0")

    @activity.defn(name=jobs.BURY_DELIVERY_ACTIVITY)
    async def bury(self, _payload: jobs.DeliveryPayload) -> jobs.DeliveryReceipt:
        return jobs.DeliveryReceipt(state="dead")

    @activity.defn(name=jobs.REOPEN_DELIVERY_ACTIVITY)
    async def reopen(self, _payload: jobs.RedeliverPayload) -> jobs.PlannedDelivery:
        return PLANNED[0]

    @activity.defn(name=jobs.CONFIGURATION_COPIED_ACTIVITY)
    async def copied(self, _payload: jobs.ConfigurationCopiedPayload) -> jobs.NotificationResult:
        return jobs.NotificationResult(notification_id="notif_2", delivered=True, channels=["in_app"], result="Told.")

    @activity.defn(name=jobs.CHECK_DATABASE_ACTIVITY)
    async def check(self, _payload: jobs.CheckDatabasePayload) -> jobs.CheckDatabaseResult:
        return jobs.CheckDatabaseResult(ready=True, database="sqlite", jobs=[], result="Every job has what it needs.")

    @activity.defn(name=jobs.CANCEL_SHIPMENTS_ACTIVITY)
    async def cancel(self, payload: jobs.CancelShipmentsPayload) -> jobs.CancelShipmentsProgress:
        result = jobs.CancelShipmentsResult(total_cancelled=3, result="3 shipments were canceled for 1 organization.")
        return jobs.CancelShipmentsProgress(**await nightly(payload), result=result)

    @activity.defn(name=jobs.DELETE_AUDIT_ENTRIES_ACTIVITY)
    async def delete(self, payload: jobs.DeleteAuditEntriesPayload) -> jobs.DeleteAuditEntriesProgress:
        result = jobs.DeleteAuditEntriesResult(total_deleted=3, result="3 audit entries were deleted.")
        return jobs.DeleteAuditEntriesProgress(**await nightly(payload), result=result)


class TransferAnswers:
    """Activities of the transfer that answer by the customer's name."""

    async def _scenario(self, call: jobs.TransferCall) -> str:
        scenario, name = call.customer_id.removeprefix("cus_"), activity.info().activity_type
        while scenario == "held" and name == jobs.TRANSFER_COPY_ACTIVITY:
            activity.heartbeat("held")
            await asyncio.sleep(0.2)
        if name in TRANSFERS[scenario]:
            raise TRANSFERS[scenario][name]
        return scenario

    @activity.defn(name=jobs.TRANSFER_RESERVE_ACTIVITY)
    async def reserve(self, call: jobs.TransferCall) -> jobs.ReservedTransfer:
        known = await self._scenario(call) == "known"
        return jobs.ReservedTransfer(count=0 if known else 1, known=self._result() if known else None)

    @activity.defn(name=jobs.TRANSFER_COPY_ACTIVITY)
    async def copy(self, call: jobs.TransferCall) -> jobs.TransferStepDone:
        await self._scenario(call)
        return jobs.TransferStepDone(count=1)

    @activity.defn(name=jobs.TRANSFER_CANCEL_ACTIVITY)
    async def cancel(self, call: jobs.TransferCall) -> jobs.TransferShipmentsResult:
        await self._scenario(call)
        return self._result()

    @activity.defn(name=jobs.TRANSFER_VERIFY_ACTIVITY)
    async def verify(self, call: jobs.TransferCall) -> jobs.StepOutcome:
        return jobs.StepOutcome(done=await self._scenario(call) in {"undone", "left"})

    @activity.defn(name=jobs.TRANSFER_RESTORE_ACTIVITY)
    async def restore(self, call: jobs.TransferCall) -> jobs.TransferStepDone:
        return await self.copy(call)

    @activity.defn(name=jobs.TRANSFER_WITHDRAW_ACTIVITY)
    async def withdraw(self, call: jobs.TransferCall) -> jobs.TransferStepDone:
        return await self.copy(call)

    @activity.defn(name=jobs.TRANSFER_RELEASE_ACTIVITY)
    async def release(self, call: jobs.TransferCall) -> jobs.TransferStepDone:
        return await self.copy(call)

    def _result(self) -> jobs.TransferShipmentsResult:
        return jobs.TransferShipmentsResult(
            job_id=activity.info().workflow_id or "",
            count=1,
            source_shipment_ids=["shp_0"],
            shipment_ids=["shp_1"],
            pro_numbers=["S1"],
            result="Shipment S0 was transferred to another customer.",
        )

    @property
    def all(self) -> list[Any]:
        return [self.reserve, self.copy, self.cancel, self.verify, self.restore, self.withdraw, self.release]


async def record_transfers(client: Client, folder: Path) -> None:
    for scenario in TRANSFERS:
        payload = jobs.TransferShipmentsPayload(
            **TENANT,
            user_id="usr_1",
            idempotency_key=scenario,
            shipment_ids=["shp_0"],
            customer_id=f"cus_{scenario}",
        )
        handle = await jobs.start_transfer(client, payload, task_queue=QUEUE)
        if scenario == "held":
            await asyncio.sleep(1)
            await handle.cancel()
        await keep(handle, folder / f"{jobs.TRANSFER_SHIPMENTS_WORKFLOW}.{scenario}.json")


async def nightly(payload: jobs.CancelShipmentsPayload | jobs.DeleteAuditEntriesPayload) -> dict[str, Any]:
    """Answer as a nightly job does, by the scenario in the payload's notes."""
    scenario, run = payload.metadata["scenario"], payload.run
    assert run is not None
    notices = [
        jobs.FailureNotice(organization_id=f"org_{number}", business_unit_id="bu_1", role="admin", words="It failed.")
        for number in (1, 2)
    ]
    if run.canceled:
        await activity.client().get_workflow_handle(str(activity.info().workflow_id)).cancel()
        return {"done": False}
    try:
        while scenario in {"held", "stopped"} or (scenario in {"steered", "signaled"} and run.calls == 1):
            activity.heartbeat("held")
            await asyncio.sleep(0.2)
    except asyncio.CancelledError:
        if scenario in {"held", "stopped"}:
            raise
        return {"done": False, "rows": 2}
    if run.failed:
        return {"done": True, "notices": notices}
    if scenario == "broken":
        raise ConfigurationError("The clocks are apart.")
    if scenario == "flaky" and activity.info().attempt == 1:
        raise FAILING["flaky"]
    failure = "All 2 organizations failed; the first with: no." if scenario == "failed" else ""
    told = notices if scenario in {"failed", "partial"} else []
    return {"done": run.calls >= CALLS.get(scenario, 2), "rows": 3, "failure": failure, "notices": told}


async def record_nightly(client: Client, folder: Path) -> None:
    for scenario in ("done", "partial", "failed", "broken", "flaky", "held", "continued"):
        notes: dict[str, object] = {"scenario": scenario}
        cancellation = jobs.CancelShipmentsPayload(metadata=notes, batch_size=500)
        deletion = jobs.DeleteAuditEntriesPayload(metadata=notes, batch_size=500)
        canceled = await jobs.start_cancel(client, cancellation, key=scenario, task_queue=QUEUE)
        purged = await jobs.start_purge(client, deletion, key=scenario, task_queue=QUEUE)
        for name, handle in ((jobs.CANCEL_SHIPMENTS_WORKFLOW, canceled), (jobs.DELETE_AUDIT_ENTRIES_WORKFLOW, purged)):
            if scenario == "held":
                await asyncio.sleep(1)
                await handle.cancel()
            await keep(handle, folder / f"{name}.{scenario}.json")
            if scenario == "continued":
                first = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
                write(folder / f"{name}.continues.json", (await first.fetch_history()).to_json_dict())


async def record_steered(client: Client, folder: Path) -> None:
    """Runs that were told something, and one that continued as new because its own budget was used up."""
    for scenario in ("steered", "signaled", "stopped", "budget"):
        notes: dict[str, object] = {"scenario": scenario}
        options: dict[str, Any] = {"key": scenario, "task_queue": QUEUE}
        if scenario == "budget":
            options["continuation"] = jobs.ContinuationBudget(events=12)
        cancellation, deletion = (
            jobs.CancelShipmentsPayload(metadata=notes),
            jobs.DeleteAuditEntriesPayload(metadata=notes),
        )
        runs = {
            jobs.CANCEL_SHIPMENTS_WORKFLOW: await jobs.start_cancel(client, cancellation, **options),
            jobs.DELETE_AUDIT_ENTRIES_WORKFLOW: await jobs.start_purge(client, deletion, **options),
        }
        for name, handle in runs.items():
            await tell(client, handle, scenario)
            await keep(handle, folder / f"{name}.{scenario}.json")
            if scenario == "budget":
                first = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
                write(folder / f"{name}.budgeted.json", (await first.fetch_history()).to_json_dict())


async def tell(client: Client, handle: WorkflowHandle[Any, Any], scenario: str) -> None:
    await asyncio.sleep(1)
    pause = jobs.PauseRequest(reason="They complain.", by="ana")
    if scenario == "stopped":
        await jobs.steer(client, handle.id, jobs.CancelRequest(reason="Wrong night.", by="ana"))
    elif scenario == "steered":
        await jobs.steer(client, handle.id, pause)
        await held(client, handle)
        await jobs.steer(client, handle.id, pause)
        await jobs.steer(client, handle.id, jobs.LimitsRequest(batch_size=50, rows_per_second=1000, by="bob"))
        await jobs.steer(client, handle.id, jobs.ResumeRequest(by="ana"))
    elif scenario == "signaled":
        await handle.signal(jobs.PAUSE, pause)
        await held(client, handle)
        await handle.signal(jobs.RESUME)


async def held(client: Client, handle: WorkflowHandle[Any, Any]) -> None:
    while (await jobs.progress_of(client, handle.id)).phase != "paused":  # noqa: ASYNC110 - nobody announces it
        await asyncio.sleep(0.2)


async def record(client: Client, folder: Path) -> None:
    await record_channels(client, folder)
    await record_nightly(client, folder)
    await record_steered(client, folder)
    await record_transfers(client, folder)
    for scenario in ("done", "gone", "flaky", "held"):
        payload = jobs.DuplicateShipmentPayload(
            **TENANT, user_id="usr_1", idempotency_key=scenario, shipment_id=f"shp_{scenario}", count=1
        )
        handle = await jobs.start_duplicate(client, payload, task_queue=QUEUE)
        if scenario == "held":
            await asyncio.sleep(1)
            await handle.cancel()
        await keep(handle, folder / f"DuplicateShipmentWorkflow.{scenario}.json")
        notify = client.get_workflow_handle(f"{handle.id}/notify")
        await keep(notify, folder / f"SendJobCompleteNotificationWorkflow.{scenario}.json")
    copied = jobs.ConfigurationCopiedPayload(**TENANT, user_id="usr_1", config_id="tc_1", config_name="Open loads")
    await start(client, copied, folder / f"{jobs.CONFIGURATION_COPIED_WORKFLOW}.done.json")
    await start(client, jobs.CheckDatabasePayload(), folder / f"{jobs.CHECK_DATABASE_WORKFLOW}.ready.json")


async def record_channels(client: Client, folder: Path) -> None:
    for scenario, unit in (("channels", "bu_1"), ("dead", "bu_dead")):
        tenant = {"organization_id": "org_1", "business_unit_id": unit}
        told = jobs.JobNotificationPayload(**tenant, job_type="billing_process", user_id="usr_1", success=True)
        await start(client, told, folder / f"{jobs.JOB_NOTIFICATION_WORKFLOW}.{scenario}.json")
        asked = jobs.RedeliverPayload(**tenant, key=PLANNED[0].key, requested_by="usr_9")
        await start(client, asked, folder / f"{jobs.REDELIVER_NOTIFICATION_WORKFLOW}.{scenario}.json")


async def start(client: Client, payload: Any, path: Path) -> None:
    workflow = path.stem.partition(".")[0]
    await keep(await client.start_workflow(workflow, payload, id=path.stem, task_queue=QUEUE), path)


async def keep(handle: WorkflowHandle[Any, Any], path: Path) -> None:
    with contextlib.suppress(WorkflowFailureError):
        await handle.result()
    latest = WorkflowHandle[Any, Any](handle._client, handle.id)
    write(path, (await latest.fetch_history()).to_json_dict())


def write(path: Path, history: dict[str, Any]) -> None:
    path.write_text(json.dumps(_portable(history), indent=1) + "\n")


def _portable(part: Any) -> Any:
    """Leave out stack traces: they name files of the machine that recorded them, and replay ignores them."""
    if isinstance(part, dict):
        return {name: _portable(value) for name, value in part.items() if name != "stackTrace"}
    return [_portable(value) for value in part] if isinstance(part, list) else part


async def main(folder: Path) -> None:
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary),
        search_attributes=list(jobs.SEARCH_ATTRIBUTES),
        dev_server_extra_args=["--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=30"],
    ) as env:
        address = env.client.service_client.config.target_host
        clients = [await Client.connect(address, plugins=[ErrorsPlugin()], identity="recorder") for _ in range(2)]
        answers = Answers()
        workflows = [
            jobs.DuplicateShipmentWorkflow,
            jobs.SendJobCompleteNotificationWorkflow,
            jobs.SendConfigurationCopiedNotificationWorkflow,
            jobs.CheckDatabaseWorkflow,
            jobs.CancelShipmentsByCreatedAtWorkflow,
            jobs.DeleteAuditEntriesWorkflow,
            jobs.TransferShipmentsWorkflow,
            jobs.RedeliverNotificationWorkflow,
        ]
        activities = [answers.duplicate, answers.notify, answers.copied, answers.check, answers.cancel, answers.delete]
        activities += [answers.email, answers.webhook, answers.redis, answers.bury, answers.reopen]
        activities += TransferAnswers().all
        async with (
            Worker(clients[0], task_queue=QUEUE, workflows=workflows, activities=activities),
            Worker(clients[1], task_queue=jobs.NOTIFICATION_QUEUE, workflows=workflows, activities=activities),
        ):
            await record(clients[0], folder)


if __name__ == "__main__":
    recordings = Path(__file__).parent / "histories" / (sys.argv[1] if sys.argv[1:] else version("trenova-activities"))
    recordings.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(recordings))
