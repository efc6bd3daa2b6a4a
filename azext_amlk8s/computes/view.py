"""A compute as it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azext_amlk8s import knowledge
from azext_amlk8s.computes.facts import kind_of

# Below the properties of a compute, of whatever kind; the key of a certificate is one below sslConfiguration only.
SECRETS = frozenset(
    {"relayconnectionstring", "servicebusconnectionstring", "databricksaccesstoken", "password", "privatekeydata"}
)
BELOW = {"sslconfiguration": frozenset({"key"})}


def blanked(compute: Mapping[str, Any]) -> dict[str, Any]:
    """The compute with its connection strings and other secrets emptied; nothing else is changed or dropped."""
    return {key: _blanked(one, key) if key == "properties" else one for key, one in compute.items()}


def is_kubernetes(compute: Mapping[str, Any]) -> bool:
    """Whether it is a Kubernetes compute; one whose properties are null is of unknown kind and is not."""
    return kind_of(compute).lower() == "kubernetes"


def with_studio(compute: Mapping[str, Any], cloud: str) -> dict[str, Any]:
    """The compute with studioUrl beside ARM's own keys, which go before it; cloud is az's name of the cloud."""
    studios = knowledge.load("studio")
    base = studios.get(cloud, studios["AzureCloud"])
    workspace = str(compute.get("id")).partition("/computes/")[0]
    return {"studioUrl": f"{base}/compute/{compute.get('name')}/details?wsid={workspace}", **compute}


def _blanked(value: Any, below: str) -> Any:
    if isinstance(value, Mapping):
        secret = SECRETS | BELOW.get(below.lower(), frozenset())
        return {
            key: "" if one and str(key).lower() in secret else _blanked(one, str(key)) for key, one in value.items()
        }
    return [_blanked(one, below) for one in value] if isinstance(value, list) else value
