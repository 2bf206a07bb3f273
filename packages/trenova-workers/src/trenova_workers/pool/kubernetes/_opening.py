"""The way to a Kubernetes API: from within the cluster by a service account, from outside by a kubeconfig."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from trenova_errors import ConfigurationError
from trenova_workers.pool._backend import Backend
from trenova_workers.pool.kubernetes._backend import KubernetesBackend
from trenova_workers.pool.kubernetes._cluster import Cluster
from trenova_workers.pool.kubernetes._identities import Sights
from trenova_workers.pool.kubernetes._options import KubernetesOptions
from trenova_workers.pool.kubernetes._versions import KubernetesVersions

NEEDS: Final = 'Pools in Kubernetes need their extra: uv pip install "trenova-workers[kubernetes]"'
_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@asynccontextmanager
async def open_cluster(
    options: KubernetesOptions, environ: Mapping[str, str], *, dry_run: bool = False
) -> AsyncIterator[Cluster]:
    """Open the way to a pool's Deployment for the length of a block.

    Args:
        options: Of the pool.
        environ: With ``KUBERNETES_SERVICE_HOST`` this is a pod, else ``KUBECONFIG`` or ``~/.kube/config`` is read.
        dry_run: Have the API check every write and do nothing.

    Raises:
        ConfigurationError: The extra is missing, or there is neither a service account nor a kubeconfig that holds.
    """
    try:
        from kubernetes_asyncio import client
    except ImportError:
        raise ConfigurationError(NEEDS) from None
    made: Any = client
    configuration = made.Configuration()
    configuration.client_side_validation = False  # an answer without a field that we do not read is no failure
    inside = "KUBERNETES_SERVICE_HOST" in environ and options.context is None
    namespace = options.namespace or (_own_namespace() if inside else None)
    await _configure(configuration, options, environ, inside=inside)
    if not namespace:
        raise ConfigurationError(
            f"The pool of the Deployment {options.deployment!r} says no namespace, and there is no service account "
            "here whose namespace could be meant. Say kubernetes.namespace."
        )
    async with made.ApiClient(configuration) as api:
        yield Cluster(api, namespace, options, dry_run=dry_run)


@asynccontextmanager
async def open_deployments(
    pool: str, options: KubernetesOptions, environ: Mapping[str, str], sights: Sights
) -> AsyncIterator[Backend]:
    """Open the way to a pool's Deployment, or to those of its builds, for the length of a block.

    Args:
        pool: Its name.
        options: Of the pool.
        environ: As for `open_cluster`.
        sights: Tells which workers poll.

    Raises:
        ConfigurationError: As `open_cluster`.
    """
    async with open_cluster(options, environ) as cluster:
        newest = KubernetesBackend(pool, cluster, sights=sights)
        if options.worker_deployment is None:
            yield newest
            return
        others = [
            options.model_copy(update={"deployment": name, "service": options.served}) for name in options.earlier
        ]
        earlier = [KubernetesBackend(pool, cluster.of(one), sights=sights) for one in others]
        yield KubernetesVersions(pool, newest, earlier)


async def _configure(
    configuration: Any, options: KubernetesOptions, environ: Mapping[str, str], *, inside: bool
) -> None:
    from kubernetes_asyncio import config

    made: Any = config
    try:
        if inside:
            made.load_incluster_config(client_configuration=configuration, environ=environ)
        else:
            await made.load_kube_config(
                config_file=environ.get("KUBECONFIG") or None,
                context=options.context,
                client_configuration=configuration,
                persist_config=False,
            )
    except (made.ConfigException, OSError) as error:
        where = "the service account of this pod" if inside else "a kubeconfig (KUBECONFIG, or ~/.kube/config)"
        raise ConfigurationError(
            f"The Kubernetes API cannot be reached by {where}: {error}. Check it with `kubectl auth whoami`."
        ) from None


def _own_namespace() -> str | None:
    try:
        return _NAMESPACE.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
