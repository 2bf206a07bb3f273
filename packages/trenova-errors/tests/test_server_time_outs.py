"""What the server does after its own time-outs, which no code of ours can decide about."""

import asyncio
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ActivityError, TimeoutType
from temporalio.exceptions import TimeoutError as TimedOut
from temporalio.worker import Worker

from trenova_errors import HTTP_CALL_POLICY

SECOND = timedelta(seconds=1)
TIMED = replace(HTTP_CALL_POLICY, start_to_close=SECOND, schedule_to_close=4 * SECOND)
attempts: dict[str, int] = {}


@activity.defn
async def never_answer() -> None:
    info = activity.info()
    attempts[info.workflow_id] = info.attempt
    await asyncio.Event().wait()


@workflow.defn(sandboxed=False)
class Waits:
    @workflow.run
    async def run(self, again: bool, heartbeat: bool) -> None:  # noqa: FBT001 - as Temporal passes them
        policy = replace(TIMED, retry_timed_out=again)
        if heartbeat:
            policy = replace(policy, start_to_close=4 * SECOND, heartbeat=SECOND)
        await workflow.execute_activity(never_answer, **policy.options())


@pytest.mark.parametrize(
    ("again", "heartbeat", "tried"), [(True, False, 2), (False, False, 1), (False, True, 1)], ids=str
)
async def test_a_policy_says_whether_the_server_tries_again_after_its_own_time_outs(client, again, heartbeat, tried):
    run, queue = f"w-{uuid.uuid4()}", f"q-{uuid.uuid4()}"
    async with Worker(client, task_queue=queue, workflows=[Waits], activities=[never_answer]):
        with pytest.raises(WorkflowFailureError) as caught:
            await asyncio.wait_for(
                client.execute_workflow(Waits.run, args=[again, heartbeat], id=run, task_queue=queue), 30
            )

    assert attempts[run] >= tried
    assert attempts[run] == tried or again
    failed = caught.value.cause
    assert isinstance(failed, ActivityError)
    assert isinstance(failed.cause, TimedOut)
    if not again:
        assert failed.cause.type is (TimeoutType.HEARTBEAT if heartbeat else TimeoutType.START_TO_CLOSE)
