"""Workers as pods of a Kubernetes Deployment (extra ``[kubernetes]``)."""

from trenova_workers.pool.kubernetes._backend import ContendedError, KubernetesBackend
from trenova_workers.pool.kubernetes._cluster import Cluster
from trenova_workers.pool.kubernetes._opening import open_cluster
from trenova_workers.pool.kubernetes._options import KubernetesOptions

__all__ = ["Cluster", "ContendedError", "KubernetesBackend", "KubernetesOptions", "open_cluster"]
