"""Microsoft.KubernetesConfiguration/extensionTypes: the extension types of a cluster or a location.

https://learn.microsoft.com/rest/api/kubernetesconfiguration/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.azure.behaviours import Behaviour, Call
from sandbox.azure.errors import ArmError, region_without_extension_type, resource_not_found
from sandbox.azure.tree import Resource
from sandbox.world import ExtensionType

VERSIONS = frozenset({"2023-05-01-preview", "2024-11-01-preview"})
SINGULAR = {"managedClusters": "managedCluster", "connectedClusters": "connectedCluster"}
RELEASE_NAMESPACE = "azureml"


class ExtensionTypes(Behaviour):
    """The extension types that a cluster can have, from its type and region."""

    type = "Microsoft.KubernetesConfiguration/extensionTypes"
    api_versions = VERSIONS
    needs_parent = False
    read_only = True

    async def list(self, call: Call, resources: list[Resource]) -> dict[str, Any]:
        return {
            "value": [_type_resource(call, extension_type) for extension_type in self.offered(call)],
            "nextLink": None,
        }

    def find(self, call: Call) -> Resource | None:
        found = self.named(call, call.address.names[-1])
        return _type_resource(call, found) if found else None

    def absent(self, call: Call) -> ArmError | None:
        return _absent(call)

    def named(self, call: Call, name: str) -> ExtensionType | None:
        """The offered extension type of this name, in any case."""
        return next(
            (extension_type for extension_type in self.offered(call) if extension_type.name.lower() == name.lower()),
            None,
        )

    def offered(self, call: Call) -> Sequence[ExtensionType]:
        """The extension types offered where the request points."""
        cluster = call.azure.tree.get(call.address.scope)
        if cluster is None:
            raise resource_not_found(call.address.type, call.address.scope.rsplit("/", 1)[-1], call.address.group)
        cluster_type = cluster["type"].rsplit("/", 1)[-1].lower()
        return [
            extension_type
            for extension_type in call.azure.world.extension_types
            if is_offered(extension_type, cluster["location"])
            and cluster_type in map(str.lower, extension_type.cluster_types)
        ]


class ExtensionTypesByLocation(ExtensionTypes):
    """The extension types of a location, for any cluster."""

    type = "Microsoft.KubernetesConfiguration/locations/extensionTypes"

    def offered(self, call: Call) -> Sequence[ExtensionType]:
        return [
            extension_type
            for extension_type in call.azure.world.extension_types
            if is_offered(extension_type, call.address.names[0])
        ]


class ExtensionTypeVersions(Behaviour):
    """The versions of an extension type, newest last; releaseTrain, majorVersion and showLatest filter them."""

    type = "Microsoft.KubernetesConfiguration/extensionTypes/versions"
    api_versions = VERSIONS
    needs_parent = False
    read_only = True
    types: ExtensionTypes = ExtensionTypes()
    name_at = 0

    async def list(self, call: Call, resources: list[Resource]) -> dict[str, Any]:
        return {"value": self._versions(call), "nextLink": None}

    def find(self, call: Call) -> Resource | None:
        wanted = call.address.names[-1]
        return next((version for version in self._versions(call) if version["properties"]["version"] == wanted), None)

    def absent(self, call: Call) -> ArmError | None:
        return _absent(call)

    def _versions(self, call: Call) -> Sequence[Resource]:
        extension_type = self.types.named(call, call.address.names[self.name_at])
        if extension_type is None:
            raise _absent(call)
        train = call.query.get("releaseTrain", "stable").lower()
        versions = extension_type.versions if train in map(str.lower, extension_type.trains) else ()
        if major := call.query.get("majorVersion"):
            versions = tuple(version for version in versions if version.split(".")[0] == major)
        if call.query.get("showLatest", "").lower() == "true":
            versions = versions[-1:]
        return [_version_resource(call, extension_type, version) for version in versions]


class ExtensionTypeVersionsByLocation(ExtensionTypeVersions):
    """The versions of an extension type in a location."""

    type = "Microsoft.KubernetesConfiguration/locations/extensionTypes/versions"
    types = ExtensionTypesByLocation()
    name_at = 1


def is_offered(extension_type: ExtensionType, location: str) -> bool:
    """Whether a region has an extension type; its name in any spelling, such as East US."""
    plain = location.replace(" ", "").lower()
    return not extension_type.regions or plain in {region.replace(" ", "").lower() for region in extension_type.regions}


def require_offered(extension_type: ExtensionType | None, name: str, location: str) -> None:
    """Raise ArmError where a region does not have an extension type."""
    if extension_type and not is_offered(extension_type, location):
        raise region_without_extension_type(name, location, extension_type.regions)


def _type_resource(call: Call, extension_type: ExtensionType) -> Resource:
    base = call.address.id.lower().partition("/extensiontypes")[0]
    prefix = call.address.id[: len(base)]
    return {
        "id": f"{prefix}/extensionTypes/{extension_type.name}",
        "name": extension_type.name,
        "type": "Microsoft.KubernetesConfiguration/extensionTypes",
        "properties": {
            "isSystemExtension": False,
            "isManagedIdentityRequired": True,
            "description": f"Extension type {extension_type.name}",
            "publisher": "Microsoft",
            "supportedClusterTypes": list(extension_type.cluster_types),
            "supportedScopes": {
                "defaultScope": "cluster",
                "clusterScopeSettings": {
                    "properties": {"allowMultipleInstances": False, "defaultReleaseNamespace": RELEASE_NAMESPACE}
                },
            },
        },
    }


def _version_resource(call: Call, extension_type: ExtensionType, version: str) -> Resource:
    supported = [SINGULAR.get(cluster_type, cluster_type) for cluster_type in extension_type.cluster_types]
    return {
        "id": f"{_type_resource(call, extension_type)['id']}/versions/{version}",
        "name": version,
        "type": "Microsoft.KubernetesConfiguration/extensionTypes/versions",
        "properties": {
            "version": version,
            "unsupportedKubernetesVersions": {
                cluster_type: [{"distributions": [], "unsupportedVersions": []}] for cluster_type in supported
            },
            "supportedClusterTypes": supported,
        },
    }


def _absent(call: Call) -> ArmError:
    # assumed: the wording of the provider
    return ArmError(404, "ResourceNotFound", f"Extension type '{call.address.names[-1]}' not found.", cause=None)
