"""The two ways to serve a queue that are compared: the SDK's worker as it comes, and ours by a profile."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from temporalio.client import Client
from temporalio.worker import Worker

from capacity.activities import ACTIVITIES
from capacity.workflows import WORKFLOWS
from trenova_workers import Service, ServiceSettings, Work, WorkerOptions, run

DEFAULTS = "SDK defaults"
"""The variant that the others are compared with; every other one is the name of a profile."""

_SLOTS = 100
"""Activity slots of a worker that is told nothing; plain activities demand an executor with as many threads."""


async def serve(variant: str, address: str, queue: str, stop: asyncio.Event) -> None:
    """Serve a queue until told to stop."""
    await (_serve_plainly(address, queue, stop) if variant == DEFAULTS else _serve_ours(variant, address, queue, stop))


def options(profile: str) -> WorkerOptions:
    """Return the options of a profile; nothing is set beside its name."""
    return WorkerOptions.model_validate({"profile": profile})


async def _serve_plainly(address: str, queue: str, stop: asyncio.Event) -> None:
    with ThreadPoolExecutor(max_workers=_SLOTS) as executor:
        worker = Worker(
            await Client.connect(address),
            task_queue=queue,
            workflows=WORKFLOWS,
            activities=ACTIVITIES,
            activity_executor=executor,
        )
        async with worker:
            await stop.wait()


async def _serve_ours(profile: str, address: str, queue: str, stop: asyncio.Event) -> None:
    @asynccontextmanager
    async def work(_: ServiceSettings) -> AsyncIterator[Work]:
        yield Work(workflows=WORKFLOWS, activities=ACTIVITIES)

    service = Service(
        name="capacity-worker",
        summary="Is measured.",
        settings=ServiceSettings,
        queues=lambda _: [queue],
        work=work,
        plugins=lambda _: (),  # payloads and errors as in the SDK, so that the worker alone differs
    )
    settings = ServiceSettings(worker=options(profile))
    await run(service, settings, connection={"target_host": address, "namespace": "default"}, stop=stop)
