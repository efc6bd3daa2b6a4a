"""Job and deployment files: what instance types they ask for, and what is wrong with that."""

from azext_amlk8s.workloads.documents import read_workloads
from azext_amlk8s.workloads.model import Ask, Known
from azext_amlk8s.workloads.rules import judge_workloads

__all__ = ["Ask", "Known", "judge_workloads", "read_workloads"]
