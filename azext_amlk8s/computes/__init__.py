"""Computes: what is attached where; words and facts into findings. No I/O."""

from azext_amlk8s.computes.compare import Difference, compare
from azext_amlk8s.computes.existing_compute_rules import judge_detach, judge_standing, judge_taken, judge_update
from azext_amlk8s.computes.facts import AttachFacts, Inside, Wanted, kind_of, state_of
from azext_amlk8s.computes.ids import ClusterRef, cluster_ref, read_cluster_id, read_identity
from azext_amlk8s.computes.names import judge_words
from azext_amlk8s.computes.plan import attach_body, attach_command, keeping, update_body
from azext_amlk8s.computes.roles import RoleNeeded, identity_principals, look_alikes, missing_roles, needed_roles
from azext_amlk8s.computes.rules import extension_name, judge_attach, mended_by, supported_versions, trusted
from azext_amlk8s.computes.view import blanked, is_kubernetes, with_studio

__all__ = [
    "AttachFacts",
    "ClusterRef",
    "Difference",
    "Inside",
    "RoleNeeded",
    "Wanted",
    "attach_body",
    "attach_command",
    "blanked",
    "cluster_ref",
    "compare",
    "extension_name",
    "identity_principals",
    "is_kubernetes",
    "judge_attach",
    "judge_detach",
    "judge_standing",
    "judge_taken",
    "judge_update",
    "judge_words",
    "keeping",
    "kind_of",
    "look_alikes",
    "mended_by",
    "missing_roles",
    "needed_roles",
    "read_cluster_id",
    "read_identity",
    "state_of",
    "supported_versions",
    "trusted",
    "update_body",
    "with_studio",
]
