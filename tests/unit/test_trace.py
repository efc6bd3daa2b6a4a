"""What --debug shows: everything but secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_amlk8s.azure.logging_policy import blanked, blanked_body, blanked_headers, blanked_url

SECRET = "c2VjcmV0-that-nobody-may-see"
CASES: list[tuple[str, Any]] = [
    (
        "protected settings of an extension",
        {"properties": {"configurationProtectedSettings": {"scoringFe.sslKey": SECRET}}},
    ),
    ("protected settings in other case", {"properties": {"ConfigurationProtectedSettings": {"a": SECRET}}}),
    ("credentials of an AKS cluster", {"kubeconfigs": [{"name": "clusterUser", "value": SECRET}]}),
    ("relay connection string of a compute", {"properties": {"properties": {"relayConnectionString": SECRET}}}),
    ("service bus connection string of a compute", [{"properties": {"serviceBusConnectionString": SECRET}}]),
    ("keys of a relay rule", {"primaryConnectionString": SECRET, "primaryKey": SECRET, "secondaryKey": SECRET}),
    ("shared keys of a log workspace", {"primarySharedKey": SECRET, "secondarySharedKey": SECRET}),
    ("a token", {"access_token": SECRET}),
]


@pytest.mark.parametrize(("name", "body"), CASES, ids=[case[0] for case in CASES])
def test_a_secret_is_blanked(name: str, body: Any) -> None:
    shown = blanked_body(json.dumps(body))
    assert SECRET not in shown
    assert "***" in shown


def test_what_is_no_secret_stays() -> None:
    body = {"id": "/subscriptions/s", "properties": {"configurationSettings": {"enableTraining": "True"}, "keyless": 1}}
    assert blanked(body) == body


def test_keys_of_protected_settings_stay() -> None:
    """Which settings are there is no secret, and an absent value is shown as absent."""
    body = {"configurationProtectedSettings": {"scoringFe.sslKey": SECRET, "scoringFe.sslCert": ""}}
    assert blanked(body) == {"configurationProtectedSettings": {"scoringFe.sslKey": "***", "scoringFe.sslCert": ""}}


def test_headers_and_signed_urls() -> None:
    """The signature of an operation's URL opens the operation; the authorization opens everything."""
    headers = blanked_headers(
        {"Authorization": f"Bearer {SECRET}", "Azure-AsyncOperation": f"https://a/b?t=1&c={SECRET}&s=x&h=y"}
    )
    assert SECRET not in json.dumps(headers)
    assert blanked_url("https://a/b?api-version=2024-01-01&c=MII") == "https://a/b?api-version=2024-01-01&c=***"


def test_a_body_that_is_not_json_is_not_shown() -> None:
    assert SECRET not in blanked_body(f"kubeconfig: {SECRET}")
    assert blanked_body(None) == blanked_body("") == "none"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


@given(JSON, JSON)
def test_the_shape_stays(value: Any, bag: Any) -> None:
    """Whatever is blanked, nothing appears or goes; and blanking twice is blanking once."""
    once = blanked({"a": value, "configurationProtectedSettings": bag})
    assert shape(once) == shape({"a": value, "configurationProtectedSettings": bag})
    assert blanked(once) == once


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    return [shape(one) for one in value] if isinstance(value, list) else None
