"""`az amlk8s explain`: a code, the id of a finding, a text, standard input, the whole knowledge base; offline."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from azext_amlk8s.cli import root
from azext_amlk8s.operations.explain import explain
from azext_amlk8s.rules import all_rules


def test_code() -> None:
    (explanation,) = explain(None, ["e40001"])
    assert (explanation["code"], explanation["name"], explanation["known"]) == (
        "E40001",
        "LOAD_BALANCER_NOT_SUPPORT",
        True,
    )
    assert explanation["fix"][0].startswith("--config inferenceRouterServiceType=nodePort")


def test_text_without_quotes() -> None:
    assert explain(None, ["pod", "healthcheck", "failed"])[0]["code"] == "HealthcheckFailed"


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is not UTF-8."""
    piped = io.TextIOWrapper(io.BytesIO(b"\xff\nStatus: Failed Name: service ErrorCode: E40001 ErrorMessage: x\n"))
    monkeypatch.setattr(sys, "stdin", piped)
    (explanation,) = explain(None, ["-"])
    assert (explanation["code"], explanation["parts"]["check"]) == ("E40001", "service")


def test_list() -> None:
    everything = explain(None, None, everything=True)
    assert len(everything) >= 100
    rows = root.explanation_rows(everything)
    assert all(row["Code"] and row["Meaning"] for row in rows)
    assert {explanation["scope"] for explanation in explain(None, None, everything=True, scope="job")} == {"job"}
    assert {explanation["code"] for explanation in explain(None, None, everything=True, scope="rule")} == {
        rule.id for rule in all_rules()
    }


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_every_rule_is_explained(rule: Any) -> None:
    """By its declaration, from which the documents are generated too."""
    (explanation,) = explain(None, [rule.id.lower()])
    assert (explanation["code"], explanation["name"], explanation["meaning"]) == (rule.id, rule.title, rule.requires)
    assert (explanation["cause"], explanation["source"], explanation["scope"]) == (rule.why, rule.source, "rule")
    assert explanation["fix"][0].startswith("az amlk8s ")


@pytest.mark.parametrize("text", [["Code", "9"], ["9"], ["code9"]])
def test_code_9(text: list[str]) -> None:
    assert [explanation["code"] for explanation in explain(None, text)] == ["Code9"]


def test_unknown_text(caplog: pytest.LogCaptureFixture) -> None:
    (explanation,) = explain(None, ["something", "quite", "new"])
    assert (explanation["known"], explanation["parts"]) == (False, {"message": "something quite new"})
    assert "No explanation is known" in caplog.text
    assert root.explanation_rows([explanation])[0]["Meaning"] == "something quite new"


MISUSED: list[tuple[str, dict[str, Any], str]] = [
    ("nothing", {}, "Specify a code"),
    ("an empty text", {"text": ["  "]}, "Specify a code"),
    ("a text with the list", {"text": ["E40001"], "everything": True}, "takes no code"),
]


@pytest.mark.parametrize(("name", "options", "message"), MISUSED, ids=[case[0] for case in MISUSED])
def test_misuse(name: str, options: dict[str, Any], message: str) -> None:
    from azure.cli.core.azclierror import AzCLIError

    with pytest.raises(AzCLIError, match=message):
        explain(None, **options)


def test_the_command_of_a_rule_about_probes_runs_a_probe() -> None:
    (found,) = explain(None, ["K901"])
    assert found["fix"][0].startswith("az amlk8s check -g GROUP -c CLUSTER -t TYPE --only K901 --probe ")
