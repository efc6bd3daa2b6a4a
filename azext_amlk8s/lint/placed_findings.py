"""Findings of rules over documents, whose subject or message begins with file, line and column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from azext_amlk8s.lint.files import SourceFile
from azext_amlk8s.lint.model import LintFinding
from azext_amlk8s.lint.values import Mark
from azext_amlk8s.lint.yaml_values import EXPRESSION
from azext_amlk8s.rules import Finding, Severity

PLACE = re.compile(r"(?P<source>.+?):(?P<line>\d+):(?P<column>\d+)(?: \((?P<path>.*)\))?$", re.DOTALL)


def placed(findings: Iterable[Finding], files: Sequence[SourceFile]) -> Iterator[LintFinding]:
    """The findings at their positions, without the position in the message.

    What is only information about a document is left out, and so are findings on a line that something replaces before
    the file is used.
    """
    lines = {file.name: file.text.splitlines() for file in files}
    for finding in findings:
        if finding.severity is Severity.INFO:
            continue
        match = PLACE.match(finding.subject)
        if match and match["source"] in lines:
            mark = Mark(match["source"], int(match["line"]), int(match["column"]))
            path = match["path"] or ""
        else:
            mark, path = Mark(files[0].name), ""
        if EXPRESSION.search("".join(lines[mark.source][mark.line - 1 : mark.line])):
            continue
        message = finding.message.removeprefix(f"{finding.subject}: ")
        subject = path or finding.subject
        yield LintFinding(replace(finding, subject=subject, message=message), mark)
