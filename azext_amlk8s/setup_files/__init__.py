"""Setup files: what clusters must have, as data in version control. No I/O."""

from azext_amlk8s.setup_files.clusters import (
    check_all,
    missing_group,
    needs_resources,
    resolve_clusters,
    unclear_cluster,
    unmatched_selector,
    waves_of,
    with_former_computes,
)
from azext_amlk8s.setup_files.model import OWNER_TAG, ClusterEntry, ClusterSetup, Selector, Setup, Wave
from azext_amlk8s.setup_files.reading import read_setups, workspace_of
from azext_amlk8s.setup_files.schema import setup_schema

__all__ = [
    "OWNER_TAG",
    "ClusterEntry",
    "ClusterSetup",
    "Selector",
    "Setup",
    "Wave",
    "check_all",
    "missing_group",
    "needs_resources",
    "read_setups",
    "resolve_clusters",
    "setup_schema",
    "unclear_cluster",
    "unmatched_selector",
    "waves_of",
    "with_former_computes",
    "workspace_of",
]
