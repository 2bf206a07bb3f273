"""Manifests for autoscalers of Kubernetes, as near to a pool's own policy as their rules allow. Pure.

Theirs know no rate of arrivals, no waits and no calendar; what they have in common with ours are bounds, steps and
cool-downs.
"""

import math
from typing import Any, Final, Literal

from trenova_workers.pool._options import PoolOptions
from trenova_workers.pool.kubernetes._options import KubernetesOptions
from trenova_workers.scaling import ScalingPolicy

Manifest = dict[str, Any]
Kind = Literal["keda", "hpa"]

ADDRESS_VARIABLE: Final = "TEMPORAL_ADDRESS"
NAMESPACE_VARIABLE: Final = "TEMPORAL_NAMESPACE"
_KEDA_QUEUE_SIZE: Final = 5
_MOST_WINDOW_S: Final = 3600
_MOST_PERIOD_S: Final = 1800


def scaled_object(pool: PoolOptions, *, authentication: str | None = None) -> Manifest:
    """Return KEDA's ``ScaledObject`` of a pool.

    Where Temporal is, KEDA reads from the environment of the worker's own container.

    Args:
        pool: One that is a Deployment.
        authentication: Name of a ``TriggerAuthentication``; none for a server that asks for none.
    """
    policy = pool.policy
    triggers = [_trigger(queue, policy, authentication) for queue in pool.queues]
    spec: Manifest = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": _place(pool).deployment},
        "minReplicaCount": policy.min_workers,
        "maxReplicaCount": policy.max_workers,
        "pollingInterval": math.ceil(policy.poll_s),
        "cooldownPeriod": math.ceil(max(policy.quiet_s, policy.zero_polls * policy.poll_s)),
        "advanced": {
            "restoreToOriginalReplicaCount": False,
            "horizontalPodAutoscalerConfig": {"behavior": behavior(policy)},
        },
        "triggers": triggers,
    }
    return _named("keda.sh/v1alpha1", "ScaledObject", pool, spec)


def autoscaler(pool: PoolOptions) -> Manifest:
    """Return a plain ``HorizontalPodAutoscaler`` of a pool: it sees how busy processors are, and nothing of queues."""
    policy = pool.policy
    target = {"type": "Utilization", "averageUtilization": math.floor(policy.utilization * 100)}
    spec: Manifest = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": _place(pool).deployment},
        "minReplicas": max(1, policy.min_workers),
        "maxReplicas": policy.max_workers,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        "behavior": behavior(policy),
    }
    return _named("autoscaling/v2", "HorizontalPodAutoscaler", pool, spec)


def behavior(policy: ScalingPolicy) -> Manifest:
    """Return the steps and cool-downs of a policy as an autoscaler knows them: up at once, down after a quiet while."""
    up = _period(max(policy.up_cooldown_s, policy.poll_s))
    down = _period(policy.down_cooldown_s)
    ups = [{"type": "Pods", "value": policy.up_step, "periodSeconds": up}]
    downs = [{"type": "Pods", "value": policy.down_step, "periodSeconds": down}]
    if more := math.floor((policy.up_factor - 1) * 100):
        ups.append({"type": "Percent", "value": more, "periodSeconds": up})
    if less := math.floor(policy.down_share * 100):
        downs.append({"type": "Percent", "value": less, "periodSeconds": down})
    quiet = min(_MOST_WINDOW_S, math.ceil(policy.quiet_s))
    return {
        "scaleUp": {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": ups},
        "scaleDown": {"stabilizationWindowSeconds": quiet, "selectPolicy": "Max", "policies": downs},
    }


def queue_size(policy: ScalingPolicy) -> int:
    """Return how many tasks may wait for each worker: what one works off in time; KEDA's own 5 if that is not known."""
    if policy.first_capacity is None:
        return _KEDA_QUEUE_SIZE
    return max(1, math.floor(policy.first_capacity * policy.catches_up_s))


def _place(pool: PoolOptions) -> KubernetesOptions:
    assert pool.kubernetes is not None
    return pool.kubernetes


def _trigger(queue: str, policy: ScalingPolicy, authentication: str | None) -> Manifest:
    metadata = {
        "endpointFromEnv": ADDRESS_VARIABLE,
        "namespaceFromEnv": NAMESPACE_VARIABLE,
        "taskQueue": queue,
        "queueTypes": "workflow,activity",
        "targetQueueSize": str(queue_size(policy)),
        "activationTargetQueueSize": "0",
    }
    if policy.min_workers == 0:  # what runs waits for nothing, so that a busy pool would be taken for an idle one
        metadata["includeRunningWorkflowCount"] = "true"
    trigger: Manifest = {"type": "temporal", "metadata": metadata}
    if authentication:
        trigger["authenticationRef"] = {"name": authentication}
    return trigger


def _named(version: str, kind: str, pool: PoolOptions, spec: Manifest) -> Manifest:
    name = _place(pool).deployment
    metadata: Manifest = {"name": name, "labels": {"app.kubernetes.io/name": name}}
    if _place(pool).namespace:
        metadata["namespace"] = _place(pool).namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}


def _period(seconds: float) -> int:
    return min(_MOST_PERIOD_S, max(1, math.ceil(seconds)))
