"""A pool of pods whose workers are versioned: one Deployment for each build, each scaled by itself."""

import asyncio
from collections.abc import Mapping, Sequence

from trenova_errors import ConfigurationError
from trenova_workers.pool._worker import PoolView
from trenova_workers.pool.kubernetes._backend import KubernetesBackend
from trenova_workers.pool.kubernetes._failures import MissingObjectError
from trenova_workers.pool.store import Lease


class KubernetesVersions:
    """Sets the replicas of several Deployments, whose builds are versions of one worker deployment.

    Which build a Deployment runs its pods' template says, as for a single one.

    Args:
        pool: Name of the pool.
        newest: Of the build of which the pool starts workers.
        earlier: Of those whose workers are kept while they have work. One that is deleted has no workers any more.
    """

    capabilities = KubernetesBackend.capabilities

    def __init__(self, pool: str, newest: KubernetesBackend, earlier: Sequence[KubernetesBackend]) -> None:
        self._pool, self._newest, self._earlier = pool, newest, tuple(earlier)
        self._by_build: Mapping[str, KubernetesBackend] = {}
        self._by_worker: Mapping[str, KubernetesBackend] = {}

    async def build(self) -> str:
        """See `Backend`."""
        return await self._newest.build()

    def cannot_start(self, build: str) -> str:
        """See `Backend`."""
        if build in self._by_build:
            return ""
        return "there is no Deployment of it. Apply one, and name it in the pool's kubernetes.earlier"

    async def look(self, lease: Lease | None) -> PoolView:
        """See `Backend`.

        Raises:
            ConfigurationError: Two Deployments are of one build, or one cannot be looked after.
            UnavailableError: The API cannot be reached.
        """
        looks = [self._newest.look(lease), *(_look_or_none(one, lease) for one in self._earlier)]
        views = await asyncio.gather(*looks)
        there = [(backend, view) for backend, view in zip([self._newest, *self._earlier], views, strict=True) if view]
        by_build: dict[str, KubernetesBackend] = {}
        for backend, _ in there:
            build = await backend.build()
            if by_build.setdefault(build, backend) is not backend:
                raise ConfigurationError(
                    f"Two Deployments of the pool {self._pool!r} are of the build {build!r}. Give each a build of its "
                    "own, or take one out of the pool's kubernetes.earlier.",
                    pool=self._pool,
                )
        self._by_build = by_build
        self._by_worker = {one.id: backend for backend, view in there for one in view.workers}
        return PoolView(
            [one for _, view in there for one in view.workers],
            [end for _, view in there for end in view.ends],
            ". ".join(view.contended for _, view in there if view.contended),
        )

    async def start(self, lease: Lease, count: int, *, build: str) -> None:
        """See `Backend`.

        Raises:
            ConfigurationError: There is no Deployment of that build.
            ContendedError: Something else sets the number of replicas too.
        """
        if build not in self._by_build:
            raise ConfigurationError(f"No worker of {build!r} can be started: {self.cannot_start(build)}.")
        await self._by_build[build].start(lease, count, build=build)

    async def drain(self, lease: Lease, worker_id: str, *, why: str) -> None:
        """See `Backend`.

        Raises:
            ContendedError: Something else sets the number of replicas too.
        """
        if worker_id in self._by_worker:
            await self._by_worker[worker_id].drain(lease, worker_id, why=why)

    async def stop(self, lease: Lease, worker_id: str) -> None:
        """See `Backend`."""
        if worker_id in self._by_worker:
            await self._by_worker[worker_id].stop(lease, worker_id)


async def _look_or_none(backend: KubernetesBackend, lease: Lease | None) -> PoolView | None:
    try:
        return await backend.look(lease)
    except MissingObjectError:
        return None
