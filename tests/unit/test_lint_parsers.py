"""Lint reads Bicep and Terraform as other parsers do."""

from __future__ import annotations

import pytest

from azext_amlk8s.lint.bicep_reader import read_bicep
from azext_amlk8s.lint.terraform_reader import read_terraform
from azext_amlk8s.rendering import Source, render_bicep, render_terraform
from tests.unit.lint_languages import INJECTED, compute, extension, write
from tests.unit.rendering_cases import FLEETS, SUBSCRIPTION

SOURCE = Source(("azureml.yaml",), SUBSCRIPTION)


def bicep_texts() -> list[str]:
    """Bicep files of these tests."""
    rendered = [text for fleet in FLEETS.values() for name, text in render_bicep(fleet, SOURCE).items()]
    own = write("bicep", extension({**INJECTED, "enableTraining": "True"}), compute(condition=True))
    return [own, *(text for text in rendered if "\nresource " in text)]


def test_bicep_is_read_as_pycep_reads_it() -> None:
    """Names and types of the resources of the whole file."""
    parser = pytest.importorskip("pycep").BicepParser()
    for text in bicep_texts():
        ours = {each.name: each.target for each in read_bicep(text, "") if each.keyword == "resource"}
        theirs = parser.parse(text=text).get("resources", {})
        assert ours == {name: f"{each['type']}@{each['api_version']}" for name, each in theirs.items()}


def test_terraform_is_read_as_hcl2_reads_it() -> None:
    """Kinds and labels of the blocks of the whole file."""
    hcl2 = pytest.importorskip("hcl2")
    for fleet in FLEETS.values():
        for text in render_terraform(fleet, SOURCE).values():
            ours = sorted(block.labels for block in read_terraform(text, "").blocks if block.keyword == "resource")
            theirs = [
                (kind.strip('"'), label.strip('"'))
                for block in hcl2.loads(text).get("resource", [])
                for kind, labels in block.items()
                for label in labels
                if not kind.startswith("__")
            ]
            assert ours == sorted(theirs)
