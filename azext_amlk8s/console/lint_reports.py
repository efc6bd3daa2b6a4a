"""Findings on files in the formats of other tools: SARIF, JUnit and the annotations of GitHub."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

Findings = Sequence[Mapping[str, Any]]
LEVELS = {"error": "error", "warning": "warning", "info": "note"}
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
HOME = "https://pypi.org/project/amlk8s"


def sarif(findings: Findings) -> str:
    """The findings as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html)."""
    rules = sorted({str(finding["id"]) for finding in findings})
    driver = {
        "name": "az amlk8s lint",
        "informationUri": HOME,
        "rules": [_sarif_rule(rule) for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(finding, rules) for finding in findings],
    }
    return json.dumps({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _sarif_rule(id: str) -> dict[str, Any]:
    from azext_amlk8s.rules import find_rule

    rule = find_rule(id)
    if rule is None:
        return {"id": id}
    described: dict[str, Any] = {
        "id": id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": " ".join(filter(None, (rule.requires, rule.why)))},
        "defaultConfiguration": {"level": LEVELS[rule.severity.value]},
        "help": {"text": f"az amlk8s explain {id}"},
    }
    if rule.source:
        described["helpUri"] = rule.source
    return described


def _sarif_result(finding: Mapping[str, Any], rules: list[str]) -> dict[str, Any]:
    text = "\n".join(filter(None, (finding["message"], finding["fix"])))
    location = {
        "artifactLocation": {"uri": _uri(finding["file"])},
        "region": {"startLine": finding["line"], "startColumn": finding["column"]},
    }
    return {
        "ruleId": finding["id"],
        "ruleIndex": rules.index(str(finding["id"])),
        "level": LEVELS[finding["severity"]],
        "message": {"text": text},
        "locations": [{"physicalLocation": location}],
    }


def _uri(file: str) -> str:
    path = PurePath(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def junit(findings: Findings) -> str:
    """The findings as JUnit XML: a test suite for each file; errors and warnings are failures."""
    shown = [finding for finding in findings if finding["severity"] != "info"]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    errors = len(shown)
    lines.append(f'<testsuites name="az amlk8s lint" tests="{max(errors, 1)}" failures="{errors}">')
    for file in dict.fromkeys(str(finding["file"]) for finding in shown):
        group = [finding for finding in shown if finding["file"] == file]
        lines.append(f'  <testsuite name={quoteattr(file)} tests="{len(group)}" failures="{len(group)}">')
        for finding in group:
            name = f"{finding['id']} {finding['line']}:{finding['column']}"
            lines.append(f"    <testcase classname={quoteattr(file)} name={quoteattr(name)}>")
            place = f"{file}:{finding['line']}:{finding['column']}"
            body = "\n".join(filter(None, (place, finding["fix"])))
            kind, message = quoteattr(finding["severity"]), quoteattr(finding["message"])
            lines.append(f"      <failure type={kind} message={message}>{escape(body)}</failure>")
            lines.append("    </testcase>")
        lines.append("  </testsuite>")
    if not shown:
        lines.append('  <testsuite name="az amlk8s lint" tests="1" failures="0">')
        lines.append('    <testcase classname="az amlk8s lint" name="no problems found"/>')
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>"])


def github(findings: Findings) -> str:
    """The findings as annotations of GitHub workflows.

    https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
    """
    names = {"error": "error", "warning": "warning", "info": "notice"}
    lines = []
    for finding in findings:
        properties = {
            "file": finding["file"],
            "line": finding["line"],
            "col": finding["column"],
            "title": finding["id"],
        }
        joined = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
        text = "\n".join(filter(None, (finding["message"], finding["fix"])))
        lines.append(f"::{names[finding['severity']]} {joined}::{_data(text)}")
    return "\n".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: Any) -> str:
    return _data(str(value)).replace(":", "%3A").replace(",", "%2C")


FORMATS: Mapping[str, Callable[[Findings], str]] = {"sarif": sarif, "junit": junit, "github": github}
