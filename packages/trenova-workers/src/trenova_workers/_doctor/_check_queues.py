"""Whether somebody polls the queues that the services are told to serve."""

import asyncio
import socket
from collections.abc import Collection

import psutil
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from trenova_workers._doctor._check import Check, Need
from trenova_workers._doctor._diagnosis import Diagnosis
from trenova_workers._doctor._patient import Patient
from trenova_workers._identity import host_of, parse_identity

# A poll that finds nothing ends after a minute at the server and is made again; what is older is gone. The server
# itself lists pollers for five minutes.
_FRESH_S = 75.0
_KINDS = {
    "workflows": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    "activities": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
}


class QueuesCheck(Check):
    """A queue without pollers keeps its work waiting, and nothing fails."""

    id = "queues"
    about = "every queue has workers that poll it; a problem with --expect-running, else a warning"
    needs = frozenset({Need.SERVICES, Need.SERVER})

    async def examine(self, patient: Patient) -> list[Diagnosis]:
        """Describe each queue of each service, for workflows and for activities."""
        if patient.client is None:
            return []
        by_queue = {queue: service.name for service in patient.described for queue in service.queues}
        client = patient.client
        return list(await asyncio.gather(*(self._queue(client, patient, *one) for one in by_queue.items())))

    async def _queue(self, client: Client, patient: Patient, queue: str, service: str) -> Diagnosis:
        try:
            answers = await asyncio.gather(*(_pollers(client, queue, kind) for kind in _KINDS.values()))
        except RPCError as error:
            return self.skipped(queue, f"the server does not describe it: {error.message}")
        listed = dict(zip(_KINDS, answers, strict=True))
        here = (socket.gethostname(), host_of(patient.environ))
        fresh = {kind: [p for p in polls if _lives(p, patient.now(), here)] for kind, polls in listed.items()}
        missing = [kind for kind, pollers in fresh.items() if not pollers]
        count = len({p.identity for pollers in fresh.values() for p in pollers})
        workers = f"{count} worker{'s' if count > 1 else ''}"
        if not missing:
            return self.ok(queue, f"{workers} of {service}")
        held = sorted({p.identity for kind in missing for p in listed[kind]})
        if len(missing) == 1 and held:
            found = f"{workers} of {service}; those that polled for {missing[0]} are gone or held up: {', '.join(held)}"
            advice = f"See `trenova-workers list`; end one that hangs, and start one: `{service} run`."
            return (self.problem if patient.expect_running else self.warning)(queue, found, advice)
        if len(missing) == 1:
            advice = f"Nothing to do if {service} registers none; otherwise start it in the version that does."
            return self.warning(queue, f"{workers} of {service}, none for {missing[0]}", advice)
        gone = sorted({p.identity for pollers in listed.values() for p in pollers})
        found = f"nobody polls it; gone: {', '.join(gone)}" if gone else "nobody polls it: its work waits"
        advice = f"Start a worker: `{service} run`, or `trenova-workers up` for all."
        return (self.problem if patient.expect_running else self.warning)(queue, found, advice)


async def _pollers(client: Client, queue: str, kind: TaskQueueType.ValueType) -> list[PollerInfo]:
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind)
    )
    return list(answer.pollers)


def _lives(poller: PollerInfo, now: float, here: Collection[str | None]) -> bool:
    """Whether it polled lately and, where that can be seen because it is of this machine, is a process that turns."""
    if now - poller.last_access_time.ToNanoseconds() / 1e9 > _FRESH_S:
        return False
    named = parse_identity(poller.identity)
    if named and named.host in here:
        return _turns(named.pid)
    return True


def _turns(pid: int) -> bool:
    """Whether a process of this machine is there and not stopped, as by SIGSTOP or a debugger."""
    try:
        return psutil.Process(pid).status() not in {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}
    except psutil.NoSuchProcess:
        return False
