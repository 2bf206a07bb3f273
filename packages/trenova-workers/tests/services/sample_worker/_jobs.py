import asyncio
import os
import time
from datetime import timedelta
from typing import Any, ClassVar

from temporalio import activity, workflow
from temporalio.common import VersioningBehavior


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


@activity.defn(name="sample.crunch")
def crunch(seconds: float) -> int:
    """Compute, so that an interruption would be noticed at once, and return the attempt that got through."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return activity.info().attempt


@activity.defn(name="sample.hold")
async def hold(clean_up_s: float) -> list[Any]:
    """Count beats until cancelled, and some more while cleaning up; a second attempt returns what it was left."""
    info = activity.info()
    if info.attempt > 1:
        return [info.attempt, *info.heartbeat_details]
    beats = 0
    try:
        while True:
            beats += 1
            activity.heartbeat("working", beats)
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        end = time.monotonic() + clean_up_s
        while time.monotonic() < end:
            beats += 1
            activity.heartbeat("cleaning", beats)
            await asyncio.sleep(0.05)
        activity.heartbeat("cleaned", beats)
        raise


@activity.defn(name="sample.fail")
async def fail(secret: str) -> None:
    """Fail with the argument in a local variable."""
    raise RuntimeError(f"failed with {len(secret)} characters")


@workflow.defn(name="Sample")
class Sample:
    versioning_behavior: ClassVar = VersioningBehavior.PINNED

    @workflow.run
    async def run(self, activity_name: str, argument: float | str, silence_s: float | None = None) -> Any:
        return await workflow.execute_activity(
            activity_name,
            argument,
            start_to_close_timeout=timedelta(seconds=60),
            heartbeat_timeout=None if silence_s is None else timedelta(seconds=silence_s),
            activity_id="it",
        )
