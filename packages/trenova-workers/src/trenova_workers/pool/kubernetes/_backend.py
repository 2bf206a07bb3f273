"""A pool of pods: the replicas of one Deployment, which this alone sets."""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from trenova_errors import ConfigurationError, ConflictError, ResourceNotFoundError
from trenova_workers.pool._backend import Capabilities
from trenova_workers.pool._worker import PoolView, WorkerEnd
from trenova_workers.pool.kubernetes._cluster import Cluster
from trenova_workers.pool.kubernetes._failures import ChangedMeanwhileError
from trenova_workers.pool.kubernetes._identities import Identities, Sights
from trenova_workers.pool.kubernetes._objects import CHOSEN_COST, COST_ANNOTATION, DRAIN_ANNOTATION, Deployment, Pod
from trenova_workers.pool.kubernetes._view import is_unmade, stale_choices, surplus, workers_of
from trenova_workers.pool.store import Lease

_TRIES: Final = 5
_AUTOSCALERS_S: Final = 5.0
_log = logging.getLogger(__name__)


class ContendedError(ConflictError):
    """Something else sets the number of the pool's workers; nothing was changed."""

    code = "pool.contended"


class KubernetesBackend:
    """Sets the replicas of one Deployment, and says which pods end when there shall be fewer.

    Kubernetes makes, restarts and replaces pods by itself; a drain is the end of a pod, within its
    ``terminationGracePeriodSeconds``. Nothing is kept here that the cluster does not tell the next manager: a pod that
    was chosen to end says so in an annotation.

    Args:
        pool: Name of the pool.
        cluster: Where the Deployment is.
        sights: Tells which workers poll, so that the least loaded are known.
        clock: Returns the time of now.
    """

    capabilities = Capabilities(replaces_builds=False, measures_memory=False, restarts=True)

    def __init__(
        self,
        pool: str,
        cluster: Cluster,
        *,
        sights: Sights | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pool, self._cluster, self._clock = pool, cluster, clock
        self._identities = Identities(sights, cluster.options.served)
        self._deployment: Deployment | None = None
        self._pods: dict[str, Pod] = {}
        self._replicas = 0
        self._contended = ""
        self._autoscalers_at = float("-inf")

    async def build(self) -> str:
        """See `Backend`: what the Deployment tells new pods to run."""
        deployment = self._deployment or await self._cluster.deployment()
        return deployment.build

    def cannot_start(self, build: str) -> str:
        """See `Backend`: its pods run what the Deployment says."""
        there = self._deployment
        if there is not None and there.build == build:
            return ""
        return f"the Deployment {self._cluster.options.deployment!r} is not of that build"

    async def look(self, lease: Lease | None) -> PoolView:
        """See `Backend`. With a lease, marks of choices that came to nothing are taken off.

        Raises:
            ConfigurationError: The Deployment is not there, ends its pods too soon, or we may not look.
            UnavailableError: The API cannot be reached.
        """
        deployment = await self._cluster.deployment()
        self._require_grace(deployment)
        pods = await self._cluster.pods(deployment)
        await self._look_for_autoscalers()
        before, self._pods = self._pods, {pod.name: pod for pod in pods}
        self._deployment, self._replicas = deployment, deployment.replicas
        if lease is not None:
            await self._forget_choices(lease, stale_choices(deployment, pods))
        identities = await self._identities.of(pods)
        workers = workers_of(self._pool, deployment, pods, now=self._clock(), identities=identities)
        return PoolView(workers, _ends(before, self._pods), self._contended)

    async def start(self, lease: Lease, count: int, *, build: str) -> None:  # noqa: ARG002 - the Deployment's own
        """See `Backend`.

        Raises:
            ContendedError: Something else sets the number of replicas too.
        """
        await self._rescale(lease, count)

    async def drain(self, lease: Lease, worker_id: str, *, why: str) -> None:
        """See `Backend`. The pod is marked to be the first that goes, then there is one replica less.

        Raises:
            ContendedError: Something else sets the number of replicas too.
        """
        if is_unmade(worker_id):
            await self._rescale(lease, -1)
            return
        pod = self._pods.get(worker_id)
        if pod is None or self._leaves(pod):
            return
        self._require_alone()
        if not await self._chosen(lease, pod, why):
            return
        try:
            await self._rescale(lease, -1)
        except BaseException:
            await self._forget_choices(lease, [pod])
            raise
        self._pods[pod.name] = replace(pod, chosen=why)
        if pod.unheard:  # its node does not end it, and Kubernetes would wait for minutes
            await self._delete(lease, pod.name)

    async def stop(self, lease: Lease, worker_id: str) -> None:
        """See `Backend`."""
        await self.drain(lease, worker_id, why="it is ended by force")
        if worker_id in self._pods:
            await self._delete(lease, worker_id, grace_s=0)

    def _leaves(self, pod: Pod) -> bool:
        """Whether it ends already, or will without a further word."""
        if not pod.active or self._deployment is None:
            return True
        return bool(pod.chosen) and pod.name in {one.name for one, _ in self._surplus(self._deployment)}

    def _surplus(self, deployment: Deployment) -> list[tuple[Pod, str]]:
        return surplus(replace(deployment, replicas=self._replicas), list(self._pods.values()))

    async def _chosen(self, lease: Lease, pod: Pod, why: str) -> bool:
        """Mark a pod to be the first that goes; say whether it was still there."""
        lease.require()
        try:
            await self._cluster.annotate(pod.name, {DRAIN_ANNOTATION: why, COST_ANNOTATION: str(CHOSEN_COST)})
        except ResourceNotFoundError:
            return False  # the Deployment makes another, and the next look decides anew
        return True

    async def _delete(self, lease: Lease, pod: str, *, grace_s: int | None = None) -> None:
        lease.require()
        with suppress(ResourceNotFoundError):
            await self._cluster.delete(pod, grace_s=grace_s)

    async def _forget_choices(self, lease: Lease, pods: Sequence[Pod]) -> None:
        for pod in pods:
            if lease.valid:
                with suppress(ResourceNotFoundError):
                    await self._cluster.annotate(pod.name, {DRAIN_ANNOTATION: None, COST_ANNOTATION: None})
                self._pods[pod.name] = replace(pod, chosen="")

    async def _rescale(self, lease: Lease, change: int) -> None:
        """Change the number of replicas by so many, unless anybody else has changed it since the last look."""
        self._require_alone()
        for left in reversed(range(_TRIES)):
            scale = await self._cluster.scale()
            if scale.replicas != self._replicas:
                raise ContendedError(
                    f"The Deployment {self._cluster.options.deployment!r} is told to have {scale.replicas} replicas "
                    f"where this manager left {self._replicas}, so somebody else scales it. Nothing was changed. "
                    "Remove its autoscaler, or take it out of the pools' file.",
                    pool=self._pool,
                )
            lease.require()
            try:
                await self._cluster.rescale(scale, max(0, scale.replicas + change))
            except ChangedMeanwhileError:
                if not left:
                    raise
                continue
            break
        _log.info("rescaled", extra={"pool": self._pool, "before": scale.replicas, "change": change})
        if not self._cluster.dry_run:
            self._replicas = max(0, scale.replicas + change)

    def _require_alone(self) -> None:
        if self._contended:
            raise ContendedError(f"{self._contended}. Two writers would undo each other, so nothing was changed.")

    def _require_grace(self, deployment: Deployment) -> None:
        needed = self._cluster.options.drain_s
        if deployment.grace_s < needed:
            raise ConfigurationError(
                f"The Deployment {deployment.name!r} kills its pods {deployment.grace_s:g} s after it has asked them "
                f"to end, and its workers may need {needed:g} s (kubernetes.drain_s), so work would be cut off. Set "
                f"its terminationGracePeriodSeconds to {needed:g} or more.",
                pool=self._pool,
            )

    async def _look_for_autoscalers(self) -> None:
        if time.monotonic() - self._autoscalers_at < _AUTOSCALERS_S:
            return
        found = await self._cluster.autoscalers()
        self._autoscalers_at = time.monotonic()
        name = self._cluster.options.deployment
        self._contended = f"{found[0].named} scales the Deployment {name!r} too" if found else ""


def _ends(before: dict[str, Pod], now: dict[str, Pod]) -> list[WorkerEnd]:
    """Return what has ended since the look before. Kubernetes makes up for it, so nothing counts as a crash."""
    there = {name for name, pod in now.items() if not pod.ended}
    ended = [pod for name, pod in before.items() if name not in there and not pod.ended]
    last = [now.get(pod.name, pod) for pod in ended]
    return [
        WorkerEnd(
            pod.name,
            crashed=False,
            ours=bool(pod.chosen),
            said=pod.said or pod.trouble or "ended",
            build=pod.build,
        )
        for pod in last
    ]
