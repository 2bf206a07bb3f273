"""Brings the weights on the server to what the rules say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.namespace.v1 import UpdateNamespaceInfo
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    UpdateNamespaceRequest,
    UpdateTaskQueueConfigRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

from trenova_errors import ConfigurationError
from trenova_workers.routing._overrides import (
    KINDS,
    Kind,
    OverrideChange,
    Slot,
    Weights,
    desired_overrides,
    left_alone,
    plan_overrides,
    remember,
)
from trenova_workers.routing._rules import RoutingRules
from trenova_workers.routing._statistics import ACTIVITY_TASKS, WORKFLOW_TASKS, ServerStatistics

RECORD: Final = "trenova.routing.overrides"
"""Key in the namespace's own data under which is written what we set, so that any machine can take it away again."""

_WIRE: Final[dict[Kind, TaskQueueType.ValueType]] = {"workflow": WORKFLOW_TASKS, "activity": ACTIVITY_TASKS}


@dataclass(frozen=True)
class Applied:
    """What was changed, or would be."""

    changes: tuple[OverrideChange, ...]
    left: tuple[OverrideChange, ...]
    """Weights of somebody else that the rules do not know."""


async def apply_weights(client: Client, rules: RoutingRules, *, dry_run: bool = False) -> Applied:
    """Set the weights of ``rules`` on each queue that they name; safe to repeat.

    Taken away is only what an earlier call has set, which is written down in the namespace's data. That is done before
    anything is changed, so that a call that is interrupted leaves nothing behind that no later one knows.

    Raises:
        ConfigurationError: The server refuses.
    """
    desired = desired_overrides(rules)
    try:
        recorded = await _recorded(client)
        queues = sorted({queue for queue, _ in (*desired, *recorded)})
        current = {(queue, kind): await _overrides(client, queue, kind) for queue in queues for kind in KINDS}
        changes = plan_overrides(current, desired, recorded)
        result = Applied(tuple(changes), tuple(left_alone(current, desired, recorded)))
        if not dry_run:
            await _make(client, changes, recorded, desired)
    except RPCError as error:
        raise ConfigurationError(
            f"The Temporal server refuses to show or set fairness weights: {error.message}. It needs the right to "
            "describe and configure task queues and to update the namespace; at most 1000 weights fit a queue."
        ) from None
    return result


async def _make(client: Client, changes: list[OverrideChange], recorded: Weights, desired: Weights) -> None:
    after = remember(recorded, changes, desired)
    if changes:
        before = {slot: {**recorded.get(slot, {}), **after.get(slot, {})} for slot in {*recorded, *after}}
        await _record(client, recorded, before)
        recorded = before
        for queue, kind in dict.fromkeys((change.queue, change.kind) for change in changes):
            await _set(client, queue, kind, [one for one in changes if (one.queue, one.kind) == (queue, kind)])
    await _record(client, recorded, after)


async def _set(client: Client, queue: str, kind: Kind, changes: list[OverrideChange]) -> None:
    await client.workflow_service.update_task_queue_config(
        UpdateTaskQueueConfigRequest(
            namespace=client.namespace,
            identity=client.identity,
            task_queue=queue,
            task_queue_type=_WIRE[kind],
            set_fairness_weight_overrides={one.key: one.after for one in changes if one.after is not None},
            unset_fairness_weight_overrides=[one.key for one in changes if one.after is None],
        )
    )


async def _overrides(client: Client, queue: str, kind: Kind) -> dict[str, float]:
    asked = ServerStatistics(client.service_client, client.namespace, lambda: 0.0)
    answer = await asked.describe(queue, _WIRE[kind], config=True)
    return dict(answer.config.fairness_weight_overrides)


async def _recorded(client: Client) -> dict[Slot, dict[str, float]]:
    answer = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    text = answer.namespace_info.data.get(RECORD, "")
    try:
        queues = json.loads(text or "{}")
        return {(queue, kind): dict(by[kind]) for queue, by in queues.items() for kind in KINDS if kind in by}
    except (ValueError, TypeError, AttributeError):
        raise ConfigurationError(
            f"The data of namespace {client.namespace!r} holds {RECORD!r}, and it is not what is written there by "
            "'route apply'. Set it to an empty text; weights set before then stay and have to be taken away by hand."
        ) from None


async def _record(client: Client, there: Weights, wanted: Weights) -> None:
    if wanted == there:
        return
    queues: dict[str, dict[str, Mapping[str, float]]] = {}
    for (queue, kind), keys in wanted.items():
        queues.setdefault(queue, {})[kind] = keys
    text = json.dumps(queues, separators=(",", ":"), sort_keys=True) if queues else ""
    await client.workflow_service.update_namespace(
        UpdateNamespaceRequest(namespace=client.namespace, update_info=UpdateNamespaceInfo(data={RECORD: text}))
    )
