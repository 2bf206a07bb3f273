"""Heartbeats of one activity attempt: the stage it has reached, also while it waits for the database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from temporalio import activity

_BEATS_PER_TIMEOUT = 3


class Heartbeats:
    """The stage that an attempt has reached, as the Temporal UI shows it."""

    def __init__(self) -> None:
        self._told: tuple[object, ...] = ("started",)

    def stage(self, stage: str, facts: Mapping[str, object] | None = None) -> None:
        """Report a new stage at once.

        Args:
            stage: For people: the first detail of the heartbeat.
            facts: The same for programs, as JSON: the second detail.
        """
        self._told = (stage,) if facts is None else (stage, dict(facts))
        activity.heartbeat(*self._told)

    async def beat(self, every_s: float) -> None:
        """Repeat the stage for ever, so that a long statement is not taken for a dead worker."""
        while True:
            await asyncio.sleep(every_s)
            activity.heartbeat(*self._told)


@asynccontextmanager
async def heartbeats() -> AsyncIterator[Heartbeats]:
    """Beat at a third of the attempt's heartbeat timeout for the length of the block."""
    beats = Heartbeats()
    timeout = activity.info().heartbeat_timeout
    if timeout is None:
        yield beats
        return
    task = asyncio.create_task(beats.beat(timeout.total_seconds() / _BEATS_PER_TIMEOUT))
    try:
        yield beats
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
