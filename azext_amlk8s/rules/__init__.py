"""Rules and findings: one form for everything that the tool checks."""

from azext_amlk8s.rules.model import (
    CheckSpec,
    Fact,
    Finding,
    NotApplicable,
    Observation,
    Problem,
    Problems,
    Result,
    Results,
    Rule,
    Severity,
    Unavailable,
)
from azext_amlk8s.rules.registry import all_rules, find_rule, rule, rules_in
from azext_amlk8s.rules.report import Report, find_cause

__all__ = [
    "CheckSpec",
    "Fact",
    "Finding",
    "NotApplicable",
    "Observation",
    "Problem",
    "Problems",
    "Report",
    "Result",
    "Results",
    "Rule",
    "Severity",
    "Unavailable",
    "all_rules",
    "find_cause",
    "find_rule",
    "rule",
    "rules_in",
]
