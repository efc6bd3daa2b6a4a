"""Rendered Bicep, parsed back with pycep-parser, against the ARM template of the same setup. No Bicep compiler is needed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from azext_amlk8s.rendering import Source, render_arm, render_bicep
from tests.unit.rendering_cases import FLEETS, SUBSCRIPTION

pycep = pytest.importorskip("pycep")
SOURCE = Source(("azureml.yaml",), SUBSCRIPTION)
DEPLOYMENTS = "Microsoft.Resources/deployments"
REFERENCE = re.compile(r"(?:parameters|variables)\('(\w+)'\)")
ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
WORD = re.compile(r"[A-Za-z_]\w*")


@pytest.mark.parametrize("fleet", FLEETS)
def test_bicep_says_what_the_arm_template_says(fleet: str) -> None:
    files = render_bicep(FLEETS[fleet], SOURCE)
    template = json.loads(render_arm(FLEETS[fleet], SOURCE)["main.json"])
    differences = list(_differences("main.bicep", template, files))
    assert differences == []


def _differences(path: str, template: Any, files: dict[str, str]) -> Iterator[str]:
    parsed = pycep.BicepParser().parse(text=files[path])
    yield from _parameter_differences(path, template, parsed)
    yield from _compare(f"{path} variables", template.get("variables") or {}, _variables(parsed))
    declared = [item for item in parsed.get("resources", {}).items() if not item[1]["existing"]]
    created = [item for item in template["resources"] if item["type"] != DEPLOYMENTS]
    if len(declared) != len(created):
        yield f"{path}: {len(declared)} resources, not {len(created)}"
    for (symbol, resource), arm in zip(declared, created, strict=False):
        where = f"{path} {symbol}"
        yield from _compare(where, [arm["type"], arm["apiVersion"]], [resource["type"], resource["api_version"]])
        config, has_loop = _body(resource["config"])
        if has_loop != ("copy" in arm):
            yield f"{where}: a loop in one of them"
        own = {key: value for key, value in config.items() if key not in ("parent", "scope", "name", "dependsOn")}
        body = {key: arm[key] for key in arm if key in ("location", "tags", "sku", "identity", "properties")}
        yield from _compare(where, body, own)
    modules = [item for item in template["resources"] if item["type"] == DEPLOYMENTS]
    for (symbol, module), arm in zip(parsed.get("modules", {}).items(), modules, strict=True):
        config, has_loop = _body(module["config"])
        if has_loop != ("copy" in arm):
            yield f"{path} {symbol}: a loop in one of them"
        arguments = {key: value.get("value", "[vault]") for key, value in arm["properties"]["parameters"].items()}
        yield from _compare(f"{path} {symbol}", arguments, config["params"])
        folder = path.rpartition("/")[0]
        inner = module["detail"]["path"]
        yield from _differences(f"{folder}/{inner}" if folder else inner, arm["properties"]["template"], files)


def _parameter_differences(path: str, template: Any, parsed: Any) -> Iterator[str]:
    names = list(parsed.get("parameters", {}))
    if names != list(template["parameters"]):
        yield f"{path}: parameters {names}, not {list(template['parameters'])}"
    for name, parameter in parsed.get("parameters", {}).items():
        arm = template["parameters"][name]
        secure = any(decorator["type"] == "secure" for decorator in parameter["decorators"])
        if (f"secure{parameter['type']}" if secure else parameter["type"]) != arm["type"]:
            yield f"{path} {name}: type"
        yield from _compare(f"{path} {name}", arm.get("defaultValue"), parameter["default"])


def _variables(parsed: Any) -> dict[str, Any]:
    return {name: variable["value"] for name, variable in parsed.get("variables", {}).items()}


def _body(config: Any) -> tuple[Any, bool]:
    """The body of a resource or module, and whether it has a loop."""
    has_loop = "loop_type" in config
    while "config" in config:
        config = config["config"]
    return config, has_loop


def _compare(where: str, arm: Any, bicep: Any) -> Iterator[str]:
    """Differences: expressions must name the same parameters, everything else must be equal."""
    if isinstance(arm, dict):
        own = {str(key).strip("'"): value for key, value in bicep.items()} if isinstance(bicep, dict) else {}
        if list(own) != list(arm):
            yield f"{where}: keys {list(own)}, not {list(arm)}"
        for key in own.keys() & arm.keys():
            yield from _compare(f"{where}.{key}", arm[key], own[key])
    elif isinstance(arm, list):
        if len(arm) != len(bicep):
            yield f"{where}: {len(bicep)} elements"
        for number, (left, right) in enumerate(zip(arm, bicep, strict=False)):
            yield from _compare(f"{where}[{number}]", left, right)
    elif isinstance(arm, str) and arm.startswith("[") and not arm.startswith("[["):
        words = set(WORD.findall(json.dumps(bicep)))
        missing = set(REFERENCE.findall(arm)) - words
        # The ID of a resource and what is read of it name its parameters in ARM only; a loop names its element.
        if missing and "resourceId(" not in arm and "copyIndex()" not in arm:
            yield f"{where}: {bicep} lacks {sorted(missing)} of {arm}"
    elif isinstance(arm, str):
        text = arm[1:] if arm.startswith("[[") else arm
        if re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], match[1]), str(bicep)) != text:
            yield f"{where}: {bicep!r}, not {text!r}"
    elif arm != bicep:
        yield f"{where}: {bicep!r}, not {arm!r}"
