"""Work whose every attempt and every effect is counted, for pools that are measured and for pools that are shot at."""

import asyncio
import json
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from temporalio import activity, workflow
from temporalio.common import RetryPolicy, VersioningBehavior

BEAT_S = 1.0


class ErrandActivities:
    """One activity with an effect under a key that counts once, however often it is tried.

    Args:
        ledger: File with a line for what every attempt does; effects are files in the folder ``effects`` beside it.
    """

    def __init__(self, ledger: Path) -> None:
        self._ledger, self._effects = ledger, ledger.with_name("effects")

    @activity.defn(name="errand.deliver")
    async def deliver(self, seconds: float) -> bool:
        """Take so long, then deliver under the key of the workflow; return whether this attempt had the effect."""
        self._tell("started")
        try:
            end = time.monotonic() + seconds
            while (left := end - time.monotonic()) > 0:
                if activity.info().heartbeat_timeout is not None:
                    activity.heartbeat()
                await asyncio.sleep(min(left, BEAT_S))
            made = self._deliver(activity.info().workflow_id or "")
        except BaseException as error:
            self._tell("ended", how=type(error).__name__)
            raise
        self._tell("ended", how="result", made=made)
        return made

    def _deliver(self, key: str) -> bool:
        self._effects.mkdir(exist_ok=True)
        try:
            os.close(os.open(self._effects / key, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True

    def _tell(self, event: str, **facts: Any) -> None:
        info = activity.info()
        who = {"workflow": info.workflow_id, "attempt": info.attempt, "pid": os.getpid(), "at": time.time()}
        file = os.open(self._ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(file, (json.dumps({"event": event, **who, **facts}) + "\n").encode())  # one write: no lines mix
        finally:
            os.close(file)


@workflow.defn(name="Errand")
class Errand:
    """One delivery."""

    versioning_behavior: ClassVar = VersioningBehavior.PINNED

    @workflow.run
    async def run(self, seconds: float, silence_s: float | None) -> None:
        """Deliver.

        Args:
            seconds: That it takes.
            silence_s: After so many without a heartbeat an attempt counts as lost; None for never.
        """
        await workflow.execute_activity(
            "errand.deliver",
            seconds,
            activity_id="deliver",
            start_to_close_timeout=timedelta(minutes=5),
            heartbeat_timeout=None if silence_s is None else timedelta(seconds=silence_s),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=3)),
        )
