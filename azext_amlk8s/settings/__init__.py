"""Settings of the extension: from words to typed values, judged, and made into the body that is sent."""

from azext_amlk8s.settings.files import file_settings, with_file_contents
from azext_amlk8s.settings.model import EXTENSION_TYPE, ClusterFacts, Settings
from azext_amlk8s.settings.plan import plan_create
from azext_amlk8s.settings.read import read_settings
from azext_amlk8s.settings.rules import judge, judge_version
from azext_amlk8s.settings.schema import known_keys

__all__ = [
    "EXTENSION_TYPE",
    "ClusterFacts",
    "Settings",
    "file_settings",
    "judge",
    "judge_version",
    "known_keys",
    "plan_create",
    "read_settings",
    "with_file_contents",
]
