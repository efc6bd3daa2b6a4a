"""The only door to Kubernetes."""

from azext_amlk8s.cluster.connect import KubeconfigUnusable, connect
from azext_amlk8s.cluster.objects import FIELD_MANAGER, Cluster, ClusterRefused, ClusterUnreachable, NoInstanceTypes

__all__ = [
    "FIELD_MANAGER",
    "Cluster",
    "ClusterRefused",
    "ClusterUnreachable",
    "KubeconfigUnusable",
    "NoInstanceTypes",
    "connect",
]
