"""az amlk8s lint"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azext_amlk8s.cli import options
from azext_amlk8s.cli.declaration import Command, Option, Row
from azext_amlk8s.cli.tables import fit_width
from azext_amlk8s.console.lint_text import lint_lines


def lint_rows(findings: Sequence[Mapping[str, Any]]) -> list[Row]:
    """A row for each finding, by position. The fix is in the other output formats."""
    rows: list[Row] = [
        {
            "Place": f"{finding['file']}:{finding['line']}",
            "Id": finding["id"],
            "Severity": finding["severity"],
            "Message": finding["message"],
        }
        for finding in findings
    ]
    return fit_width(rows, "Message")


COMMAND = Command(
    "lint",
    "lint#lint",
    "Check templates, scripts and other files for errors, without asking Azure.",
    description="Finds, by their content, ARM templates, Bicep, Terraform, setup files, files of settings, instance "
    "types, jobs, deployments, endpoints, and command lines of `az k8s-extension`, `az ml compute`, `az rest` and "
    "`az amlk8s` in shell scripts, PowerShell, batch files, GitHub workflows and Azure Pipelines. Defaults, variables "
    "and simple functions are evaluated; what cannot be known is no error, and --verbose lists it. The exit code is 1 "
    "when there is an error.",
    options=(
        Option(
            "path",
            help="Files or folders, or - for standard input.",
            is_positional=True,
            completes_files=True,
            settings={"nargs": "+", "metavar": "PATH"},
        ),
        Option(
            "output_format",
            help="Format of the findings: text, json, sarif for code scanning, junit for test results, or github for "
            "annotations of workflows. Default: the format of --output.",
            choices=("text", "json", "sarif", "junit", "github"),
        ),
        options.STRICT,
    ),
    examples=(
        ("Check everything in the current folder.", "az amlk8s lint ."),
        ("Check a Bicep file, and fail on warnings too.", "az amlk8s lint main.bicep --strict"),
        ("Print the findings for code scanning.", "az amlk8s lint . --output-format sarif"),
    ),
    table=lint_rows,
    text=lint_lines,
)
