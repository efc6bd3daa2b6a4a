"""Microsoft.KubernetesConfiguration/extensions, as field guide arm-protocol section 2 describes them."""

from __future__ import annotations

import asyncio
import re
import uuid
from typing import Any

from sandbox.azure import cluster_effects, failure_artifacts, install_failures, polls
from sandbox.azure.behaviours import Answer, Behaviour, Call, now
from sandbox.azure.errors import ArmError
from sandbox.azure.install_failures import Install
from sandbox.azure.operations import OperationFailed, Running
from sandbox.azure.tree import Resource

AZUREML = "microsoft.azureml.kubernetes"
CURRENT_VERSION = "1.1.71"
BUSY = ("Creating", "Updating", "Deleting")
NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$")
SINCE_MODES = "2025-03-01"
PATCHABLE = ("autoUpgradeMode", "autoUpgradeMinorVersion", "releaseTrain", "version")


class Extensions(Behaviour):
    """Creating takes a while, during which the cluster side happens."""

    type = "Microsoft.KubernetesConfiguration/extensions"
    api_versions = frozenset({"2022-11-01", "2023-05-01", "2024-11-01", "2025-03-01"})

    def absent(self, call: Call) -> ArmError | None:
        return ArmError(
            404,
            "ResourceNotFound",
            f"Extension instance with name '{call.address.names[-1]}' not found.",
            cause=None,
            additionalInfo=[],
        )

    async def put(self, call: Call, there: Resource | None) -> Answer:
        told = call.body.get("properties") or {}
        if not NAME.match(call.address.names[-1]):
            # assumed: the wording of a refused name
            raise ArmError(
                400, "InvalidExtensionName", f"The extension name '{call.address.names[-1]}' is not valid.", cause=None
            )
        if not told.get("extensionType"):
            raise ArmError(400, "InvalidRequestContent", "The extension type must be given.", cause=None)  # assumed
        if there and there["properties"]["provisioningState"] in BUSY:
            raise _busy("PUT", there)  # assumed: PUT is refused in the words that are known of PATCH
        self._refuse_second_of_type(call, told["extensionType"])
        _refuse_contradiction(told, told.get("autoUpgradeMinorVersion", True))
        resource = _resource(call, told, there)
        call.azure.tree.put(resource)
        operation = call.azure.operations.start("Creating", lambda: _install(call, resource, "Creating"))
        return Answer(
            201 if there is None else 200, await self.read(call, resource), _headers(call, operation, location=True)
        )

    async def patch(self, call: Call, there: Resource) -> Answer:
        properties = there["properties"]
        if properties["provisioningState"] in BUSY:
            raise _busy("PATCH", there)
        told = call.body.get("properties") or {}
        unknown = sorted(set(told) - {*PATCHABLE, "configurationSettings", "configurationProtectedSettings"})
        if unknown:
            raise ArmError(
                400, "InvalidRequestContent", f"A PATCH cannot change {', '.join(unknown)}.", cause=None
            )  # assumed
        _refuse_contradiction(told, told.get("autoUpgradeMinorVersion", properties["autoUpgradeMinorVersion"]))
        before = repr(properties)
        properties.update({key: told[key] for key in PATCHABLE if key in told})
        if properties["autoUpgradeMinorVersion"]:
            properties["version"] = None
        merged = {**properties["configurationSettings"], **(told.get("configurationSettings") or {})}
        # assumed: a null takes the key away, as in JSON merge patches
        properties["configurationSettings"] = {key: value for key, value in merged.items() if value is not None}
        if "configurationProtectedSettings" in told:
            properties["configurationProtectedSettings"] = dict(told["configurationProtectedSettings"] or {})
        if repr(properties) == before:
            return Answer(200, await self.read(call, there))
        properties["provisioningState"] = "Updating"
        operation = call.azure.operations.start("Updating", lambda: _install(call, there, "Updating"))
        return Answer(202, await self.read(call, there), _headers(call, operation, location=True))

    async def delete(self, call: Call, there: Resource | None) -> Answer:
        if there is None:
            return Answer(204)
        if call.query.get("forceDelete", "").lower() == "true":
            call.azure.tree.remove(there["id"])
            return Answer(
                200,
                {
                    "version": "1.1",
                    "content": {"headers": []},
                    "statusCode": 200,
                    "reasonPhrase": "OK",
                    "headers": [],
                    "trailingHeaders": [],
                    "requestMessage": None,
                    "isSuccessStatusCode": True,
                },
            )
        there["properties"]["provisioningState"] = "Deleting"

        async def remove() -> None:
            await asyncio.sleep(call.azure.seconds)
            if (side := call.azure.cluster_of(there["id"])) and there["properties"]["extensionType"].lower() == AZUREML:
                await cluster_effects.uninstall(side)
            call.azure.tree.remove(there["id"])

        return Answer(202, None, _headers(call, call.azure.operations.start("Deleting", remove), location=False))

    async def read(self, call: Call, resource: Resource) -> Resource:
        properties = dict(resource["properties"])
        properties["configurationProtectedSettings"] = dict.fromkeys(properties["configurationProtectedSettings"], "")
        mode = properties.pop("autoUpgradeMode", None)
        if call.api_version >= SINCE_MODES:
            # assumed: how the mode follows from the older flag; details stand where somebody manages the extension
            derived = "compatible" if properties.get("autoUpgradeMinorVersion", True) else "none"
            properties.update(autoUpgradeMode=mode or derived, extensionState=None)
        return {**resource, "properties": properties}

    async def list(self, call: Call, found: list[Resource]) -> dict[str, Any]:
        return {**await super().list(call, found), "nextLink": None}

    async def action(self, call: Call, there: Resource, name: str) -> Answer:
        raise ArmError(404, "NotFound", f"An extension has no action '{name}'.", cause=None)

    def _refuse_second_of_type(self, call: Call, extension_type: str) -> None:
        for other in call.azure.tree.children(call.address.id.rsplit("/", 1)[0], self.type):
            same_type = other["properties"]["extensionType"].lower() == extension_type.lower()
            if same_type and other["name"].lower() != call.address.names[-1].lower():
                raise ArmError(
                    400,
                    "ValidationFailed",
                    "Multiple extensions of the same type are not allowed at this scope: "
                    f"'{other['name']}' is of type '{extension_type}' already.",
                    cause=None,
                )  # assumed wording


