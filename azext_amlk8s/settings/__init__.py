"""Settings of the extension: from words to typed values, judged, and made into the body that is sent."""

from azext_amlk8s.settings.dependencies import Dependency, every, is_the_one, merged, needed, restorable, switch_of
from azext_amlk8s.settings.diff import (
    Change,
    Deployed,
    Update,
    deployed,
    differences,
    judge_lost,
    judge_update,
    overlaid,
    plan_update,
    stops,
)
from azext_amlk8s.settings.files import file_settings, with_file_contents
from azext_amlk8s.settings.model import EXTENSION_TYPE, ClusterFacts, Settings
from azext_amlk8s.settings.plan import BLANK, blanked, plan_create
from azext_amlk8s.settings.read import read_settings
from azext_amlk8s.settings.rules import judge, judge_version
from azext_amlk8s.settings.schema import known_keys

__all__ = [
    "BLANK",
    "EXTENSION_TYPE",
    "Change",
    "ClusterFacts",
    "Dependency",
    "Deployed",
    "Settings",
    "Update",
    "blanked",
    "deployed",
    "differences",
    "every",
    "is_the_one",
    "file_settings",
    "judge",
    "judge_lost",
    "judge_update",
    "judge_version",
    "known_keys",
    "merged",
    "needed",
    "overlaid",
    "plan_create",
    "plan_update",
    "read_settings",
    "restorable",
    "stops",
    "switch_of",
    "with_file_contents",
]
