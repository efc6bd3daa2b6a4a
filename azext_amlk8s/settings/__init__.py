"""Settings of the extension: read from arguments and files, checked, and made into the request body."""

from azext_amlk8s.settings.certificate_files import certificate_paths, load_certificate_files
from azext_amlk8s.settings.cluster_rules import needed_providers
from azext_amlk8s.settings.dependencies import (
    Dependency,
    all_resources,
    is_deployed_resource,
    merge_settings,
    needed_resources,
    restorable_resources,
    switch_key,
)
from azext_amlk8s.settings.evaluate import (
    evaluate_cluster_rules,
    evaluate_cluster_rules_after_update,
    evaluate_rules,
    evaluate_update_rules,
    evaluate_version_rules,
)
from azext_amlk8s.settings.facts import ClusterFacts, cluster_facts_from_resources, offline_state
from azext_amlk8s.settings.model import BLANK, Settings
from azext_amlk8s.settings.nodes import has_few_nodes
from azext_amlk8s.settings.option_rules import extension_name
from azext_amlk8s.settings.plan import build_create_body, redact_body
from azext_amlk8s.settings.read import Document, read_settings
from azext_amlk8s.settings.update import (
    Change,
    Deployed,
    Update,
    find_differences,
    plan_update,
    read_deployed,
    settings_after_update,
    stopped_workloads,
)
from azext_amlk8s.settings.update_rules import lost_protected_settings

__all__ = [
    "BLANK",
    "Change",
    "ClusterFacts",
    "Dependency",
    "Deployed",
    "Document",
    "Settings",
    "Update",
    "all_resources",
    "build_create_body",
    "certificate_paths",
    "cluster_facts_from_resources",
    "evaluate_cluster_rules",
    "evaluate_cluster_rules_after_update",
    "evaluate_rules",
    "evaluate_update_rules",
    "evaluate_version_rules",
    "extension_name",
    "find_differences",
    "has_few_nodes",
    "is_deployed_resource",
    "load_certificate_files",
    "lost_protected_settings",
    "merge_settings",
    "needed_providers",
    "needed_resources",
    "offline_state",
    "plan_update",
    "read_deployed",
    "read_settings",
    "redact_body",
    "restorable_resources",
    "settings_after_update",
    "stopped_workloads",
    "switch_key",
]
