"""Job and deployment files: the instance types they select, and whether their pods can run."""

from azext_amlk8s.workloads.documents import read_workloads
from azext_amlk8s.workloads.model import KnownTypes, Workload
from azext_amlk8s.workloads.rules import evaluate_workloads

__all__ = ["KnownTypes", "Workload", "evaluate_workloads", "read_workloads"]