def _resource(call: Call, told: dict[str, Any], there: Resource | None) -> Resource:
    aks = "/managedclusters/" in call.address.id.lower()
    scope = told.get("scope") or {"cluster": {"releaseNamespace": "azureml"}}
    stamp = now()
    resource: Resource = {
        "id": call.address.id,
        "name": call.address.names[-1],
        "type": "Microsoft.KubernetesConfiguration/extensions",
        "properties": {
            "extensionType": told["extensionType"],
            "autoUpgradeMinorVersion": told.get("autoUpgradeMinorVersion", True),
            **({"autoUpgradeMode": told["autoUpgradeMode"]} if "autoUpgradeMode" in told else {}),
            "releaseTrain": told.get("releaseTrain") or "Stable",
            "version": told.get("version"),
            "currentVersion": None,
            "scope": scope,
            "provisioningState": "Creating",
            "configurationSettings": dict(told.get("configurationSettings") or {}),
            "configurationProtectedSettings": dict(told.get("configurationProtectedSettings") or {}),
            "statuses": [],
            "aksAssignedIdentity": None,
            "isSystemExtension": False,
        },
        "systemData": {
            "createdBy": None,
            "createdByType": None,
            "createdAt": there["systemData"]["createdAt"] if there else stamp,
            "lastModifiedBy": None,
            "lastModifiedByType": None,
            "lastModifiedAt": stamp,
        },
    }
    if not aks:
        resource["identity"] = {"type": "SystemAssigned", "principalId": str(uuid.uuid4())}
    return resource


async def _install(call: Call, resource: Resource, word: str) -> None:
    properties, seconds = resource["properties"], call.azure.seconds
    await asyncio.sleep(seconds / 3)
    cluster_id = resource["id"].rsplit("/providers/", 1)[0]
    error = install_failures.before_helm(call.azure.tree.get(cluster_id) or {}, properties)
    # As recorded: a version that was asked for stands there even if it could not be found.
    properties["currentVersion"] = properties["version"] or (properties["currentVersion"] if error else CURRENT_VERSION)
    if error is None:
        side, cluster = call.azure.cluster_of(resource["id"]), call.azure.described(resource["id"])
        if side and cluster and properties["extensionType"].lower() == AZUREML:
            hook = "pre-install" if word == "Creating" else "pre-upgrade"
            bags = (properties["configurationSettings"], properties["configurationProtectedSettings"])
            error = await _helm(Install(side, cluster, resource["name"], *bags, hook))
    await asyncio.sleep(seconds * 2 / 3)
    if properties["provisioningState"] != word:
        return
    if error:
        # As recorded: the state, and a status without a level; no errorInfo.
        status = dict.fromkeys(("code", "displayStatus", "level", "message", "time"))
        properties["statuses"] = [{**status, "code": "InstallationFailed", "message": error["message"]}]
        properties["provisioningState"] = "Failed"
        raise OperationFailed(**error)
    properties.update(provisioningState="Succeeded", statuses=[])


async def _helm(install: Install) -> dict[str, str] | None:
    """What Helm does; the error of the operation, None where all went well."""
    await cluster_effects.clear_away(install.side)
    if refused := await install_failures.in_helm(install):
        return failure_artifacts.helm_error(install, refused)
    if failed := await failure_artifacts.leave_report(install, await install_failures.in_health(install)):
        return failure_artifacts.helm_error(install, failed)
    if not await cluster_effects.install(install):
        # assumed: the pods of the failed attempt stand, because the agent tries again at once
        return failure_artifacts.helm_error(install, "timed out waiting for the condition")
    return None


def _headers(call: Call, operation: Running, location: bool) -> dict[str, str]:
    path = call.address.id.replace("/connectedClusters/", "/ConnectedClusters/").replace(
        "/managedClusters/", "/ManagedClusters/"
    )
    path = f"{path}/operations/{operation.id}"
    headers = {"Azure-AsyncOperation": polls.url(call, operation, path, f"api-Version={call.api_version}")}
    if location:
        # The service really names its own host here; whoever follows it sends a token to a stranger.
        headers["Location"] = f"https://eastus.rp.kubernetesconfiguration.invalid{path}"
    return headers


def _refuse_contradiction(told: dict[str, Any], auto_upgrade: bool) -> None:
    if told.get("version") and auto_upgrade:
        raise ArmError(
            400,
            "ExtensionAutoUpgradeCannotBeEnabled",
            "Auto upgrade of minor versions cannot be enabled when a version is given.",
            cause=None,
        )


def _busy(method: str, there: Resource) -> ArmError:
    state = there["properties"]["provisioningState"]
    return ArmError(
        409,
        f"Extension{method.capitalize()}Failed",
        f"The {method} method cannot be completed due to a conflict. "
        f"(ProvisioningState of extension: {state}). Please wait for a few minutes for the ProvisioningState to "
        "change to Succeeded, Failed or Canceled and retry again. If the problem persists, please contact Microsoft "
        "support.",
        cause=None,
        additionalInfo=[],
    )
