"""Recognises files by their content and collects the findings on all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from azext_amlk8s.lint import arm, file_rules
from azext_amlk8s.lint.json_documents import read_json
from azext_amlk8s.lint.model import Result
from azext_amlk8s.lint.nodes import InvalidSyntax
from azext_amlk8s.lint.units import evaluate_resources
from azext_amlk8s.lint.values import Value

# A file without any of these has nothing to check.
SIGNS = re.compile(
    rb"microsoft\.azureml\.kubernetes|amlarc\.azureml\.com|k8s-extension|az\s+ml\s+(compute|online)|amlk8s|azureml|"
    rb"workspaces/computes|computetype|microsoft\.relay|enabletraining|enableinference|kubernetes_cluster_extension|"
    rb"kubernetes-configuration/extension|instance_?types?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class SourceFile:
    """A file: its name in findings, its text, and whether the user named it himself."""

    name: str
    text: str
    is_named: bool = False

    @property
    def suffix(self) -> str:
        """The last part of the name, in lower case."""
        return PurePath(self.name).suffix.lower()


def has_signs(content: bytes) -> bool:
    """Whether a file may have something to check; cheap, so that most files of a folder are not parsed."""
    return bool(SIGNS.search(content))


def lint(files: Iterable[SourceFile]) -> Result:
    """The findings on files."""
    result = Result()
    known = list(files)
    for file in known:
        if file.text.lstrip()[:1] in ("{", "[", "/") and file.suffix in (".json", ".jsonc", ""):
            _lint_json(file, known, result)
    return result


def _lint_json(file: SourceFile, files: Sequence[SourceFile], result: Result) -> None:
    try:
        root = read_json(file.text, file.name)
    except InvalidSyntax as error:
        if file.is_named or "deploymentTemplate.json" in file.text:
            result.add(file_rules.invalid_file(str(error.mark), error.problem), error.mark)
        return
    if arm.is_template(root):
        _lint_template(file, root, result)


def _lint_template(file: SourceFile, root: Value, result: Result) -> None:
    resources = arm.template_resources(root)
    result.kinds[file.name] = "ARM template"
    evaluate_resources(resources, result)
