import asyncio
import json
from datetime import timedelta

import pytest
from sample_worker.waiting import eventually, eventually_awaited
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ConfigurationError
from trenova_workers import Identity, Registrations
from trenova_workers._fleet._boot import remarks_of, schedule_remarks
from trenova_workers._fleet._schedules import actions_unserved, remarks_on
from trenova_workers._fleet._server import as_refusal

pytestmark = pytest.mark.integration  # many processes: once, not on every Python

ME = Identity(service="rest-worker", host="here", pid=1, instance="0000ab", build_id="1.0")
SAME = Registrations.of(workflows=["Rest"], activities=["rest"])


async def schedule(client, name, workflow, queue, *, paused=False):
    action = ScheduleActionStartWorkflow(workflow, id=f"{name}/run", task_queue=queue)
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(days=1))])
    await client.create_schedule(name, Schedule(action=action, spec=spec, state=ScheduleState(paused=paused)))
    return name


@pytest.mark.slow
async def test_a_worker_logs_what_does_not_fit_and_works(sample, client):
    await schedule(client, f"{sample.queue}-orphan", "NobodyHasThis", sample.queue)
    await schedule(client, f"{sample.queue}-served", "Sample", sample.queue)
    first = sample.start("run")
    await asyncio.to_thread(first.until_ready)

    def errors(child):
        return [line for line in child.logged() if line["level"] == "error"]

    (orphan,) = await asyncio.to_thread(eventually, lambda: errors(first))
    assert orphan["event"] == "a schedule starts a workflow that no worker registers"
    facts = (orphan["schedule_id"], orphan["workflow_type"], orphan["task_queue"])
    assert facts == (f"{sample.queue}-orphan", "NobodyHasThis", sample.queue)
    assert "pause or delete it" in orphan["detail"]

    second = sample.start("run", SAMPLE_WORKER_LACKS='["sample.fail"]')
    await asyncio.to_thread(second.until_ready)
    unlike, _ = await asyncio.to_thread(eventually, lambda: len(found := errors(second)) > 1 and found)
    assert unlike["event"] == "workers of one task queue register different work"
    assert unlike["other"] == first.readyz().json()["identity"]
    assert "activities only with the other: sample.fail" in unlike["detail"]
    assert second.readyz().json()["state"] == "ready"

    def what_is_amiss():
        checked = sample.call("check", "--json")
        findings = [json.loads(line) for line in checked.stdout.splitlines()]
        found = {finding["subject"]: finding["detail"] for finding in findings if not finding["ok"]}
        assert checked.returncode == (1 if found else 0)
        # Where the machine is so busy that heartbeats are late, a worker counts as lost for a moment.
        return {"registrations", "schedules"} <= found.keys() and found

    amiss = await asyncio.to_thread(eventually, what_is_amiss, seconds=60)
    assert "sample.fail" in amiss["registrations"]
    assert f"{sample.queue}-orphan" in amiss["schedules"]


async def test_a_check_before_the_first_start_asks_the_service_what_it_would_register(sample, client):
    await schedule(client, f"{sample.queue}-mine", "Sample", sample.queue)

    checked = await asyncio.to_thread(sample.call, "check", "--json")

    findings = {found["subject"]: found for found in map(json.loads, checked.stdout.splitlines())}
    assert findings["schedules"]["ok"], findings
    assert findings["registrations"]["detail"] == "0 live workers, none known to differ"


async def test_a_rollout_warns_and_silence_too(workers, client):
    workers.begin("rest-worker@pod:31#aaaaaa", build="2.0", activities=["rest", "new"])
    workers.begin("rest-worker@pod:32#bbbbbb", build="1.0")
    workers.begin("other@pod:33#cccccc", tells=False)
    await asyncio.to_thread(workers.until_polling)

    async def look():
        remarks = await remarks_of(client, ME, {workers.queue: SAME})
        return remarks if len(remarks) == 2 else None

    remarks = await eventually_awaited(look)
    rollout, silent = sorted(remarks, key=lambda remark: remark.event)
    assert not rollout.wrong
    assert "build 1.0) and by rest-worker@pod:31#aaaaaa (build 2.0)" in rollout.text
    assert "activities only with the other: new" in rollout.text
    assert not silent.wrong
    assert silent.facts["other"] == "other@pod:33#cccccc"


async def test_of_many_schedules_only_those_of_unknown_types_are_looked_at(client):
    queue, elsewhere = "many-schedules", "many-elsewhere"
    names = [schedule(client, f"many-{number}", "Rest", queue) for number in range(40)]
    names += [schedule(client, f"many-gone-{number}", "Gone", queue) for number in range(22)]
    names += [schedule(client, "many-paused", "Gone", queue, paused=True)]
    names += [schedule(client, "many-elsewhere", "Gone", elsewhere)]
    await asyncio.gather(*names)

    async def look():
        found = await actions_unserved(client, {queue: [SAME]}, page=7)
        return found if len(found[0]) == 22 else None

    unserved, unseen = await eventually_awaited(look)
    assert {action.schedule_id for action in unserved} == {f"many-gone-{number}" for number in range(22)}
    assert unseen == 0

    remarks = remarks_on(unserved, 3)
    assert len(remarks) == 22
    assert remarks[-2].text.startswith("2 more schedules")
    assert (remarks[-1].wrong, remarks[-1].text[:11]) == (False, "3 schedules")
    # Of a worker that does not tell, nothing can be said.
    assert await actions_unserved(client, {queue: [SAME, None]}) == ([], 0)
    assert await actions_unserved(client, {queue: [Registrations.of(workflows=["*"])]}) == ([], 0)


async def test_a_server_that_refuses_stops_nobody(server):
    nowhere = await Client.connect(server.address, namespace="nowhere")

    (remark,) = await remarks_of(nowhere, ME, {"q": SAME})
    (schedules,) = await schedule_remarks(nowhere, {"q": [SAME]})

    assert not remark.wrong
    assert remark.text.startswith(
        "This worker could not look at other workers and schedules: The Temporal server has no"
    )
    assert not schedules.wrong
    assert schedules.text.startswith("This worker could not look at schedules: ")


def test_a_refusal_says_what_is_needed():
    error = RPCError("Request unauthorized.", RPCStatusCode.PERMISSION_DENIED, b"")

    refused = as_refusal(error, "list workers", "prod")

    assert isinstance(refused, ConfigurationError)
    assert refused.message == (
        "The Temporal server does not list workers for us in namespace 'prod': Request unauthorized. It needs a server "
        "that has worker heartbeats, and credentials that may read the namespace."
    )
    lost = RPCError("gone", RPCStatusCode.UNAVAILABLE, b"")
    assert as_refusal(lost, "list workers", "prod") is lost
