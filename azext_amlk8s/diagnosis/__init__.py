"""What went wrong, read from what Azure, Helm and the cluster say. Pure: texts and documents in, explanations out."""

from azext_amlk8s.diagnosis.arm import Coded, of_compute, of_extension, of_text, unfold
from azext_amlk8s.diagnosis.codes import Entry, entries
from azext_amlk8s.diagnosis.explain import Explanation, as_finding, explain, explain_failure, of_entry
from azext_amlk8s.diagnosis.health import Check, HealthReport, read_reports, relevant
from azext_amlk8s.diagnosis.helm import HelmFailure, read_helm
from azext_amlk8s.diagnosis.pods import Trouble, troubles

__all__ = [
    "Check",
    "Coded",
    "Entry",
    "Explanation",
    "HealthReport",
    "HelmFailure",
    "Trouble",
    "as_finding",
    "entries",
    "explain",
    "explain_failure",
    "of_compute",
    "of_entry",
    "of_extension",
    "of_text",
    "read_helm",
    "read_reports",
    "relevant",
    "troubles",
    "unfold",
]
