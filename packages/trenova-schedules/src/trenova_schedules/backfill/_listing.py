"""Which backfills there are, as visibility has them."""

from collections.abc import AsyncIterator
from typing import Final

from pydantic import AwareDatetime
from temporalio.client import Client, WorkflowExecutionStatus

from trenova_schedules.backfill._names import BACKFILL_WORKFLOW
from trenova_schedules.backfill._wire import WireModel

_PAGE: Final = 200


class BackfillEntry(WireModel):
    """One backfill, for a list.

    Attributes:
        id: Workflow id; also of a :class:`BackfillHandle`.
        schedule_id: Of the schedule.
        state: Of its newest run, in Temporal's words: ``RUNNING``, ``COMPLETED``, ``CANCELED``, ``FAILED``...
        started_at: When its newest run began.
        closed_at: When that ended; absent while it goes on.
    """

    id: str
    schedule_id: str
    state: str
    started_at: AwareDatetime
    closed_at: AwareDatetime | None = None


async def list_backfills(
    client: Client, *, schedule_id: str | None = None, limit: int | None = None
) -> AsyncIterator[BackfillEntry]:
    """List backfills that go on, and those that ended as long as the namespace keeps them, the newest first.

    Args:
        client: Of the namespace.
        schedule_id: Only those of this schedule.
        limit: How many at most; None for all.
    """
    query = f"WorkflowType = '{BACKFILL_WORKFLOW}' AND ExecutionStatus != 'ContinuedAsNew'"
    if schedule_id is not None:
        quoted = schedule_id.replace("\\", "\\\\").replace("'", "\\'")
        query += f" AND WorkflowId STARTS_WITH 'backfill/{quoted}/'"
    async for run in client.list_workflows(query, limit=limit, page_size=_PAGE):
        yield BackfillEntry(
            id=run.id,
            schedule_id=_schedule_of(run.id),
            state=(run.status or WorkflowExecutionStatus.RUNNING).name,
            started_at=run.start_time,
            closed_at=run.close_time,
        )


def _schedule_of(workflow_id: str) -> str:
    """Return the schedule of ``backfill/<schedule>/<key>``; keys have no slash where we make them."""
    return workflow_id.removeprefix("backfill/").rpartition("/")[0]
