"""Rules and findings: one form for everything that the tool checks."""

from azext_amlk8s.rules.model import (
    CheckSpec,
    Fact,
    Finding,
    NotApplicable,
    Problem,
    Problems,
    Report,
    Rule,
    Severity,
    Unavailable,
)
from azext_amlk8s.rules.registry import all_rules, find_rule, rule

__all__ = [
    "CheckSpec",
    "Fact",
    "Finding",
    "NotApplicable",
    "Problem",
    "Problems",
    "Report",
    "Rule",
    "Severity",
    "Unavailable",
    "all_rules",
    "find_rule",
    "rule",
]
