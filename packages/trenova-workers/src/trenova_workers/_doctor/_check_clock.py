"""How far this machine's clock is from the server's."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, PollWorkflowTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from trenova_workers._doctor._check import Check, Need
from trenova_workers._doctor._diagnosis import Diagnosis
from trenova_workers._doctor._patient import Patient

_WARN_S = 1.0
# Jobs refuse to run when the database's clock and the workflow's are further apart than this.
_REFUSE_S = 300.0
_QUEUE = "trenova-doctor"
_POLL = timedelta(seconds=10)
_ADVICE = "Synchronize the clocks (chronyd or systemd-timesyncd; `timedatectl` shows whether they are)."


class ClockCheck(Check):
    """The time stamp that the server puts on a poll is the only cheap one that it tells."""

    id = "clock"
    about = "the clocks of this machine and of the server agree: 1 s apart is a warning, 5 minutes a problem"
    needs = frozenset({Need.SERVER})

    async def examine(self, patient: Patient) -> list[Diagnosis]:
        """Poll a queue of our own that nobody uses, and see when the server thinks that was."""
        if patient.client is None:
            return []
        try:
            async with asyncio.timeout(_POLL.total_seconds()):
                apart = await seconds_apart(patient.client, patient.now)
        except (RPCError, TimeoutError) as error:
            return [self.skipped("server", f"the server does not show when it was polled ({type(error).__name__})")]
        if abs(apart) < _WARN_S:
            return [self.ok("server", "this machine and the server agree to the second")]
        found = f"this machine is {abs(apart):.1f} s {'ahead of' if apart > 0 else 'behind'} the server"
        if abs(apart) < _REFUSE_S:
            return [self.warning("server", found, _ADVICE)]
        return [self.problem("server", f"{found}; jobs refuse to run from {_REFUSE_S:g} s on", _ADVICE)]


async def seconds_apart(client: Client, now: Callable[[], float]) -> float:
    """Return how many seconds this machine is at least ahead of the server; negative is behind.

    The server stamps a poll at some time between our asking and our seeing the stamp; a stamp in between says 0.

    Raises:
        RPCError: The server does not let us poll or describe.
    """
    me = f"doctor#{secrets.token_hex(4)}"
    asked = now()
    request = PollWorkflowTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=_QUEUE), identity=me)
    polling = asyncio.ensure_future(client.workflow_service.poll_workflow_task_queue(request, timeout=_POLL))
    try:
        while (stamp := await _stamp(client, me)) is None:
            if polling.done():
                polling.result()  # refused
            await asyncio.sleep(0.01)
        seen = now()
    finally:
        polling.cancel()
        with suppress(asyncio.CancelledError, RPCError):
            await polling
    return asked - stamp if stamp < asked else min(0.0, seen - stamp)


async def _stamp(client: Client, identity: str) -> float | None:
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=_QUEUE),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
    )
    stamps = [p.last_access_time.ToNanoseconds() / 1e9 for p in answer.pollers if p.identity == identity]
    return stamps[0] if stamps else None
