"""What callers do not see, on a real server."""

import asyncio
import uuid
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import pytest
from routed_jobs import Activities, Asked, Family, Seen, Starting, Talkative
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    WithStartWorkflowOperation,
)
from temporalio.common import (
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from trenova_workers.routing import ORGANIZATION_ATTRIBUTE, Router, RoutingPlugin, RoutingRules, check_routing

ORGANIZATION = SearchAttributeKey.for_keyword(ORGANIZATION_ATTRIBUTE)
_PATIENCE = timedelta(seconds=20)
WORKFLOWS = [Seen, Family, Talkative, Starting]


@pytest.fixture
def name():
    return f"r-{uuid.uuid4().hex[:8]}"


@pytest.fixture
async def plain(fair_server):
    return await Client.connect(fair_server.address)


@pytest.fixture
def routed(fair_server, name):
    """Connects a client whose starts for the queue ``name`` go to ``name-2``, with what else the rule says."""

    async def connected(*, groups=None, target=None, **options):
        target = {"queue": f"{name}-2", **({"weight": 3} if target is None else target)}
        if groups:
            target.pop("queue")
        rules = {"groups": groups or {}, "rules": [{"name": "moved", "match": {"queue": name}, "target": target}]}
        plugin = RoutingPlugin(Router(RoutingRules.model_validate(rules)), **options)
        return await Client.connect(fair_server.address, plugins=[plugin])

    return connected


@asynccontextmanager
async def polling(client, *queues, activities=()):
    async with AsyncExitStack() as stack:
        for queue in queues:
            await stack.enter_async_context(
                Worker(
                    client,
                    task_queue=queue,
                    workflows=WORKFLOWS,
                    activities=activities,
                    workflow_runner=UnsandboxedWorkflowRunner(),
                )
            )
        rules = RoutingRules.model_validate({"groups": {"g": [*queues, "none"]}, "default": {"group": "g"}})
        while not all(one.ok for one in (await check_routing(client, rules))[: len(queues)]):  # noqa: ASYNC110 (the server tells nobody)
            await asyncio.sleep(0.02)
        yield


async def where(handle):
    description = await handle.describe()
    priority = description.raw_description.workflow_execution_info.priority
    return description.task_queue, priority.priority_key, priority.fairness_key, priority.fairness_weight


async def test_a_start_is_routed_by_the_organization_and_urgency_of_its_argument(routed, name):
    client = await routed()
    handle = await client.start_workflow("Seen", Asked("org_a", "high"), id=name, task_queue=name)
    assert await where(handle) == (f"{name}-2", 2, "org_a", 3)


async def test_the_search_attribute_names_the_organization_before_the_argument_does(routed, name):
    client = await routed()
    tags = TypedSearchAttributes([SearchAttributePair(ORGANIZATION, "org_tagged")])
    handle = await client.start_workflow("Seen", Asked("org_a"), id=name, task_queue=name, search_attributes=tags)
    assert (await where(handle))[2] == "org_tagged"


async def test_a_function_may_say_what_a_start_is_about(routed, name):
    client = await routed(organization=lambda workflow, args: args[0], urgency=lambda workflow, args: "critical")
    handle = await client.start_workflow("Seen", "org_said", id=name, task_queue=name)
    assert await where(handle) == (f"{name}-2", 1, "org_said", 3)


async def test_what_the_rules_do_not_know_goes_as_the_caller_said(routed, name):
    client = await routed()
    handle = await client.start_workflow("Seen", id=f"{name}-x", task_queue=f"{name}-x")
    assert await where(handle) == (f"{name}-x", 0, "", 0)


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        (Priority(priority_key=5), (5, "org_a", 3)),
        (Priority(fairness_key="mine"), (2, "mine", 0)),
        (Priority(4, "mine", 7), (4, "mine", 7)),
        (Priority(fairness_weight=9), (2, "org_a", 9)),
    ],
)
async def test_what_the_caller_says_of_the_priority_counts_more_than_the_rules(routed, name, said, seen):
    client = await routed()
    handle = await client.start_workflow("Seen", Asked("org_a", "high"), id=name, task_queue=name, priority=said)
    assert await where(handle) == (f"{name}-2", *seen)


async def test_the_id_stays_so_a_second_start_finds_the_first_wherever_it_runs(routed, plain, name):
    first = await plain.start_workflow("Seen", id=name, task_queue=name)
    client = await routed()
    with pytest.raises(WorkflowAlreadyStartedError):
        await client.start_workflow("Seen", id=name, task_queue=name)
    joined = await client.start_workflow(
        "Seen", id=name, task_queue=name, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING
    )
    assert joined.result_run_id == first.result_run_id


async def test_signal_with_start_and_update_with_start_are_routed(routed, plain, name):
    client = await routed()
    async with polling(plain, f"{name}-2"):
        signalled = await client.start_workflow(
            "Talkative", id=name, task_queue=name, start_signal="hear", start_signal_args=["hello"]
        )
        start = WithStartWorkflowOperation(
            "Talkative", id=f"{name}-u", task_queue=name, id_conflict_policy=WorkflowIDConflictPolicy.FAIL
        )
        answer = await client.execute_update_with_start_workflow("answer", "hello", start_workflow_operation=start)

        assert answer == "HELLO"
        assert (await signalled.result())[:2] == ["hello", f"{name}-2"]
        assert (await (await start.workflow_handle()).result())[:2] == ["hello", f"{name}-2"]


