"""The schema of settings: a JSON Schema for editors and for the rules, with every setting of the documentation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from azext_amlk8s.settings.schema import find_key, invalid_keys, known_keys, schema, values_of_key

EVERY = {**schema()["properties"], **schema()["patternProperties"]}


def test_schema_is_draft_2020_12() -> None:
    """By the metaschema, which it names itself."""
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("key", sorted(EVERY))
def test_annotations(key: str) -> None:
    """Bag, scenarios, a sentence, a source; a default that the key can have."""
    told = EVERY[key]
    assert told["x-section"] in ("config", "protected", "either")
    assert set(told["x-scenarios"]) <= {"training", "inference"} and told["x-scenarios"]
    assert told["description"].endswith(".")
    assert told["x-source"] in schema()["x-sources"]
    assert told.get("x-set", "given") in ("given", "filled", "derived")
    if "default" in told:
        assert list(invalid_keys({key: told["default"]})) == []
    if told.get("x-secret"):
        assert told["x-section"] == "protected"


def test_other_names_belong_to_one_key() -> None:
    """No former name, misprint or template's name is a name of today of another key, in whatever capitals."""
    names = {key.lower(): key for key in known_keys()}
    for key, told in schema()["properties"].items():
        for alias in told.get("x-aliases", {}):
            assert names.get(alias.lower(), key) == key
            assert (found := find_key(alias)) and found.name == key


DOCUMENTS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("words", {"enableTraining": "True", "nodeSelector.purpose": "ml"}, []),
    ("truth values of JSON and YAML", {"enableTraining": True, "enableInference": False}, []),
    ("an invalid truth value", {"enableTraining": "yes"}, ["enableTraining"]),
    ("a number", {"installVolcano": 1}, ["installVolcano"]),
    ("an invalid service type", {"inferenceRouterServiceType": "ingress"}, ["inferenceRouterServiceType"]),
    ("a host with a scheme", {"sslCname": "https://a.b"}, ["sslCname"]),
    ("an invalid label value", {"nodeSelector.purpose": "m l"}, ["nodeSelector.purpose"]),
    ("an invalid effect", {"workLoadToleration[0].effect": "Never"}, ["workLoadToleration[0].effect"]),
    ("an invalid quantity", {"nginxIngress.resources.controller.limits.memory": "x"}, ["nginxIngress.resources.controller.limits.memory"]),
]  # fmt: skip


@pytest.mark.parametrize(("document", "wrong"), [case[1:] for case in DOCUMENTS], ids=[case[0] for case in DOCUMENTS])
def test_editor_and_rules_agree(document: dict[str, Any], wrong: list[str]) -> None:
    """The rule reports what jsonschema reports."""
    found = [str(error.path[0]) for error in Draft202012Validator(schema()).iter_errors(document)]
    assert found == wrong == list(invalid_keys(document))


def test_editor_rejects_unknown_name() -> None:
    """A misprint is underlined while it is typed."""
    assert not Draft202012Validator(schema()).is_valid({"enableTrainning": "True"})


@pytest.mark.parametrize("key", [key for key in known_keys() if values_of_key(key)])
def test_listed_values_are_allowed(key: str) -> None:
    """And one that is not listed is not."""
    assert [item for item in values_of_key(key) if list(invalid_keys({key: item}))] == []
    assert list(invalid_keys({key: "none of them"})) == [key]


def appendix(shared: Path) -> dict[str, set[str]]:
    """The settings of the page's Appendix II, each with its scenarios: where its column is not N/A."""
    page = next((shared / "seed").iterdir()).read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    for line in page[page.index("### Appendix II") :].splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 5 and "```" in cells[0]:
            scenarios = {
                word for word, cell in zip(("training", "inference"), cells[2:4], strict=True) if cell != "N/A"
            }
            found.update(dict.fromkeys(re.findall(r"```([\w.]+)```", cells[0]), scenarios))
    return found


def test_the_appendix_of_the_page(shared: Path) -> None:
    """Every key is known, mapped or dropped, and has its effect in the scenarios that the page says.

    sslCname has N/A for both workloads there, which the page contradicts below HTTPS, and logs and GPU metrics for
    training alone; newer documentation has them for both.
    """
    gone, newer = set(schema()["x-dropped"]), {"sslCname", "logAnalyticsWS", "installDcgmExporter"}
    told = appendix(shared)
    assert len(told) == 18
    for key, scenarios in told.items():
        name = "nodeSelector.label" if key == "nodeSelector" else key
        assert (found := find_key(name)) or key in gone, key
        if found and key not in newer:
            known = schema()["properties"].get(found.name) or schema()["patternProperties"]["^nodeSelector\\."]
            assert set(known["x-scenarios"]) == scenarios, key
