"""The pages that document the rules over job and deployment files, and how their problems are written."""

from __future__ import annotations

from typing import Any

import yaml

from azext_amlk8s.rules import Problem

GUIDE = "https://learn.microsoft.com/azure/machine-learning/how-to-manage-kubernetes-instance-types"
JOB = "https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-command"
PIPELINE = "https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-pipeline"
DEPLOYMENT = "https://learn.microsoft.com/azure/machine-learning/reference-yaml-deployment-kubernetes-online"
ENDPOINT = "https://learn.microsoft.com/azure/machine-learning/reference-yaml-endpoint-online"


def problem_at(place: str, message: str, *, expected: str = "", found: str = "", fix: str = "") -> Problem:
    """A problem of a workload file; place names file, line, column and path, and begins the message."""
    return Problem(place, f"{place}: {message}", expected, found, fix)


def snippet(value: Any) -> str:
    """YAML to paste."""
    return yaml.safe_dump(value, sort_keys=False, default_flow_style=False).strip()
