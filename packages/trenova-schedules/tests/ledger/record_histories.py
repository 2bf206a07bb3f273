"""Record one history per scenario into ``tests/histories/<version>/``; run it when the released workflow changes.

uv run python packages/trenova-schedules/tests/ledger/record_histories.py [VERSION]
"""

import asyncio
import sys
import sysconfig
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from trenova_errors import ErrorsPlugin
from trenova_schedules.ledger import HarvestPayload, HarvestScheduleLedgerWorkflow, LedgerActivities
from trenova_schedules.store import ScheduleStore, StoreOptions, migrate

HOME = Path(__file__).parents[1] / "histories"
QUEUE = "recording"


async def record(client: Client, store: ScheduleStore, folder: Path) -> None:
    for number in range(5):
        action = ScheduleActionStartWorkflow("Nobody", id=f"s{number}", task_queue="nobody")
        spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(minutes=1))])
        await client.create_schedule(f"s{number}", Schedule(action, spec, state=ScheduleState(paused=True)))
    ledger = LedgerActivities(store)
    async with Worker(client, task_queue=QUEUE, workflows=[HarvestScheduleLedgerWorkflow], activities=ledger.all):
        await asyncio.sleep(1)  # the list of schedules is late by a moment
        for name, payload in {
            "pages": HarvestPayload(page_size=2),
            "continued": HarvestPayload(page_size=2, pages_per_run=1),
        }.items():
            handle = await client.start_workflow(
                HarvestScheduleLedgerWorkflow.run, payload, id=f"harvest-{name}", task_queue=QUEUE
            )
            await handle.result()
            last = await client.get_workflow_handle(handle.id).fetch_history()
            (folder / f"harvest-{name}.json").write_text(f"{last.to_json()}\n")
            if last.run_id != handle.first_execution_run_id:
                first = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
                (folder / f"harvest-{name}-first.json").write_text(f"{(await first.fetch_history()).to_json()}\n")


async def main() -> None:
    folder = HOME / (sys.argv[1] if len(sys.argv) > 1 else version("trenova-schedules"))
    folder.mkdir(parents=True, exist_ok=True)
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    with TemporaryDirectory() as data:
        async with (
            await WorkflowEnvironment.start_local(dev_server_existing_path=str(binary)) as env,
            ScheduleStore.open(StoreOptions(url=f"sqlite:///{data}/store.db")) as store,
        ):
            await migrate(store)
            address = env.client.service_client.config.target_host
            client = await Client.connect(address, plugins=[ErrorsPlugin()], identity="recording")
            await record(client, store, folder)


if __name__ == "__main__":
    asyncio.run(main())
