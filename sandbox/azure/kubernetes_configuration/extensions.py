"""Microsoft.KubernetesConfiguration/extensions.

https://learn.microsoft.com/rest/api/kubernetesconfiguration/
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.azure import polls
from sandbox.azure.behaviours import Behaviour, Call, Response, now
from sandbox.azure.errors import ArmError
from sandbox.azure.kubernetes_configuration import failure_artifacts, helm_releases, install_failures, installation
from sandbox.azure.kubernetes_configuration.extension_types import RELEASE_NAMESPACE, require_offered
from sandbox.azure.kubernetes_configuration.install_failures import Install
from sandbox.azure.operations import OperationFailed, Running
from sandbox.azure.tree import Resource
from sandbox.kubernetes.client import KubernetesError
from sandbox.world import guid

AZUREML = "microsoft.azureml.kubernetes"
BUSY = ("Creating", "Updating", "Deleting")
NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$")
SINCE_MODES = "2025-03-01"
PATCHABLE = ("autoUpgradeMode", "autoUpgradeMinorVersion", "releaseTrain", "version")
# The odd body of a deletion with forceDelete=true, as recorded.
FORCE_DELETED = {
    "version": "1.1",
    "content": {"headers": []},
    "statusCode": 200,
    "reasonPhrase": "OK",
    "headers": [],
    "trailingHeaders": [],
    "requestMessage": None,
    "isSuccessStatusCode": True,
}


class Extensions(Behaviour):
    """Extensions of a cluster; creating and updating one changes the cluster, too."""

    type = "Microsoft.KubernetesConfiguration/extensions"
    api_versions = frozenset({"2022-11-01", "2023-05-01", "2024-11-01", "2025-03-01"})

    def absent(self, call: Call) -> ArmError | None:
        message = f"Extension instance with name '{call.address.names[-1]}' not found."
        return ArmError(404, "ResourceNotFound", message, cause=None, additionalInfo=[])

    async def put(self, call: Call, existing: Resource | None) -> Response:
        properties = call.body.get("properties") or {}
        name, extension_type = call.address.names[-1], properties.get("extensionType")
        if not NAME.match(name):
            # assumed: the wording for an invalid name
            raise ArmError(400, "InvalidExtensionName", f"The extension name '{name}' is not valid.", cause=None)
        if not extension_type:
            raise ArmError(400, "InvalidRequestContent", "The extension type must be given.", cause=None)  # assumed
        if existing and existing["properties"]["provisioningState"] in BUSY:
            raise _busy("PUT", existing)  # assumed: a PUT gets the text that is recorded for a PATCH
        cluster = call.azure.tree.get(call.address.scope) or {}
        offered = call.azure.world.extension_type(extension_type)
        require_offered(offered, extension_type, cluster.get("location", call.azure.world.location))
        self._refuse_second_of_type(call, extension_type)
        _refuse_contradiction(properties, bool(properties.get("autoUpgradeMinorVersion")))
        resource = _resource(call, properties, existing)
        call.azure.tree.put(resource)
        # assumed: a PUT over an installed extension upgrades it, as templates are deployed again and again.
        state = "Updating" if existing and existing["properties"]["provisioningState"] == "Succeeded" else "Creating"
        resource["properties"]["provisioningState"] = state
        operation = call.azure.operations.start(state, lambda: _install(call, resource, state))
        return Response(
            201 if existing is None else 200, await self.read(call, resource), _headers(call, operation, location=True)
        )

    async def patch(self, call: Call, existing: Resource) -> Response:
        properties = existing["properties"]
        if properties["provisioningState"] in BUSY:
            raise _busy("PATCH", existing)
        changes = call.body.get("properties") or {}
        unknown = sorted(set(changes) - {*PATCHABLE, "configurationSettings", "configurationProtectedSettings"})
        if unknown:
            raise ArmError(
                400, "InvalidRequestContent", f"A PATCH cannot change {', '.join(unknown)}.", cause=None
            )  # assumed
        _refuse_contradiction(changes, changes.get("autoUpgradeMinorVersion", properties["autoUpgradeMinorVersion"]))
        before = repr(properties)
        properties.update({key: changes[key] for key in PATCHABLE if key in changes})
        if properties["autoUpgradeMinorVersion"]:
            properties["version"] = None
        # A key with an empty value gets the chart's default. assumed: null changes nothing; no evidence says that it
        # removes a key.
        settings = changes.get("configurationSettings") or {}
        properties["configurationSettings"] |= {key: value for key, value in settings.items() if value is not None}
        # Protected settings are replaced as a whole; an empty section, which az k8s-extension always sends, is ignored.
        if changes.get("configurationProtectedSettings"):
            properties["configurationProtectedSettings"] = dict(changes["configurationProtectedSettings"])
        # A PATCH without a difference repeats an operation that has failed; az iot ops upgrade relies on it.
        if repr(properties) == before and properties["provisioningState"] == "Succeeded":
            return Response(200, await self.read(call, existing))
        properties["provisioningState"] = "Updating"
        operation = call.azure.operations.start("Updating", lambda: _install(call, existing, "Updating"))
        return Response(202, await self.read(call, existing), _headers(call, operation, location=True))

    async def delete(self, call: Call, existing: Resource | None) -> Response:
        if existing is None:
            return Response(204)
        if call.query.get("forceDelete", "").lower() == "true":
            call.azure.tree.remove(existing["id"])
            return Response(200, dict(FORCE_DELETED))
        existing["properties"]["provisioningState"] = "Deleting"

        async def remove() -> None:
            await asyncio.sleep(call.azure.seconds)
            side, cluster = call.azure.cluster_of(existing["id"]), call.azure.world_entry(existing["id"])
            parent = call.azure.tree.get(existing["id"].rsplit("/providers/", 1)[0]) or {}
            # Of a cluster whose agents are offline only the resource is deleted; Helm follows when they connect.
            connected = (parent.get("properties") or {}).get("connectivityStatus") not in ("Offline", "Expired")
            if side and connected and existing["properties"]["extensionType"].lower() == AZUREML:
                await installation.uninstall(side, cluster.leftovers if cluster else ())
            call.azure.tree.remove(existing["id"])

        return Response(202, None, _headers(call, call.azure.operations.start("Deleting", remove), location=False))

    async def read(self, call: Call, resource: Resource) -> Resource:
        properties = dict(resource["properties"])
        properties["configurationProtectedSettings"] = dict.fromkeys(properties["configurationProtectedSettings"], "")
        mode = properties.pop("autoUpgradeMode", None)
        if call.api_version >= SINCE_MODES:
            # assumed: how the mode follows from the older flag
            derived = "compatible" if properties.get("autoUpgradeMinorVersion", True) else "none"
            properties.update(autoUpgradeMode=mode or derived, extensionState=None)
        return {**resource, "properties": properties}

    async def list(self, call: Call, resources: list[Resource]) -> dict[str, Any]:
        return {**await super().list(call, resources), "nextLink": None}

    async def action(self, call: Call, existing: Resource, name: str) -> Response:
        raise ArmError(404, "NotFound", f"An extension has no action '{name}'.", cause=None)

    def _refuse_second_of_type(self, call: Call, extension_type: str) -> None:
        for other in call.azure.tree.children(call.address.id.rsplit("/", 1)[0], self.type):
            same_type = other["properties"]["extensionType"].lower() == extension_type.lower()
            if same_type and other["name"].lower() != call.address.names[-1].lower():
                message = (
                    "Multiple extensions of the same type are not allowed at this scope: "
                    f"'{other['name']}' is of type '{extension_type}' already."
                )  # assumed wording
                raise ArmError(400, "ValidationFailed", message, cause=None)


def _resource(call: Call, properties: Mapping[str, Any], existing: Resource | None) -> Resource:
    scope = dict(properties.get("scope") or {"cluster": {}})
    if isinstance(scope.get("cluster"), dict):
        scope["cluster"] = {"releaseNamespace": RELEASE_NAMESPACE, **scope["cluster"]}
    version, stamp = properties.get("version"), now()
    resource: Resource = {
        "id": call.address.id,
        "name": call.address.names[-1],
        "type": "Microsoft.KubernetesConfiguration/extensions",
        "properties": {
            "extensionType": properties["extensionType"],
            # As recorded: false where a version is given and the flag is not.
            "autoUpgradeMinorVersion": properties.get("autoUpgradeMinorVersion", not version),
            **({"autoUpgradeMode": properties["autoUpgradeMode"]} if "autoUpgradeMode" in properties else {}),
            "releaseTrain": properties.get("releaseTrain") or "Stable",
            "version": version,
            "currentVersion": version or _newest(call, properties["extensionType"]),
            "scope": scope,
            "provisioningState": "Creating",
            "configurationSettings": dict(properties.get("configurationSettings") or {}),
            "configurationProtectedSettings": dict(properties.get("configurationProtectedSettings") or {}),
            "statuses": [],
            "aksAssignedIdentity": None,
            "isSystemExtension": False,
        },
        "systemData": {
            "createdBy": None,
            "createdByType": None,
            "createdAt": ((existing or {}).get("systemData") or {}).get("createdAt") or stamp,
            "lastModifiedBy": None,
            "lastModifiedByType": None,
            "lastModifiedAt": stamp,
        },
    }
    if not _is_aks(call):
        resource["identity"] = {"type": "SystemAssigned", "principalId": str(uuid.uuid4())}
    return resource


def _is_aks(call: Call) -> bool:
    return "/managedclusters/" in call.address.id.lower()


def _newest(call: Call, extension_type: str) -> str:
    offered = call.azure.world.extension_type(extension_type)
    return offered.versions[-1] if offered else "1.0.0"


async def _install(call: Call, resource: Resource, state: str) -> None:
    properties, seconds = resource["properties"], call.azure.seconds
    await asyncio.sleep(seconds / 3)
    cluster_id = resource["id"].rsplit("/providers/", 1)[0]
    error = install_failures.before_helm(call.azure.tree.get(cluster_id) or {}, properties)
    if error is None:
        # As recorded: a version that was requested is kept even if it was not found.
        properties["currentVersion"] = properties["version"] or _newest(call, properties["extensionType"])
        side, cluster = call.azure.cluster_of(resource["id"]), call.azure.world_entry(resource["id"])
        if side and cluster and properties["extensionType"].lower() == AZUREML:
            sections = (properties["configurationSettings"], properties["configurationProtectedSettings"])
            hook = "pre-install" if state == "Creating" else "pre-upgrade"
            error = await _helm(Install(side, cluster, resource["name"], properties["currentVersion"], *sections, hook))
    await asyncio.sleep(seconds * 2 / 3)
    if properties["provisioningState"] != state:
        return
    if error:
        # As recorded: the state, and a status without a level; no errorInfo.
        status = dict.fromkeys(("code", "displayStatus", "level", "message", "time"))
        properties["statuses"] = [{**status, "code": "InstallationFailed", "message": error["message"]}]
        properties["provisioningState"] = "Failed"
        raise OperationFailed(**error)
    properties.update(provisioningState="Succeeded", statuses=[])
    if _is_aks(call):
        # As seen on AKS: an identity without type and tenant.
        principal = guid("extension", resource["id"])
        properties["aksAssignedIdentity"] = {"principalId": principal, "tenantId": None, "type": None}


async def _helm(install: Install) -> dict[str, str] | None:
    """Run Helm's part of an installation; returns the error of the operation, None on success."""
    try:
        await installation.remove_failed_attempt(install.side)
        if reason := await install_failures.helm_failure(install):
            return failure_artifacts.helm_error(install, reason)
        if fault := _upgrade_fault(install):
            return await _fail_upgrade(install, fault)
        findings = await install_failures.health_check(install)
        if reason := await failure_artifacts.leave_report(install, findings):
            return failure_artifacts.helm_error(install, reason)
        if not await installation.install(install):
            # assumed: the pods of the failed attempt remain, because the agent tries again at once
            return failure_artifacts.helm_error(install, "timed out waiting for the condition")
    except KubernetesError as error:
        return failure_artifacts.helm_error(install, error.message)
    return None


