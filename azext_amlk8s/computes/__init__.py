"""Computes: what is attached where; words and facts into findings. No I/O."""

from azext_amlk8s.computes.compare import Difference, compare
from azext_amlk8s.computes.facts import AttachFacts, Wanted
from azext_amlk8s.computes.ids import ClusterRef, cluster_ref, read_cluster_id, read_identity
from azext_amlk8s.computes.roles import RoleNeeded, missing_roles, needed_roles
from azext_amlk8s.computes.rules import judge_attach, judge_words
from azext_amlk8s.computes.view import blanked, is_kubernetes, studio_url

__all__ = [
    "AttachFacts",
    "ClusterRef",
    "Difference",
    "RoleNeeded",
    "Wanted",
    "blanked",
    "cluster_ref",
    "compare",
    "is_kubernetes",
    "judge_attach",
    "judge_words",
    "missing_roles",
    "needed_roles",
    "read_cluster_id",
    "read_identity",
    "studio_url",
]
