"""Code and data that jobs cannot work with, and payloads that cannot be read."""

import asyncio
import shutil

import aiosqlite
from fault import Fault
from temporalio.client import Client

from trenova_errors import ErrorsPlugin


class BrokenRelease(Fault):
    """A release of the shipment worker that has a fault; it goes back to the one before."""

    kind: str
    workflow: str
    runs = 1

    async def inject(self) -> None:
        await self.site.restart("shipment_worker", of="broken_shipments", DRILL_FAULT=self.kind)
        client = await self.site.services.client()
        for number in range(self.runs):
            id_ = f"drill/{self.kind}/{number}"
            self.handle = await client.start_workflow(self.workflow, id=id_, task_queue="shipment-queue")
            self.values |= {"WORKFLOW_ID": id_}

    async def mend(self) -> None:
        await self.site.command(
            *("temporal", "workflow", "terminate", "--yes", "--reason", "the drill is over"),
            *("--query", f"WorkflowType = '{self.workflow}' AND ExecutionStatus = 'Running'"),
        )
        await self.site.restart("shipment_worker")


class UnclassifiedErrors(BrokenRelease):
    alert = "TrenovaUnclassifiedErrors"
    what = "A release raises an error of a class that no rule knows."
    mitigation = "Cancel the runs that cannot succeed."
    kind = "odd"
    workflow = "DrillOdd"


class WorkflowTasksLate(BrokenRelease):
    alert = "TrenovaWorkflowTasksLate"
    what = "A release computes a second and a half in every workflow task, and sixty runs want it."
    mitigation = "Start more workers."
    kind = "slow"
    workflow = "DrillSlow"
    runs = 60


class MessageTooLarge(BrokenRelease):
    alert = "TrenovaMessageTooLarge"
    what = "A release without limits of sizes wants eight activities at once, with 14 MB of arguments."
    mitigation = "Terminate the run and start it with less."
    kind = "large"
    workflow = "DrillLarge"


class NonDeterminism(Fault):
    alert = "TrenovaNonDeterminism"
    what = "A release changes a workflow of which a run is under way."
    mitigation = "Roll back:"

    async def inject(self) -> None:
        async with self.site.locked():
            [self.handle] = await self.site.duplicate(1)
            await asyncio.sleep(2)
            self.site.kill("shipment_worker")
        await self.site.start("shipment_worker", of="broken_shipments", DRILL_FAULT="changed")
        await self.handle.signal("drill.wake")  # so that it is looked at now, and not when its activity has ended

    async def mend(self) -> None:
        await self.site.restart("shipment_worker")
        await asyncio.wait_for(self.handle.result(), 120)


class JobsFail(Fault):
    alert = "TrenovaJobsFail"
    what = "A column that duplications need is gone from the database."
    mitigation = "Mend the cause, then ask for the jobs again"

    async def inject(self) -> None:
        requests = await self.site.requests(6)
        await self._rename("bol", "bol_of_old")
        await self.site.duplicate(requests)

    async def mend(self) -> None:
        await self._rename("bol_of_old", "bol")
        [handle] = await self.site.duplicate(1)
        await asyncio.wait_for(handle.result(), 60)

    async def _rename(self, name: str, other: str) -> None:
        async with aiosqlite.connect(self.site.folder / "tms.db", timeout=60) as connection:
            await connection.execute(f"ALTER TABLE shipments RENAME COLUMN {name} TO {other}")
            await connection.commit()


class KeyMissing(Fault):
    alert = "TrenovaKeyMissing"
    what = "A caller encrypts with a key that no worker holds yet."
    mitigation = "Give the worker the key"

    async def inject(self) -> None:
        self.elsewhere = self.site.folder / "caller.json"
        shutil.copy(self.site.ring, self.elsewhere)
        ring = str(self.elsewhere)
        await self.site.command("trenova-codecs", "keys", "add", "k-drill", "--ring", ring)
        await self.site.command(
            "trenova-codecs", "keys", "promote", "k-drill", "--ring", ring, "--i-have-updated", "--skip-workers"
        )
        self.values |= {"KEY_ID": "k-drill", "TRENOVA_CODECS_RING": ring}
        environ = self.site.services.environ
        own = environ | {"TRENOVA_CODEC__ENCRYPTION__KEYS__PATH": ring, "TRENOVA_CODECS_RING": ring}
        self.site.services.environ = own
        client = await self.site.services.client()
        self.site.services.environ = environ
        [self.handle] = await self.site.duplicate(1, client=client)

    async def mend(self) -> None:
        await asyncio.to_thread(shutil.copy, self.elsewhere, self.site.ring)
        await asyncio.wait_for(self.handle.result(), 120)


class PlaintextAccepted(Fault):
    alert = "TrenovaPlaintextAccepted"
    what = "A caller has no codec."
    mitigation = "Give the caller the codec."

    async def inject(self) -> None:
        client = await Client.connect(self.site.server.address, plugins=[ErrorsPlugin()])
        for handle in await self.site.duplicate(3, client=client):  # which cannot read what they answer
            await self.site.done(handle.id)
            self.values["WORKFLOW_ID"] = handle.id

    async def mend(self) -> None:
        for handle in await self.site.duplicate(1):
            await handle.result()


FAULTS = (
    WorkflowTasksLate,
    NonDeterminism,
    MessageTooLarge,
    UnclassifiedErrors,
    JobsFail,
    KeyMissing,
    PlaintextAccepted,
)
