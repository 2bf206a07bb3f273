"""The shipment worker with a fault in its code: ``DRILL_FAULT=odd python -m broken_shipments run``."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Plugin
from temporalio.common import VersioningBehavior

from shipment_worker.__main__ import SERVICE
from shipment_worker._settings import Settings
from trenova_activities import DUPLICATE_SHIPMENT_WORKFLOW, DuplicateShipmentPayload
from trenova_errors import ErrorsPlugin
from trenova_workers import Work
from trenova_workers.cli import service_main


class OddError(Exception):
    """Of a class that no rule knows."""


@workflow.defn(name=DUPLICATE_SHIPMENT_WORKFLOW, sandboxed=False)
class Changed:
    """What somebody made of a workflow without thinking of its histories."""

    versioning_behavior = VersioningBehavior.PINNED

    @workflow.run
    async def run(self, payload: DuplicateShipmentPayload) -> None:
        await workflow.sleep(timedelta(hours=1))


@workflow.defn(name="DrillOdd", sandboxed=False)
class Odd:
    """Meets an error that nobody has decided about."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity("drill.odd", start_to_close_timeout=timedelta(seconds=10))


@workflow.defn(name="DrillTold", sandboxed=False)
class Told:
    """Takes everything that it is told into its history."""

    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(timedelta(hours=1))

    @workflow.signal(name="drill.more")
    def more(self, text: str) -> None:
        """Take it."""


@workflow.defn(name="DrillSlow", sandboxed=False)
class Slow:
    """Computes for as long as one task may before it counts as a deadlock, nearly."""

    @workflow.run
    async def run(self) -> None:
        time.sleep(1.5)  # noqa: ASYNC251  # what the drill is about


@workflow.defn(name="DrillLarge", sandboxed=False)
class Large:
    """Says more in one task, compressed too, than the server takes in one message: 4 MiB."""

    @workflow.run
    async def run(self) -> None:
        texts = [workflow.random().randbytes(900_000).hex() for _ in range(8)]
        limit = timedelta(seconds=10)
        calls = (workflow.execute_activity("drill.odd", text, start_to_close_timeout=limit) for text in texts)
        await asyncio.gather(*calls)


@activity.defn(name="drill.odd")
async def odd() -> None:
    """Raise it."""
    raise OddError("of the drill")


FAULTS = {
    "changed": Work([Changed], [odd]),
    "odd": Work([Odd], [odd]),
    "slow": Work([Slow], [odd]),
    "told": Work([Told], [odd]),
    "large": Work([Large], [odd]),
}


@asynccontextmanager
async def work(settings: Settings) -> AsyncIterator[Work]:
    """Register what is broken, and nothing else; ``ends`` does not get as far, and ``stuck`` never does."""
    fault = os.environ["DRILL_FAULT"]
    if fault == "ends":
        os._exit(3)
    if fault == "stuck":
        await asyncio.sleep(3600)
    yield FAULTS[fault]


def plugins(settings: Settings) -> Sequence[Plugin]:
    """Return those of the service, without their limits of sizes where the fault wants that."""
    errors, *others = settings.plugins()
    return [ErrorsPlugin(limits=None) if os.environ["DRILL_FAULT"] == "large" else errors, *others]


if __name__ == "__main__":
    service_main(replace(SERVICE, work=work, plugins=plugins))
