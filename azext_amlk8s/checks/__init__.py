"""Checks: what a subscription, a cluster, an installation and a compute must meet, evaluated on facts. No I/O."""

from azext_amlk8s.checks.catalogue import (
    CATEGORIES,
    CHECKS,
    UnknownCheck,
    check_names,
    facts_of,
    missing_option,
    require_known,
    select_checks,
    select_fatal_checks,
)
from azext_amlk8s.checks.commands import complete_commands, complete_fix, is_command
from azext_amlk8s.checks.component_catalogue import list_components
from azext_amlk8s.checks.component_states import Component, component_states
from azext_amlk8s.checks.facts import CheckTarget, Facts, find_extension
from azext_amlk8s.checks.installation import settings_of
from azext_amlk8s.checks.model import Category, Check, Outcome, Result, Status, evaluate
from azext_amlk8s.checks.report import build_report, finding_view, verdict

__all__ = [
    "CATEGORIES",
    "CHECKS",
    "Category",
    "Check",
    "CheckTarget",
    "Component",
    "Facts",
    "Outcome",
    "Result",
    "Status",
    "UnknownCheck",
    "build_report",
    "check_names",
    "complete_commands",
    "complete_fix",
    "component_states",
    "evaluate",
    "facts_of",
    "find_extension",
    "finding_view",
    "is_command",
    "list_components",
    "missing_option",
    "require_known",
    "select_checks",
    "select_fatal_checks",
    "settings_of",
    "verdict",
]
