"""Recognises files by their content and collects the findings on all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from azext_amlk8s.lint import file_rules
from azext_amlk8s.lint.bicep_files import lint_bicep
from azext_amlk8s.lint.document_files import lint_documents, lint_settings
from azext_amlk8s.lint.files import Files, ReadFile, SourceFile
from azext_amlk8s.lint.ignores import apply_ignores
from azext_amlk8s.lint.json_files import lint_json
from azext_amlk8s.lint.model import Result
from azext_amlk8s.lint.script_files import lint_scripts
from azext_amlk8s.lint.terraform_files import lint_terraform

# A file without any of these has nothing to check.
SIGNS = re.compile(
    rb"microsoft\.azureml\.kubernetes|amlarc\.azureml\.com|k8s-extension|az\s+ml\s+(compute|online)|amlk8s|azureml|"
    rb"kubernetesconfiguration/extensions|workspaces/computes|computetype|microsoft\.relay|enabletraining|enableinference|kubernetes_cluster_extension|"
    rb"kubernetes-configuration/extension|instance_?types?|sslcertpemfile|relayserver|scoringfe",
    re.IGNORECASE,
)


def has_signs(content: bytes) -> bool:
    """Whether a file may have something to check; cheap, so that most files of a folder are not parsed."""
    return bool(SIGNS.search(content))


def lint(files: Iterable[SourceFile], read: ReadFile = lambda path: None, now: Any = None) -> Result:
    """The findings on files; read reads those that a file names and that are not among them.

    now is an aware datetime, None to leave out the validity of certificates.
    """
    known = Files(files, read)
    result = Result(read=read, now=now)
    for lint_kind in (lint_json, lint_bicep, lint_terraform, lint_documents, lint_scripts):
        lint_kind(known, result)
    lint_settings(result)
    for file, error in known.broken:
        result.add(file_rules.invalid_file(error.problem), error.mark)
        result.kinds.setdefault(file.name, "")
    found = apply_ignores(known.all, dict.fromkeys(result.findings))
    result.findings = sorted(found, key=lambda each: (each.mark.source, each.mark.line, each.mark.column))
    return result
