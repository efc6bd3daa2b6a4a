"""The client for Kubernetes clusters."""

from azext_amlk8s.kubernetes.connect import connect
from azext_amlk8s.kubernetes.errors import (
    ClusterError,
    ClusterRefused,
    ClusterUnreachable,
    KubeconfigUnusable,
    NoInstanceTypes,
    UnexpectedResponse,
)
from azext_amlk8s.kubernetes.objects import FIELD_MANAGER, Cluster

__all__ = [
    "FIELD_MANAGER",
    "Cluster",
    "ClusterError",
    "ClusterRefused",
    "ClusterUnreachable",
    "KubeconfigUnusable",
    "NoInstanceTypes",
    "UnexpectedResponse",
    "connect",
]
