"""From a Deployment and its pods to the workers of a pool. Pure.

A pool's workers that start, run or are lost are as many as the Deployment is told to have, whatever its controller
has come to do so far: a pod that is not made yet is a worker that starts, and one that is still there although the
Deployment shall have fewer is one that drains.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from trenova_workers.pool._worker import PoolWorker, WorkerPhase
from trenova_workers.pool.kubernetes._objects import Deployment, Pod

_OVERDUE: Final = timedelta(seconds=30)
_UNMADE: Final = "/unmade-"


def workers_of(
    pool: str,
    deployment: Deployment,
    pods: Sequence[Pod],
    *,
    now: datetime,
    identities: Mapping[str, str],
) -> list[PoolWorker]:
    """Return the workers of a pool.

    Args:
        pool: Its name.
        deployment: As it is told to be.
        pods: Of it, the oldest first.
        now: By the clock of the cluster, as near as we know it.
        identities: Under which the worker in a pod polls, by the pod's name.
    """
    leaving = {pod.name: why for pod, why in surplus(deployment, pods)}
    there = [_worker(pool, pod, leaving.get(pod.name, ""), now, identities) for pod in pods if not pod.ended]
    missing = deployment.replicas - sum(pod.active for pod in pods)
    why = deployment.failing or "Kubernetes has not made its pod yet"
    unmade = [
        PoolWorker(
            id=f"{deployment.name}{_UNMADE}{number}",
            pool=pool,
            phase=WorkerPhase.STARTING,
            started_at=now,
            build=deployment.build,
            why=why,
        )
        for number in range(1, missing + 1)
    ]
    return [*there, *unmade]


def is_unmade(worker_id: str) -> bool:
    """Whether a worker is one whose pod is not there yet."""
    return _UNMADE in worker_id


def surplus(deployment: Deployment, pods: Sequence[Pod]) -> list[tuple[Pod, str]]:
    """Return the pods that the Deployment's controller has yet to delete, and why each.

    Which it takes, Kubernetes decides: what is not ready first, then by deletion cost. Those that were chosen have the
    least.
    """
    active = [pod for pod in pods if pod.active]
    newest = active[-1].replica_set if active else ""

    def missed(pod: Pod) -> tuple[bool, bool, bool, float]:
        replaced = deployment.rolling and pod.replica_set != newest
        return not pod.chosen, not replaced, bool(pod.ready), -pod.created_at.timestamp()

    gone = sorted(active, key=missed)[: max(0, len(active) - deployment.replicas)]
    told = f"the Deployment is told to have {deployment.replicas}"
    return [(pod, pod.chosen or ("a rollout replaces it" if deployment.rolling else told)) for pod in gone]


def stale_choices(deployment: Deployment, pods: Sequence[Pod]) -> list[Pod]:
    """Return the pods that were chosen to end, and stay: the choice was never carried out, or another one ended."""
    leaving = {pod.name for pod, _ in surplus(deployment, pods)}
    return [pod for pod in pods if pod.active and pod.chosen and pod.name not in leaving]


def _worker(pool: str, pod: Pod, leaves: str, now: datetime, identities: Mapping[str, str]) -> PoolWorker:
    phase, why = _phase(pod, leaves, now)
    return PoolWorker(
        id=pod.name,
        pool=pool,
        phase=phase,
        started_at=pod.created_at,
        build=pod.build,
        identity=identities.get(pod.name),
        why=why,
    )


def _phase(pod: Pod, leaves: str, now: datetime) -> tuple[WorkerPhase, str]:
    node = f"its node {pod.node!r} does not answer" if pod.node else "its node does not answer"
    if pod.ends_at is not None:
        late = now - pod.ends_at
        overdue = f"it should have ended {late.total_seconds():.0f} s ago; {node}" if late > _OVERDUE else ""
        return WorkerPhase.DRAINING, overdue or pod.chosen or "its pod was deleted"
    if leaves:
        return WorkerPhase.DRAINING, leaves
    if pod.unheard:
        return WorkerPhase.LOST, node
    if pod.ready:
        return WorkerPhase.RUNNING, ""
    restarted = f"it is not ready after {pod.restarts} restarts" if pod.restarts else ""
    return WorkerPhase.STARTING, pod.trouble or restarted
