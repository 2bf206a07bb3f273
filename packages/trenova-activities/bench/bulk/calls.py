"""An activity called in this process as its workflow calls it, until the run is done."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from temporalio.testing import ActivityEnvironment

from trenova_activities import RunState
from trenova_activities.database import Database, database_clock

Payload = TypeVar("Payload", bound=Any)


def environment(workflow_id: str) -> ActivityEnvironment:
    """Return where an attempt runs; it heartbeats as in production."""
    found, moment = ActivityEnvironment(), datetime.now(UTC)
    found.info = dataclasses.replace(
        ActivityEnvironment.default_info(),
        workflow_id=workflow_id,
        heartbeat_timeout=timedelta(seconds=10),
        scheduled_time=moment,
        started_time=moment,
    )
    return found


async def run_nightly(database: Database, activity: Callable[[Any], Any], payload: Payload, run_id: str) -> Any:
    """Call a nightly job's activity until its run is done and return the last answer."""
    calls = 0
    while True:
        calls += 1
        async with database.read() as connection:
            now = await database_clock(connection)
        state = RunState(run_id=run_id, workflow_time=now, calls=calls)
        progress = await environment(f"bench/{run_id}").run(activity, payload.at(state))
        if progress.done:
            return progress
