"""A workflow whose activity fails at first."""

from datetime import timedelta
from typing import ClassVar

from temporalio import activity, workflow
from temporalio.common import RetryPolicy, VersioningBehavior


@activity.defn(name="call")
async def call() -> str:
    if activity.info().attempt <= 2:
        raise RuntimeError("the carrier does not answer")
    return "called"


@workflow.defn(name="Call", sandboxed=False)
class Call:
    versioning_behavior: ClassVar = VersioningBehavior.PINNED

    @workflow.run
    async def run(self) -> str:
        policy = RetryPolicy(initial_interval=timedelta(seconds=1), backoff_coefficient=1)
        return await workflow.execute_activity(call, start_to_close_timeout=timedelta(seconds=5), retry_policy=policy)
