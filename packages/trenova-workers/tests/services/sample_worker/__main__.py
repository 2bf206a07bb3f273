import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from temporalio import activity
from temporalio.common import SearchAttributeKey

from sample_worker._drill import STEPS, Drill, DrillActivities
from sample_worker._errands import Errand, ErrandActivities
from sample_worker._jobs import Sample, block, crunch, fail, hold, hold_up, nap, process
from sample_worker._settings import Settings
from trenova_errors import ConfigurationError, UnavailableError
from trenova_workers import DemoRun, Finding, Service, Work, WorkLimits
from trenova_workers.cli import service_main


@asynccontextmanager
async def work(settings: Settings) -> AsyncIterator[Work]:
    if settings.refuse:
        raise ConfigurationError("The store lacks the column 'weight'. Migrate it.")
    if settings.away:
        raise UnavailableError("The store at 'store.db' cannot be reached. Start it.")
    await asyncio.sleep(settings.opening_s)
    known = [nap, block, fail, process, hold, hold_up, crunch]
    activities = [one for one in known if f"sample.{one.__name__}" not in settings.lacks]
    if settings.ledger:
        activities += [*DrillActivities(settings.ledger).all, ErrandActivities(settings.ledger).deliver]
    yield Work([Sample, Drill, Errand], activities, goes_on=goes_on)


def goes_on(result: Any) -> bool:
    return activity.info().activity_type == "drill.steps" and result < STEPS


async def check(settings: Settings) -> Sequence[Finding]:
    return [Finding("store", ok=not settings.refuse, detail="has every column")]


async def demo(settings: Settings, run: DemoRun) -> None:
    run.progress("naps", 0, 1)
    attempt = await run.client.execute_workflow(
        Sample.run, args=["sample.nap", 0.0], id=f"demo/{run.token}", task_queue=settings.queue
    )
    run.progress("naps", 1, 1)
    run.check("attempts", expected=settings.expected, actual=attempt)
    run.summary(f"Napped as {run.token}.")


def limits(settings: Settings) -> WorkLimits:
    return WorkLimits(
        longest_start_to_close_s=settings.longest_s,
        shortest_heartbeat_timeout_s=10,
        database_connections=settings.store.pool_size,
    )


SERVICE = Service(
    name="sample-worker",
    summary="Naps.",
    settings=Settings,
    queues=lambda settings: [settings.queue, *settings.more_queues],
    work=work,
    check=check,
    demo=demo,
    demo_order=3,
    search_attributes=[SearchAttributeKey.for_keyword(os.environ.get("SAMPLE_ATTRIBUTE", "SampleTag"))],
    limits=limits,
)


def main() -> None:
    service_main(SERVICE)


if __name__ == "__main__":
    main()
