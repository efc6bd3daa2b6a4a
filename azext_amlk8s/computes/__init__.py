"""Computes: requests to attach a cluster, the rules that they must meet, and what is sent and shown. No I/O."""

from azext_amlk8s.computes.aks_rules import find_supported_versions, has_trusted_access
from azext_amlk8s.computes.attach_rules import ATTACH_RULE_IDS, check_attach, resolved_by_options
from azext_amlk8s.computes.cluster_ids import parse_cluster_id
from azext_amlk8s.computes.comparison import Difference, compare_compute
from azext_amlk8s.computes.existing_compute_rules import (
    check_detach,
    check_existing,
    check_update,
    matches_request,
    rejected_update,
    unapplied_update,
)
from azext_amlk8s.computes.extension_rules import find_extension, find_extension_name
from azext_amlk8s.computes.identities import parse_identity, same_identity
from azext_amlk8s.computes.model import (
    AttachFacts,
    AttachRequest,
    ClusterContents,
    cluster_id_of,
    namespace_of,
    state_of,
)
from azext_amlk8s.computes.request_bodies import (
    attach_command,
    build_attach_body,
    build_update_body,
    keep_existing,
    replace_command,
)
from azext_amlk8s.computes.request_rules import check_request
from azext_amlk8s.computes.roles import (
    RoleNeeded,
    find_look_alikes,
    find_missing_roles,
    identity_principals,
    needed_roles,
    roles_on_cluster,
)

__all__ = [
    "ATTACH_RULE_IDS",
    "AttachFacts",
    "AttachRequest",
    "ClusterContents",
    "Difference",
    "RoleNeeded",
    "attach_command",
    "build_attach_body",
    "build_update_body",
    "check_attach",
    "check_detach",
    "check_existing",
    "check_request",
    "check_update",
    "cluster_id_of",
    "compare_compute",
    "find_extension",
    "find_extension_name",
    "find_look_alikes",
    "find_missing_roles",
    "find_supported_versions",
    "has_trusted_access",
    "identity_principals",
    "keep_existing",
    "matches_request",
    "namespace_of",
    "needed_roles",
    "parse_cluster_id",
    "parse_identity",
    "rejected_update",
    "replace_command",
    "resolved_by_options",
    "roles_on_cluster",
    "same_identity",
    "state_of",
    "unapplied_update",
]
