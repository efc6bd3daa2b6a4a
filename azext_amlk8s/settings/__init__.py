"""Settings of the extension: from words to typed values, judged, and made into the body that is sent."""

import azext_amlk8s.settings.part_rules  # noqa: F401  (its rules are asked too)
from azext_amlk8s.settings.cluster_rules import judge_facts, judge_facts_of_update, judge_name, needed_providers
from azext_amlk8s.settings.dependencies import Dependency, every, is_the_one, merged, needed, restorable, switch_of
from azext_amlk8s.settings.diff import (
    Change,
    Deployed,
    Update,
    deployed,
    differences,
    judge_lost,
    judge_name_of_certificate,
    judge_update,
    overlaid,
    plan_update,
    stops,
)
from azext_amlk8s.settings.facts import ClusterFacts, cluster_facts
from azext_amlk8s.settings.files import file_settings, with_file_contents
from azext_amlk8s.settings.model import BLANK, EXTENSION_TYPE, Settings
from azext_amlk8s.settings.nodes import few_nodes, schedulable_nodes
from azext_amlk8s.settings.plan import blanked, plan_create
from azext_amlk8s.settings.read import Document, read_settings
from azext_amlk8s.settings.rules import judge, judge_version
from azext_amlk8s.settings.schema import known_keys

__all__ = [
    "BLANK",
    "EXTENSION_TYPE",
    "Change",
    "ClusterFacts",
    "Dependency",
    "Document",
    "Deployed",
    "Settings",
    "Update",
    "blanked",
    "cluster_facts",
    "deployed",
    "differences",
    "every",
    "few_nodes",
    "is_the_one",
    "file_settings",
    "judge",
    "judge_facts",
    "judge_facts_of_update",
    "judge_lost",
    "judge_name",
    "judge_name_of_certificate",
    "judge_update",
    "judge_version",
    "known_keys",
    "merged",
    "needed",
    "needed_providers",
    "overlaid",
    "plan_create",
    "plan_update",
    "read_settings",
    "restorable",
    "schedulable_nodes",
    "stops",
    "switch_of",
    "with_file_contents",
]
