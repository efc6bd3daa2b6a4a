"""`az amlk8s explain`: a code, a text, standard input, the whole knowledge base; offline."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from azext_amlk8s.cli import root
from azext_amlk8s.operations.explain import explain


def test_a_code() -> None:
    (one,) = explain(None, ["e40001"])
    assert (one["code"], one["name"], one["known"]) == ("E40001", "LOAD_BALANCER_NOT_SUPPORT", True)
    assert one["fix"][0].startswith("--config inferenceRouterServiceType=nodePort")


def test_words_that_were_not_quoted() -> None:
    assert explain(None, ["pod", "healthcheck", "failed"])[0]["code"] == "HealthcheckFailed"


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is not UTF-8."""
    piped = io.TextIOWrapper(io.BytesIO(b"\xff\nStatus: Failed Name: service ErrorCode: E40001 ErrorMessage: x\n"))
    monkeypatch.setattr(sys, "stdin", piped)
    (one,) = explain(None, ["-"])
    assert (one["code"], one["parts"]["check"]) == ("E40001", "service")


def test_the_knowledge_base() -> None:
    everything = explain(None, None, everything=True)
    assert len(everything) >= 100
    rows = root.explanation_rows(everything)
    assert all(row["Code"] and row["Meaning"] for row in rows)
    assert {one["scope"] for one in explain(None, None, everything=True, scope="job")} == {"job"}


def test_the_unknown(caplog: pytest.LogCaptureFixture) -> None:
    (one,) = explain(None, ["something", "quite", "new"])
    assert (one["known"], one["parts"]) == (False, {"message": "something quite new"})
    assert "Nothing is known of this" in caplog.text
    assert root.explanation_rows([one])[0]["Meaning"] == "something quite new"


MISUSED: list[tuple[str, dict[str, Any], str]] = [
    ("nothing", {}, "must be given"),
    ("an empty text", {"text": ["  "]}, "must be given"),
    ("a text with the list", {"text": ["E40001"], "everything": True}, "takes no code"),
]


@pytest.mark.parametrize(("name", "words", "told"), MISUSED, ids=[one[0] for one in MISUSED])
def test_misuse(name: str, words: dict[str, Any], told: str) -> None:
    from azure.cli.core.azclierror import AzCLIError

    with pytest.raises(AzCLIError, match=told):
        explain(None, **words)
