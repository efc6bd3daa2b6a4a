"""Explanations of failures, from what Azure, Helm and the cluster report. Pure: texts and documents in, causes out."""

from azext_amlk8s.diagnosis.azure_errors import (
    CodedMessage,
    compute_errors,
    errors_in_text,
    extension_errors,
    unfold_error,
)
from azext_amlk8s.diagnosis.explain import Explanation, explain, explain_entry, explain_failure, fill_placeholders
from azext_amlk8s.diagnosis.grouping import CauseGroup, group_by_cause, group_pods_by_cause
from azext_amlk8s.diagnosis.health_report import Check, HealthReport, read_reports, reports_for
from azext_amlk8s.diagnosis.helm_errors import HelmFailure, read_helm
from azext_amlk8s.diagnosis.knowledge_base import SCOPES, Entry, entries
from azext_amlk8s.diagnosis.pod_failures import PULL_REASONS, Failure, find_failures
from azext_amlk8s.diagnosis.pod_progress import PodProgress, read_pod_progress

__all__ = [
    "PULL_REASONS",
    "SCOPES",
    "CauseGroup",
    "Check",
    "CodedMessage",
    "Entry",
    "Explanation",
    "Failure",
    "HealthReport",
    "HelmFailure",
    "PodProgress",
    "compute_errors",
    "entries",
    "errors_in_text",
    "explain",
    "explain_entry",
    "explain_failure",
    "extension_errors",
    "fill_placeholders",
    "find_failures",
    "group_by_cause",
    "group_pods_by_cause",
    "read_helm",
    "read_pod_progress",
    "read_reports",
    "reports_for",
    "unfold_error",
]
