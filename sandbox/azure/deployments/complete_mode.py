"""The mode Complete: what a resource group has besides the template is deleted.

https://learn.microsoft.com/azure/azure-resource-manager/templates/deployment-modes
"""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.azure.behaviours import Behaviour
from sandbox.azure.deployments.environment import Scope
from sandbox.azure.registry import BEHAVIOURS
from sandbox.azure.tree import Resource, Tree

ANY_VERSION = "2024-01-01"  # of types that are only stored


def besides(tree: Tree, scope: Scope, kept: set[str]) -> Iterator[Resource]:
    """The resources of a group that the mode deletes. kept: the IDs in lower case of those in the template.

    Only resources of the first level with a location are deleted, with what is below them.
    """
    for resource in tree.within(scope.id):
        if is_tracked(resource) and resource["id"].lower() not in kept:
            yield resource


def is_tracked(resource: Resource) -> bool:
    """Whether a resource belongs to a resource group itself."""
    is_assignment = resource["type"].startswith("Microsoft.Authorization/")
    return resource["id"].count("/") == 8 and "location" in resource and not is_assignment


def version_of(resource: Resource) -> str:
    """A version with which a resource can be deleted."""
    behaviour: Behaviour | None = BEHAVIOURS.get(resource["type"].lower())
    return max(behaviour.api_versions) if behaviour and behaviour.api_versions else ANY_VERSION
