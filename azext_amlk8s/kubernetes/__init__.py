"""The only door to Kubernetes."""

from azext_amlk8s.kubernetes.connect import KubeconfigUnusable, connect
from azext_amlk8s.kubernetes.objects import FIELD_MANAGER, Cluster, ClusterRefused, ClusterUnreachable, NoInstanceTypes

__all__ = [
    "FIELD_MANAGER",
    "Cluster",
    "ClusterRefused",
    "ClusterUnreachable",
    "KubeconfigUnusable",
    "NoInstanceTypes",
    "connect",
]
