"""Weights that the server itself uses, set and taken away."""

import uuid

import pytest
from temporalio.api.namespace.v1 import UpdateNamespaceInfo
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    UpdateNamespaceRequest,
    UpdateTaskQueueConfigRequest,
)
from temporalio.client import Client

from trenova_errors import ConfigurationError
from trenova_workers.routing import RoutingRules, apply_weights
from trenova_workers.routing._apply import RECORD


@pytest.fixture
async def client(fair_server):
    client = await Client.connect(fair_server.address)
    yield client
    await note(client, "")


async def note(client, text, **more):
    info = UpdateNamespaceInfo(data={RECORD: text}, **more)
    await client.workflow_service.update_namespace(UpdateNamespaceRequest(namespace=client.namespace, update_info=info))


@pytest.fixture
def queue():
    return f"w-{uuid.uuid4().hex[:8]}"


def rules(queue, **weights):
    return RoutingRules.model_validate({"weights": weights, "default": {"queue": queue}})


async def weights(client, queue, kind=1):
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace, task_queue={"name": queue}, task_queue_type=kind, report_config=True
        )
    )
    return {key: round(weight, 3) for key, weight in answer.config.fairness_weight_overrides.items()}


async def by_hand(client, queue, **to):
    await client.workflow_service.update_task_queue_config(
        UpdateTaskQueueConfigRequest(
            namespace=client.namespace,
            identity="by hand",
            task_queue=queue,
            task_queue_type=1,
            set_fairness_weight_overrides=to,
        )
    )


async def test_weights_are_set_for_workflow_and_activity_tasks_and_a_second_time_nothing_changes(client, queue):
    first = await apply_weights(client, rules(queue, org_a=2, org_b=0.1))
    again = await apply_weights(client, rules(queue, org_a=2, org_b=0.1))

    assert await weights(client, queue) == await weights(client, queue, kind=2) == {"org_a": 2, "org_b": 0.1}
    assert len(first.changes) == 4
    assert again.changes == again.left == ()


async def test_a_dry_run_says_what_it_would_do_and_does_nothing(client, queue):
    told = await apply_weights(client, rules(queue, org_a=2), dry_run=True)

    assert [(one.kind, one.key, one.before, one.after) for one in told.changes] == [
        ("workflow", "org_a", None, 2),
        ("activity", "org_a", None, 2),
    ]
    assert await weights(client, queue) == {}


async def test_only_what_was_set_here_is_taken_away_also_from_a_queue_that_the_rules_forgot(client, queue):
    await by_hand(client, queue, theirs=7.0)
    await apply_weights(client, rules(queue, org_a=2, org_b=3))
    await by_hand(client, queue, org_b=5.0)
    told = await apply_weights(client, rules(f"{queue}-other", org_c=1))

    assert await weights(client, queue) == {"theirs": 7, "org_b": 5}
    assert await weights(client, queue, kind=2) == {}
    assert await weights(client, f"{queue}-other") == {"org_c": 1}
    assert sorted(one.key for one in told.left) == ["org_b", "theirs"]


async def test_a_call_that_was_interrupted_is_made_good_by_the_next(client, queue, monkeypatch):
    async def die(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("trenova_workers.routing._apply._set", die)
        with pytest.raises(KeyboardInterrupt):
            await apply_weights(client, rules(queue, org_a=2))
    await by_hand(client, queue, org_a=2.0)  # as if the call had come so far
    await apply_weights(client, rules(queue))

    assert await weights(client, queue) == {}


async def test_the_rest_of_the_namespace_stays_as_it_is(client, queue):
    await note(client, "", description="of the TMS", owner_email="tms@example.test")
    await apply_weights(client, rules(queue, org_a=2))

    asked = DescribeNamespaceRequest(namespace=client.namespace)
    found = await client.workflow_service.describe_namespace(asked)
    assert (found.namespace_info.description, found.namespace_info.owner_email) == ("of the TMS", "tms@example.test")


async def test_a_record_that_is_not_ours_is_refused(client, queue):
    await note(client, "[1]")
    with pytest.raises(ConfigurationError, match="it is not what is written there by 'route apply'"):
        await apply_weights(client, rules(queue, org_a=2))
    assert await weights(client, queue) == {}
