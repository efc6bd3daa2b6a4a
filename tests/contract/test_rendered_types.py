"""Resources of rendered ARM templates against Microsoft's descriptions of resource types for Bicep."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from azext_amlk8s.rendering import Source, render_arm
from tests.unit.rendering_cases import FLEETS, SUBSCRIPTION

PROPERTY = re.compile(r"^\* \*\*(?P<name>[^*]+)\*\*: (?P<type>.*?)(?P<flags> \([A-Z][\w, ]*\))?(?:: .*)?$")
LINK = re.compile(r"\[(\w+)\]\(#")
OWN = ("apiVersion", "type", "name", "comments", "condition", "copy", "dependsOn", "scope")
DEPLOYMENTS = "Microsoft.Resources/deployments"
DESCRIBED = ("Microsoft.KubernetesConfiguration/extensions", "Microsoft.MachineLearningServices/workspaces/computes")


class Description:
    """The types of one API version of a resource provider."""

    def __init__(self, file: Path) -> None:
        self._sections: dict[str, str] = {}
        for section in file.read_text(encoding="utf-8").split("\n## ")[1:]:
            title, _, text = section.partition("\n")
            self._sections[title.removeprefix("Resource ").strip()] = text

    def differences(self, title: str, value: Any, where: str) -> Iterator[str]:
        """What is wrong with an object of this type. What an expression is made of cannot be told."""
        text = self._sections[title]
        if not isinstance(value, Mapping) or "Additional Properties" in text:
            return
        found = re.search(r"\*\*Discriminator\*\*: (\w+)", text)
        if found:
            base, *variants = re.split(r"\n### (?=\w+\n#### Properties)", text)
            text = base + next(variant for variant in variants if variant.startswith(f"{value[found[1]]}\n"))
        declared = {match["name"]: match for line in text.splitlines() if (match := PROPERTY.match(line))}
        for name, match in declared.items():
            if "Required" in (match["flags"] or "") and name not in (*value, *OWN):
                yield f"{where}: {name} is missing"
        for name, inner in value.items():
            if name not in declared:
                yield f"{where}: {name} is not described"
            elif "ReadOnly" in (declared[name]["flags"] or ""):
                yield f"{where}: {name} is read-only"
            elif link := LINK.match(declared[name]["type"]):
                yield from self.differences(link[1], inner, f"{where}.{name}")


@pytest.mark.parametrize("fleet", FLEETS)
def test_resources_are_as_described(fleet: str, shared: Path) -> None:
    template = json.loads(render_arm(FLEETS[fleet], Source(("azureml.yaml",), SUBSCRIPTION))["main.json"])
    checked = set()
    for resource in resources(template):
        if resource["type"] in DESCRIBED:
            namespace, version = resource["type"].partition("/")[0].lower(), resource["apiVersion"]
            (file,) = (shared / "specs" / "bicep-types").glob(f"*/{namespace}/{version}/types.md")
            body = {key: value for key, value in resource.items() if key not in OWN}
            title = f"{resource['type']}@{version}"
            assert list(Description(file).differences(title, body, resource["type"])) == []
            checked.add(resource["type"])
    assert DESCRIBED[0] in checked


def test_what_is_not_described_is_found(shared: Path) -> None:
    (file,) = (shared / "specs" / "bicep-types").glob("*/microsoft.kubernetesconfiguration/2024-11-01/types.md")
    body = {"properties": {"currentVersion": "1", "versoin": "1", "scope": {"cluster": {"namespace": "azureml"}}}}
    found = list(Description(file).differences(f"{DESCRIBED[0]}@2024-11-01", body, "extension"))
    assert found == [
        "extension.properties: currentVersion is read-only",
        "extension.properties: versoin is not described",
        "extension.properties.scope.cluster: namespace is not described",
    ]


def resources(template: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The resources of a template and of those that it deploys."""
    for resource in template["resources"]:
        yield resource
        if resource["type"] == DEPLOYMENTS:
            yield from resources(resource["properties"]["template"])
