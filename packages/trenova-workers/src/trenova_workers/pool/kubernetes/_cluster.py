"""The few requests to the Kubernetes API that a pool needs, in one namespace."""

from collections.abc import Sequence
from typing import Any, Final

from trenova_workers.pool.kubernetes._failures import Asked, translated
from trenova_workers.pool.kubernetes._objects import Annotations, Autoscaler, Deployment, Pod, Scale
from trenova_workers.pool.kubernetes._options import KubernetesOptions
from trenova_workers.pool.kubernetes._reading import read_autoscaler, read_deployment, read_pod

_WITHIN_S: Final = 10
_MERGE: Final = "application/merge-patch+json"
_MANAGER: Final = "trenova-pool-manager"
"""As ``kubectl get --show-managed-fields`` shows who wrote what."""


class Cluster:
    """Reads and writes the Deployment of one pool.

    Args:
        api: An open ``kubernetes_asyncio.client.ApiClient``.
        namespace: Of Kubernetes.
        options: Of the pool.
        dry_run: Have the API check every write, permissions and admission included, and do nothing.
    """

    def __init__(self, api: Any, namespace: str, options: KubernetesOptions, *, dry_run: bool = False) -> None:
        from kubernetes_asyncio import client

        made: Any = client  # its functions have no types
        self._api = api
        self.namespace, self.options, self.dry_run = namespace, options, dry_run
        self._apps, self._core = made.AppsV1Api(api), made.CoreV1Api(api)
        self._autoscaling = made.AutoscalingV2Api(api)
        self._writing = {"field_manager": _MANAGER, "_content_type": _MERGE, "_request_timeout": _WITHIN_S}
        if dry_run:
            self._writing["dry_run"] = "All"

    def of(self, options: KubernetesOptions) -> "Cluster":
        """Return the same way to another Deployment of the pool."""
        return Cluster(self._api, self.namespace, options, dry_run=self.dry_run)

    async def deployment(self) -> Deployment:
        """Return the Deployment.

        Raises:
            ConfigurationError: It is not there, or we may not read it.
            UnavailableError: The API cannot be reached.
        """
        name = self.options.deployment
        async with translated(Asked("get", "deployments", self.namespace, name)):
            answer = await self._apps.read_namespaced_deployment(name, self.namespace, _request_timeout=_WITHIN_S)
        return read_deployment(answer, self.options)

    async def pods(self, deployment: Deployment) -> Sequence[Pod]:
        """Return its pods, the oldest first; those included that end or have ended."""
        async with translated(Asked("list", "pods", self.namespace)):
            answer = await self._core.list_namespaced_pod(
                self.namespace, label_selector=deployment.selector, _request_timeout=_WITHIN_S
            )
        pods = [read_pod(one, self.options) for one in answer.items]
        own = [one for one in pods if one.replica_set.rpartition("-")[0] == deployment.name]
        return sorted(own, key=lambda pod: (pod.created_at, pod.name))

    async def autoscalers(self) -> Sequence[Autoscaler]:
        """Return what else scales the Deployment. KEDA scales by a HorizontalPodAutoscaler that it makes."""
        async with translated(Asked("list", "horizontalpodautoscalers", self.namespace)):
            answer = await self._autoscaling.list_namespaced_horizontal_pod_autoscaler(
                self.namespace, _request_timeout=_WITHIN_S
            )
        found = [read_autoscaler(one) for one in answer.items]
        return [one for one in found if one.target == ("Deployment", self.options.deployment)]

    async def scale(self) -> Scale:
        """Return how many pods the Deployment is told to have now."""
        name = self.options.deployment
        async with translated(Asked("get", "deployments/scale", self.namespace, name)):
            answer = await self._apps.read_namespaced_deployment_scale(name, self.namespace, _request_timeout=_WITHIN_S)
        return Scale(answer.spec.replicas or 0, answer.metadata.resource_version)

    async def rescale(self, seen: Scale, replicas: int) -> None:
        """Tell the Deployment to have so many pods.

        Args:
            seen: As read before; nothing is written if anything of the Deployment was changed since.
            replicas: Pods.

        Raises:
            ChangedMeanwhileError: It was.
        """
        name = self.options.deployment
        body = {"metadata": {"resourceVersion": seen.version}, "spec": {"replicas": replicas}}
        async with translated(Asked("patch", "deployments/scale", self.namespace, name)):
            await self._apps.patch_namespaced_deployment_scale(name, self.namespace, body, **self._writing)

    async def annotate(self, pod: str, annotations: Annotations) -> None:
        """Set annotations of a pod, or remove them."""
        async with translated(Asked("patch", "pods", self.namespace, pod)):
            await self._core.patch_namespaced_pod(
                pod, self.namespace, {"metadata": {"annotations": dict(annotations)}}, **self._writing
            )

    async def delete(self, pod: str, *, grace_s: int | None = None) -> None:
        """Delete a pod.

        Args:
            pod: Its name.
            grace_s: Seconds until it is killed; its own grace if absent.
        """
        told = {"dry_run": "All"} if self.dry_run else {}
        if grace_s is not None:
            told["grace_period_seconds"] = grace_s  # type: ignore[assignment]
        async with translated(Asked("delete", "pods", self.namespace, pod)):
            await self._core.delete_namespaced_pod(pod, self.namespace, _request_timeout=_WITHIN_S, **told)
