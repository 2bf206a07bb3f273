"""Work for the drill of scale-ins: every attempt leaves a line in a file when it starts and one when it ends."""

import asyncio
import itertools
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from temporalio import activity, workflow
from temporalio.common import RetryPolicy, VersioningBehavior
from temporalio.exceptions import ApplicationError

STEPS = 12
STEP_S = 0.25


class DrillActivities:
    """Activities of every kind, and the file in which they tell of themselves."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger

    def _tell(self, event: str, **facts: Any) -> None:
        info = activity.info()
        who = {"workflow": info.workflow_id, "activity": info.activity_id, "attempt": info.attempt, "pid": os.getpid()}
        line = json.dumps({"event": event, **who, **facts}) + "\n"
        file = os.open(self._ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(file, line.encode())  # one write, so that lines of several processes do not mix
        finally:
            os.close(file)

    @contextmanager
    def _told(self) -> Iterator[None]:
        self._tell("started")
        try:
            yield
        except BaseException as error:
            self._tell("ended", how=type(error).__name__)
            raise
        self._tell("ended", how="result")

    @activity.defn(name="drill.nap")
    async def nap(self, seconds: float) -> None:
        with self._told():
            await asyncio.sleep(seconds)

    @activity.defn(name="drill.block")
    def block(self, seconds: float) -> None:
        with self._told():
            time.sleep(seconds)

    @activity.defn(name="drill.flaky")
    async def flaky(self, seconds: float) -> None:
        with self._told():
            await asyncio.sleep(seconds)
            if activity.info().attempt == 1:
                raise ApplicationError("The first attempt always fails.")

    @activity.defn(name="drill.steps")
    async def steps(self, done: int) -> int:
        """Go on where the last call ended, and return how far this one came."""
        with self._told():
            while done < STEPS and not activity.is_worker_shutdown():
                activity.heartbeat(done)
                await asyncio.sleep(STEP_S)
                self._tell("step", step=done)
                done += 1
            return done

    @property
    def all(self) -> list[Any]:
        return [self.nap, self.block, self.flaky, self.steps]


@workflow.defn(name="Drill")
class Drill:
    """Run one activity of a kind between two short ones, one of them local."""

    versioning_behavior: ClassVar = VersioningBehavior.PINNED

    @workflow.run
    async def run(self, kind: str, seconds: float) -> None:
        await workflow.execute_local_activity(
            "drill.nap", 0.1, activity_id="local", start_to_close_timeout=timedelta(seconds=30)
        )
        if kind == "steps":
            done, calls = 0, itertools.count()
            while done < STEPS:  # a call on a worker that drains already may do nothing
                done = await self._execute("drill.steps", done, f"steps-{next(calls)}", result_type=int)
        else:
            await self._execute(f"drill.{kind}", seconds, kind)
        await self._execute("drill.nap", 0.05, "last")

    async def _execute(self, name: str, argument: float, activity_id: str, **more: Any) -> Any:
        return await workflow.execute_activity(
            name,
            argument,
            activity_id=activity_id,
            start_to_close_timeout=timedelta(seconds=30),
            heartbeat_timeout=timedelta(seconds=10) if name == "drill.steps" else None,
            retry_policy=RetryPolicy(maximum_attempts=3),
            **more,
        )
