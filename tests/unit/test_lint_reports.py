"""SARIF, JUnit and the annotations of GitHub."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

import jsonschema
import pytest

from azext_amlk8s.console.lint_reports import github, junit, sarif
from azext_amlk8s.lint import SourceFile, lint
from azext_amlk8s.operations.lint import lint_object
from tests.schemas import store_schema

TEXT = "az k8s-extension update -n a --config installPromOp=x 'installVolcano=50%,<\"'\n"
FINDINGS = [lint_object(each) for each in lint([SourceFile("a b/<x>.sh", TEXT)]).findings]


def test_sarif() -> None:
    run = json.loads(sarif(FINDINGS))["runs"][0]
    result = run["results"][0]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == "S003"
    assert result["level"] == "error"
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "a%20b/%3Cx%3E.sh"
    assert location["region"] == {"startLine": 1, "startColumn": 39}
    assert json.loads(sarif([]))["runs"][0]["results"] == []


def test_sarif_by_its_schema() -> None:
    schema = store_schema("sarif-2.1.0")
    for findings in (FINDINGS, []):
        jsonschema.validate(json.loads(sarif(findings)), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"version": "2.1.0", "runs": [{"results": []}]}, schema)


def test_junit() -> None:
    root = ElementTree.fromstring(junit(FINDINGS))
    assert [suite.get("name") for suite in root] == ["a b/<x>.sh"]
    assert root.get("failures") == "2"
    empty = ElementTree.fromstring(junit([]))
    assert (empty.get("tests"), empty.get("failures")) == ("1", "0")


def test_github() -> None:
    lines = github(FINDINGS).splitlines()
    assert lines[0].startswith("::error file=a b/<x>.sh,line=1,col=39,title=S003::installPromOp: invalid value 'x'")
    assert "50%25" in lines[1]
    assert github([]) == ""
