"""From what the Kubernetes API answers to what is known of a Deployment and its pods."""

from datetime import UTC, datetime
from typing import Any, Final

from trenova_workers.pool.kubernetes._objects import DRAIN_ANNOTATION, Autoscaler, Deployment, Pod
from trenova_workers.pool.kubernetes._options import KubernetesOptions

_DIGEST_SHOWN: Final = 19
_K8S_GRACE_S: Final = 30


def read_deployment(answer: Any, options: KubernetesOptions) -> Deployment:
    """Read a ``V1Deployment``."""
    spec, status = answer.spec, answer.status
    template = spec.template
    conditions = {one.type: one for one in (status and status.conditions) or ()}
    failure = conditions.get("ReplicaFailure")
    replicas = 1 if spec.replicas is None else spec.replicas
    grace = template.spec.termination_grace_period_seconds
    return Deployment(
        name=answer.metadata.name,
        replicas=replicas,
        selector=_selector(spec.selector),
        build=_build(template, options),
        grace_s=_K8S_GRACE_S if grace is None else grace,
        rolling=_rolling(answer),
        failing=failure.message or failure.reason or "" if failure is not None and failure.status == "True" else "",
    )


def read_pod(answer: Any, options: KubernetesOptions) -> Pod:
    """Read a ``V1Pod``."""
    metadata, status = answer.metadata, answer.status
    conditions = {one.type: one.status for one in (status and status.conditions) or ()}
    containers = (status and status.container_statuses) or ()
    ready = conditions.get("Ready", "False")
    owner = next((one for one in metadata.owner_references or () if one.controller), None)
    return Pod(
        name=metadata.name,
        created_at=metadata.creation_timestamp or datetime.now(UTC),
        phase=(status and status.phase) or "Pending",
        ready=None if ready == "Unknown" else ready == "True",
        serves=conditions.get("ContainersReady") == "True",
        restarts=sum(one.restart_count or 0 for one in containers),
        trouble=_trouble(answer, containers),
        said=" ".join(part for part in (status and status.reason, status and status.message) if part),
        build=_build(answer, options),
        node=answer.spec.node_name or "",
        replica_set=owner.name if owner is not None and owner.kind == "ReplicaSet" else "",
        ends_at=metadata.deletion_timestamp,
        chosen=(metadata.annotations or {}).get(DRAIN_ANNOTATION, ""),
    )


def read_autoscaler(answer: Any) -> Autoscaler:
    """Read a ``V2HorizontalPodAutoscaler``."""
    target = answer.spec.scale_target_ref
    owner = next((one for one in answer.metadata.owner_references or () if one.controller), None)
    return Autoscaler(
        name=answer.metadata.name,
        target=(target.kind, target.name),
        owner=None if owner is None else (owner.kind, owner.name),
    )


def image_build(image: str) -> str:
    """Return the tag of an image, else the beginning of its digest, else ``latest``."""
    name, _, digest = image.partition("@")
    _, colon, tag = name.rpartition("/")[2].partition(":")
    return tag if colon and tag else digest[:_DIGEST_SHOWN] or "latest"


def _build(pod: Any, options: KubernetesOptions) -> str:
    label = ((pod.metadata and pod.metadata.labels) or {}).get(options.build_label)
    if label:
        return str(label)
    containers = pod.spec.containers
    chosen = next((one for one in containers if one.name == options.container), containers[0])
    return image_build(chosen.image or "")


def _selector(selector: Any) -> str:
    parts = [f"{key}={value}" for key, value in sorted((selector.match_labels or {}).items())]
    for one in selector.match_expressions or ():
        values = f" {'in' if one.operator == 'In' else 'notin'} ({','.join(one.values or ())})"
        parts.append({"Exists": one.key, "DoesNotExist": f"!{one.key}"}.get(one.operator, one.key + values))
    return ",".join(parts)


def _rolling(answer: Any) -> bool:
    """Whether the controller has not seen the newest revision yet, or still has pods of an earlier one."""
    status = answer.status
    if status is None or status.observed_generation is None:
        return False
    if (answer.metadata.generation or 0) > status.observed_generation:
        return True
    return (status.updated_replicas or 0) < (status.replicas or 0)


def _trouble(pod: Any, containers: Any) -> str:
    for one in containers:
        waiting = one.state and one.state.waiting
        if waiting is None or waiting.reason in {None, "ContainerCreating", "PodInitializing"}:
            continue
        last = one.last_state and one.last_state.terminated
        ended = f" (ended with {last.exit_code}, {one.restart_count} restarts)" if last is not None else ""
        return f"{waiting.reason}{ended}"
    for one in (pod.status and pod.status.conditions) or ():
        if one.type == "PodScheduled" and one.status == "False":
            return str(one.message or one.reason or "it cannot be scheduled")
    return ""
