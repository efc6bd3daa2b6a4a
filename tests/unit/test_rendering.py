"""Setups as infrastructure as code, without Azure."""

from __future__ import annotations

import json

import pytest

from azext_amlk8s.rendering import Source, fleet_template, render_arm, render_bicep
from tests.unit.rendering_cases import FLEETS, SUBSCRIPTION

SOURCE = Source(("azureml.yaml",), SUBSCRIPTION)
RENDERERS = {"arm": render_arm, "bicep": render_bicep}
EVERY = pytest.mark.parametrize("fleet", FLEETS)


@pytest.mark.parametrize("target", RENDERERS)
@EVERY
def test_rendering_is_deterministic_and_without_blanks(target: str, fleet: str) -> None:
    files = RENDERERS[target](FLEETS[fleet], SOURCE)
    assert files == RENDERERS[target](list(FLEETS[fleet]), SOURCE)
    assert list(files) == list(RENDERERS[target](FLEETS[fleet], SOURCE))
    assert not any("***" in text or "(known when" in text for text in files.values())


@EVERY
def test_every_parameter_has_a_value_a_default_or_a_secret(fleet: str) -> None:
    rendered = fleet_template(FLEETS[fleet], SUBSCRIPTION)
    for parameter in rendered.template.parameters:
        given = parameter.name in rendered.values or parameter.default is not None
        assert given or parameter.name in rendered.secrets or parameter.name == "edgeVaultResourceGroup"
        assert parameter.secure == (parameter.name in rendered.secrets)


@EVERY
def test_every_parameter_is_used(fleet: str) -> None:
    def check(template: dict) -> None:
        body = json.dumps({key: value for key, value in template.items() if key != "parameters"})
        for name in template["parameters"]:
            assert f"parameters('{name}')" in body, name
        for resource in template["resources"]:
            inner = resource.get("properties", {}).get("template")
            if inner:
                assert resource["properties"]["parameters"].keys() == inner["parameters"].keys()
                check(inner)

    check(json.loads(render_arm(FLEETS[fleet], SOURCE)["main.json"]))


def test_a_text_that_begins_with_a_bracket_is_escaped() -> None:
    files = render_arm(FLEETS["a setting that looks like an expression"], SOURCE)
    default = json.loads(files["main.json"])["parameters"]["extensionSettings"]["defaultValue"]
    assert default["x"] == "[[a'${b}"
    bicep = render_bicep(FLEETS["a setting that looks like an expression"], SOURCE)["main.bicep"]
    assert r"x: '[a\'\${b}'" in bicep
