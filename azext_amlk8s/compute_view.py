"""A compute as it is shown to the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azext_amlk8s.knowledge.clouds import Cloud

Resource = Mapping[str, Any]  # as ARM returns it

# Keys below the properties of a compute of any kind whose values are secret.
SECRETS = frozenset(
    {"relayconnectionstring", "servicebusconnectionstring", "databricksaccesstoken", "password", "privatekeydata"}
)
# Keys that are secret only below a certain parent.
SECRETS_BELOW = {"sslconfiguration": frozenset({"key"})}


def properties_of(resource: Resource) -> Resource:
    """The properties of a resource, empty where they are null or not an object."""
    properties = resource.get("properties")
    return properties if isinstance(properties, Mapping) else {}


def kind_of(compute: Resource) -> str:
    """The computeType as ARM spells it, or nothing."""
    return str(properties_of(compute).get("computeType") or "")


def redact_compute(compute: Resource) -> dict[str, Any]:
    """The compute with its connection strings and other secrets emptied; nothing else is changed or dropped."""
    return {key: _redact(value, key) if key == "properties" else value for key, value in compute.items()}


def is_kubernetes(compute: Resource) -> bool:
    """Whether it is a Kubernetes compute. One whose properties are null is of unknown kind and is not."""
    return kind_of(compute).lower() == "kubernetes"


def is_broken(compute: Resource) -> bool:
    """Whether ARM returned it without any properties, so that its kind is unknown."""
    return not properties_of(compute)


def add_studio_url(compute: Resource, cloud: Cloud) -> dict[str, Any]:
    """The compute with its studioUrl; a key of ARM with this name wins."""
    return {"studioUrl": studio_url(str(compute.get("id")), cloud), **compute}


def studio_url(compute_id: str, cloud: Cloud) -> str:
    """The address of a compute in Azure Machine Learning studio."""
    workspace, _, name = compute_id.partition("/computes/")
    return f"https://{cloud.studio}/compute/{name}/details?wsid={workspace}"


def _redact(value: Any, parent: str) -> Any:
    if isinstance(value, Mapping):
        secret = SECRETS | SECRETS_BELOW.get(parent.lower(), frozenset())
        return {
            key: "" if child and str(key).lower() in secret else _redact(child, str(key))
            for key, child in value.items()
        }
    return [_redact(item, parent) for item in value] if isinstance(value, list) else value
