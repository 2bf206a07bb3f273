"""Harvest the ledger of every schedule; deterministic code only."""

from datetime import timedelta
from typing import ClassVar, Final

from temporalio import workflow
from temporalio.common import RetryPolicy, VersioningBehavior

with workflow.unsafe.imports_passed_through():
    from trenova_schedules.ledger._harvest_contract import (
        HarvestPageRequest,
        HarvestPageResult,
        HarvestPayload,
        HarvestResult,
    )
    from trenova_schedules.ledger._names import HARVEST_ACTIVITY, HARVEST_WORKFLOW, REGISTER_ACTIVITY

_ATTEMPTS: Final = RetryPolicy(maximum_attempts=5, initial_interval=timedelta(seconds=2))
_WITHIN: Final = timedelta(minutes=10)
_SILENCE: Final = timedelta(minutes=1)


@workflow.defn(name=HARVEST_WORKFLOW)
class HarvestScheduleLedgerWorkflow:
    """Looks at every schedule page by page and writes down what became of its ticks.

    It may be run at any time and as often as one likes: what was written before is found again. Run it more often
    than the namespace keeps closed runs; every quarter of an hour is usual.
    """

    versioning_behavior: ClassVar = VersioningBehavior.PINNED

    @workflow.run
    async def run(self, payload: HarvestPayload) -> HarvestResult:
        """Harvest, continuing as new after a number of pages.

        Raises:
            ActivityError: The server or the store could not be reached for the attempts of an activity.
        """
        done, after = payload.so_far, payload.after
        if after is None:
            await workflow.execute_activity(
                REGISTER_ACTIVITY,
                activity_id="register",
                start_to_close_timeout=_WITHIN,
                heartbeat_timeout=_SILENCE,
                retry_policy=_ATTEMPTS,
                summary="Which schedules there are",
            )
            after = ""
        number = 0
        while True:
            page = await workflow.execute_activity(
                HARVEST_ACTIVITY,
                HarvestPageRequest(after=after, limit=payload.page_size),
                result_type=HarvestPageResult,
                activity_id=f"page-{number}",
                start_to_close_timeout=_WITHIN,
                heartbeat_timeout=_SILENCE,
                retry_policy=_ATTEMPTS,
                summary=f"Schedules after {after!r}" if after else "The first schedules",
            )
            done = done.plus(page.done)
            if page.next_after is None:
                return done
            after, number = page.next_after, number + 1
            if number >= payload.pages_per_run or workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(payload.model_copy(update={"after": after, "so_far": done}))