async def test_a_schedule_is_routed_when_it_is_created_and_the_callers_object_stays_as_it_is(routed, plain, name):
    client = await routed(groups={"pair": [f"{name}-2", f"{name}-3"]}, target={"group": "pair", "priority": "low"})
    tags = TypedSearchAttributes([SearchAttributePair(ORGANIZATION, "org_a")])
    action = ScheduleActionStartWorkflow("Seen", id=name, task_queue=name, typed_search_attributes=tags)
    schedule = Schedule(action=action, spec=ScheduleSpec())
    handle = await client.create_schedule(name, schedule)
    try:
        kept = (await handle.describe()).schedule.action
        assert (kept.task_queue, kept.priority) == (f"{name}-2", Priority(priority_key=4, fairness_key="org_a"))
        assert (action.task_queue, action.priority) == (name, Priority.default)
        assert schedule.action is action
        async with polling(plain, f"{name}-2"):
            await handle.trigger()
            runs = []
            while not runs:
                runs = (await handle.describe()).info.recent_actions
            result = plain.get_workflow_handle(runs[0].action.workflow_id, result_type=list)
            assert await result.result() == [f"{name}-2", 4, "org_a", None]
    finally:
        await handle.delete()


async def test_children_and_runs_that_continue_as_new_inherit_the_priority(routed, plain, name):
    client = await routed()
    async with polling(plain, f"{name}-2"):
        seen = await client.execute_workflow(
            "Family", 0, id=name, task_queue=name, priority=Priority(1, "org_a", 3), result_type=list
        )
    inherited = [f"{name}-2", 1, "org_a", 3]
    assert seen == [inherited, inherited, [f"{name}-2", 5, "org_a", 3]]


async def test_a_worker_may_be_made_of_a_routed_client_and_its_activities_start_with_it(routed, plain, name):
    client = await routed()
    activities = Activities(client)
    async with polling(client, f"{name}-2", activities=[activities.start]):
        seen = await client.execute_workflow("Starting", name, id=name, task_queue=name, result_type=list)
        assert seen == [f"{name}-2", None, "org_a", 3]
        history = await client.get_workflow_handle(name).fetch_history()
    replayer = Replayer(
        workflows=WORKFLOWS,
        plugins=[RoutingPlugin(Router(RoutingRules()))],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    await replayer.replay_workflow(history)


async def test_size_counts_where_a_rule_asks_for_it(fair_server, name):
    rules = {"rules": [{"name": "large", "match": {"min_bytes": 500}, "target": {"queue": f"{name}-large"}}]}
    plugin = RoutingPlugin(Router(RoutingRules.model_validate(rules)))
    client = await Client.connect(fair_server.address, plugins=[plugin])
    small = await client.start_workflow("Seen", "x", id=name, task_queue=name)
    large = await client.start_workflow("Seen", "x" * 600, id=f"{name}-l", task_queue=name)
    assert [(await where(one))[0] for one in (small, large)] == [name, f"{name}-large"]


async def test_a_queue_that_nobody_polls_gets_nothing_while_another_of_its_group_is_served(routed, plain, name):
    client = await routed(groups={"pair": [f"{name}-dead", f"{name}-2"]}, target={"group": "pair"})
    async with polling(plain, f"{name}-2"):
        for number in range(8):
            seen = await client.execute_workflow(
                "Seen",
                id=f"{name}-{number}",
                task_queue=name,
                result_type=list,
                execution_timeout=_PATIENCE,
            )
            assert seen[0] == f"{name}-2"


async def test_starts_go_to_the_overflow_queue_while_the_first_has_work_waiting(routed, plain, name):
    overflow = {"queue": f"{name}-spill", "above_wait_s": 0.001}
    client = await routed(target={"overflow": overflow})
    waiting = [await plain.start_workflow("Seen", id=f"{name}-w{n}", task_queue=f"{name}-2") for n in range(3)]
    async with polling(plain, f"{name}-spill"):
        handle = await client.start_workflow("Seen", id=name, task_queue=name)
        assert (await where(handle))[0] == f"{name}-spill"
    for one in waiting:
        await one.terminate()


async def test_queues_that_nobody_serves_are_found(plain, name):
    rules = RoutingRules.model_validate(
        {
            "rules": [
                {"name": "ok", "match": {"workflow": "A"}, "target": {"queue": f"{name}-2"}},
                {"name": "lost", "match": {"workflow": "B"}, "target": {"queue": f"{name}-lost"}},
            ]
        }
    )
    async with polling(plain, f"{name}-2"):
        findings = {}
        while not findings.get(f"routing to {name}-2"):
            findings = {one.subject: one.ok for one in await check_routing(plain, rules)}
    assert findings == {f"routing to {name}-2": True, f"routing to {name}-lost": False}
