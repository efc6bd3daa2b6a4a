"""What is taken for a secret, and what is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_amlk8s.diagnosis import redacted, redacted_text

HIDDEN: list[tuple[str, Any]] = [
    ("protected settings", {"configurationProtectedSettings": {"anything": "s3cret"}}),
    ("a secret of Kubernetes", {"kind": "Secret", "data": {"x": "s3cret"}}),
    ("its text form", {"kind": "Secret", "stringData": {"x": "s3cret"}}),
    ("a variable", {"env": [{"name": "A", "value": "s3cret"}]}),
    ("a variable of a strange shape", {"env": ["s3cret"]}),
    ("a copy", {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "s3cret"}}),
    ("kubeconfigs", {"kubeconfigs": [{"name": "c", "value": "s3cret"}]}),
    ("a connection string", {"relayConnectionString": "s3cret"}),
    ("a key", {"primaryKey": "s3cret"}),
    ("a storage key in a config map", {"data": {"storage_account_key": "s3cret"}}),
    ("a file of a key", {"data": {"tls.key": "s3cret"}}),
    ("a password", {"adminPassword": "s3cret"}),
    ("a token", {"accessToken": "s3cret"}),
    ("a client secret", {"servicePrincipalProfile": {"clientSecret": "s3cret"}}),
    ("an option and its value", ["--password", "s3cret"]),
    ("an option with its value", ["--sas-token=s3cret"]),
]


@pytest.mark.parametrize(("name", "value"), HIDDEN, ids=[one[0] for one in HIDDEN])
def test_it_is_hidden(name: str, value: Any) -> None:
    assert "s3cret" not in str(redacted(value))


TEXTS: list[tuple[str, str]] = [
    ("assigned", "password=s3cret"),
    ("assigned in JSON", '{"clientSecret": "s3cret"}'),
    ("assigned in YAML", "  token: s3cret"),
    ("a connection string", "Endpoint=sb://x/;SharedAccessKeyName=a;SharedAccessKey=s3cret"),
    ("an account key", "AccountName=a;AccountKey=s3cret;EndpointSuffix=x"),
    ("a signature", "https://x/?sv=1&sig=s3cret&se=2"),
    ("a user in an address", "http://me:s3cret@proxy:3128/"),
    ("a header", "Authorization: Bearer s3cret-s3cret"),
    ("a private key", "-----BEGIN RSA PRIVATE KEY-----\ns3cret\n-----END RSA PRIVATE KEY-----"),
    ("a private key that was cut off", "-----BEGIN PRIVATE KEY-----\ns3cret"),
]


@pytest.mark.parametrize(("name", "text"), TEXTS, ids=[one[0] for one in TEXTS])
def test_it_is_hidden_in_a_text(name: str, text: str) -> None:
    assert "s3cret" not in redacted_text(text)


KEPT: list[tuple[str, Any]] = [
    ("the name of a secret", {"sslSecret": "mine"}),
    ("a selector", {"nodeSelector": {"agentpool": "gpu"}}),
    ("a message of the scheduler", {"message": "0/3 nodes are available: 3 Insufficient cpu."}),
    ("a missing secret", {"message": 'secret "tls" not found'}),
    ("a truth value", {"automountServiceAccountToken": False}),
    ("the name of a variable", {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]}),
    ("an empty protected setting", {"configurationProtectedSettings": {"a": ""}}),
    ("an image", {"image": "mcr.microsoft.com/azureml/amlarc/gateway:1.1.71"}),
    ("a resource id", {"id": "/subscriptions/33333333-dddd-4eee-8fff-444444444444/resourceGroups/g"}),
    ("a number", {"replicas": 3}),
]


@pytest.mark.parametrize(("name", "value"), KEPT, ids=[one[0] for one in KEPT])
def test_it_is_kept(name: str, value: Any) -> None:
    assert redacted(value) == value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda more: st.lists(more, max_size=3) | st.dictionaries(st.text(max_size=8), more, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_anything_is_answered_and_twice_is_no_more(value: Any) -> None:
    once = redacted(value)
    assert redacted(once) == once
