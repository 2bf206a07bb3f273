"""Workers as pods of a Kubernetes Deployment (extra ``[kubernetes]``)."""

from trenova_workers.pool.kubernetes._backend import ContendedError, KubernetesBackend
from trenova_workers.pool.kubernetes._cluster import Cluster
from trenova_workers.pool.kubernetes._opening import open_cluster
from trenova_workers.pool.kubernetes._options import KubernetesOptions
from trenova_workers.pool.kubernetes._view import ClusterView

__all__ = ["Cluster", "ClusterView", "ContendedError", "KubernetesBackend", "KubernetesOptions", "open_cluster"]
