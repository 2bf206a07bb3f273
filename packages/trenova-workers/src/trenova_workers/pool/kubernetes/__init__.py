"""Workers as pods of a Kubernetes Deployment, or of one for each build (extra ``[kubernetes]``)."""

from trenova_workers.pool.kubernetes._backend import ContendedError, KubernetesBackend
from trenova_workers.pool.kubernetes._cluster import Cluster
from trenova_workers.pool.kubernetes._opening import open_cluster, open_deployments
from trenova_workers.pool.kubernetes._options import KubernetesOptions
from trenova_workers.pool.kubernetes._versions import KubernetesVersions

__all__ = [
    "Cluster",
    "ContendedError",
    "KubernetesBackend",
    "KubernetesOptions",
    "KubernetesVersions",
    "open_cluster",
    "open_deployments",
]
