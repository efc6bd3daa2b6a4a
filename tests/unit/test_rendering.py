"""Setups as infrastructure as code, without Azure."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from azext_amlk8s.rendering import Source, fleet_template, render_arm, render_bicep, render_terraform
from tests.unit.rendering_cases import FLEETS, SUBSCRIPTION

SOURCE = Source(("azureml.yaml",), SUBSCRIPTION)
RENDERERS = {"arm": render_arm, "bicep": render_bicep, "terraform": render_terraform}
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


@EVERY
def test_terraform_is_formatted(fleet: str, tmp_path: Path) -> None:
    if not shutil.which("terraform"):
        pytest.skip("terraform is not installed")
    for name, text in render_terraform(FLEETS[fleet], SOURCE).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    result = subprocess.run(
        ["terraform", "fmt", "-check", "-diff", "-recursive", str(tmp_path)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


@EVERY
def test_terraform_parses_and_declares_every_variable(fleet: str) -> None:
    hcl2 = pytest.importorskip("hcl2")
    files = {name: hcl2.loads(text) for name, text in render_terraform(FLEETS[fleet], SOURCE).items()}
    folders = {name.rpartition("/")[0] for name in files}
    for folder in folders:
        own = {name: content for name, content in files.items() if name.rpartition("/")[0] == folder}
        text = json.dumps([content for name, content in own.items() if "variables" not in name])
        declared = {
            key.strip('"') for content in own.values() for block in content.get("variable", ()) for key in block
        }
        used = {word.split("}")[0] for word in _words_after(text, "var.")}
        assert used == declared, folder


def _words_after(text: str, prefix: str) -> list[str]:
    import re

    return re.findall(rf"\b{re.escape(prefix)}([a-z_0-9]+)", text)
