"""API versions of rendered resources, and descriptions of parameters."""

from __future__ import annotations

from collections.abc import Mapping

from azext_amlk8s import knowledge


def api_version(resource_type: str) -> str:
    """The API version in which resources of a type, or of the type that contains it, are declared."""
    versions: Mapping[str, str] = knowledge.load("rendering")["apiVersions"]
    while resource_type not in versions:
        resource_type = resource_type.rpartition("/")[0]
    return versions[resource_type]


def describe_parameter(name: str) -> str:
    """What a parameter is, as a sentence."""
    return str(knowledge.load("rendering")["parameters"][name])
