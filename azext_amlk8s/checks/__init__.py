"""Checks: what is required of a subscription, a cluster, an installation and a compute, judged on facts. No I/O."""

from azext_amlk8s.checks.catalogue import CATEGORIES, CHECKS, UnknownWord, chosen, facts_of, known_words
from azext_amlk8s.checks.facts import Facts, Place, Unseen, ours, seen
from azext_amlk8s.checks.installation import settings_of
from azext_amlk8s.checks.matrix import Component, matrix
from azext_amlk8s.checks.model import Category, Check, Outcome, Result, Status, When, judged
from azext_amlk8s.checks.report import finding_view, report, verdict

__all__ = [
    "CATEGORIES",
    "CHECKS",
    "Category",
    "Check",
    "Component",
    "Facts",
    "Outcome",
    "Place",
    "Result",
    "Status",
    "Unseen",
    "UnknownWord",
    "When",
    "chosen",
    "facts_of",
    "finding_view",
    "judged",
    "known_words",
    "matrix",
    "ours",
    "report",
    "seen",
    "settings_of",
    "verdict",
]