def _upgrade_fault(install: Install) -> str:
    """What the world has for this update, empty for nothing."""
    if install.hook != "pre-upgrade":
        return ""
    number = install.side.counters.get("updates", 0)
    install.side.counters["updates"] = number + 1
    faults = install.cluster.upgrade_faults
    return faults[number] if number < len(faults) else ""


async def _fail_upgrade(install: Install, fault: str) -> dict[str, str]:
    """An update whose old components keep running. assumed: the text after an interruption."""
    if fault == "interrupted":
        await helm_releases.record_interruption(install)
        return failure_artifacts.helm_error(install, "context deadline exceeded")
    await helm_releases.record_rollback(install)
    return failure_artifacts.helm_error(install, "timed out waiting for the condition")


def _headers(call: Call, operation: Running, location: bool) -> dict[str, str]:
    path = call.address.id.replace("/connectedClusters/", "/ConnectedClusters/")
    path = path.replace("/managedClusters/", "/ManagedClusters/")
    # As recorded: the parameter has a capital letter before the API versions of 2025.
    parameter = "api-version" if call.api_version >= SINCE_MODES else "api-Version"
    query = f"{parameter}={call.api_version}"
    headers = {"Azure-AsyncOperation": polls.url(call, operation, f"{path}/operations/{operation.id}", query)}
    if location:
        headers["Location"] = f"{call.base}{call.address.id}?api-version={call.api_version}"
    return headers


def _refuse_contradiction(properties: Mapping[str, Any], auto_upgrade: bool) -> None:
    if properties.get("version") and auto_upgrade:
        message = "Auto upgrade of minor versions cannot be enabled when a version is given."
        raise ArmError(400, "ExtensionAutoUpgradeCannotBeEnabled", message, cause=None)


def _busy(method: str, existing: Resource) -> ArmError:
    state = existing["properties"]["provisioningState"]
    message = (
        f"The {method} method cannot be completed due to a conflict. "
        f"(ProvisioningState of extension: {state}). Please wait for a few minutes for the ProvisioningState to "
        "change to Succeeded, Failed or Canceled and retry again. If the problem persists, please contact Microsoft "
        "support."
    )
    return ArmError(409, f"Extension{method.capitalize()}Failed", message, cause=None, additionalInfo=[])
