import asyncio
import os
import time
from datetime import timedelta

from temporalio import activity, workflow


@activity.defn(name="sample.nap")
async def nap(seconds: float) -> int:
    """Sleep and return the attempt that got through."""
    activity.logger.info("napping")
    await asyncio.sleep(seconds)
    return activity.info().attempt


@activity.defn(name="sample.block")
def block(seconds: float) -> int:
    """Sleep on a thread; nothing can interrupt it."""
    time.sleep(seconds)
    return activity.info().attempt


@activity.defn(name="sample.hold_up")
async def hold_up(seconds: float) -> None:
    """Hold up the event loop, as no activity should."""
    time.sleep(seconds)  # noqa: ASYNC251


@activity.defn(name="sample.process")
def process(_: float) -> int:
    """Return the process that runs plain activities."""
    activity.heartbeat("here")
    return os.getpid()


@activity.defn(name="sample.fail")
async def fail(secret: str) -> None:
    """Fail with the argument in a local variable."""
    raise RuntimeError(f"failed with {len(secret)} characters")


@workflow.defn(name="Sample")
class Sample:
    @workflow.run
    async def run(self, activity_name: str, argument: float | str) -> int | None:
        return await workflow.execute_activity(
            activity_name, argument, start_to_close_timeout=timedelta(seconds=60), activity_id="it"
        )
