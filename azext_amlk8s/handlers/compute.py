"""az amlk8s compute"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from azext_amlk8s.handlers.aftermath import Scene
from azext_amlk8s.handlers.reporting import azure_errors, code_of, failure

# Microsoft.MachineLearningServices 2025-12-01 and later.
NAME = re.compile(r"^[a-zA-Z](?![a-zA-Z0-9-]*-\d+$)[a-zA-Z0-9\-]{2,23}$")
NAMESPACE = re.compile(r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
PROVIDERS = {
    "managedclusters": ("Microsoft.ContainerService", "managedClusters"),
    "connectedclusters": ("Microsoft.Kubernetes", "connectedClusters"),
}
SECRETS = ("relayConnectionString", "serviceBusConnectionString")


def attach(
    cmd: Any,
    resource_group_name: str,
    workspace_name: str,
    name: str,
    resource_id: str | None = None,
    cluster_name: str | None = None,
    cluster_type: str | None = None,
    compute_type: str | None = None,
    namespace: str | None = None,
    identity_type: str | None = None,
    user_assigned_identities: str | None = None,
    no_wait: bool = False,
) -> Any:
    """Check what would fail, attach the cluster, follow it. Returns the compute as ARM describes it."""
    from knack.log import get_logger

    from azext_amlk8s.arm import Arm, follow

    _refuse_words(name, compute_type, namespace, resource_id, cluster_name, cluster_type)
    identity = _identity(identity_type, user_assigned_identities)
    namespace = namespace or "default"
    with azure_errors():
        arm = Arm(cmd.cli_ctx)
        cluster_id = _cluster_id(arm, resource_group_name, resource_id, cluster_name, cluster_type)
        workspace, there = _facts(arm, resource_group_name, workspace_name, name, cluster_id)
        if there:
            _refuse_or_keep(there, cluster_id, namespace)
            get_logger(__name__).warning("%s is attached already; nothing was changed.", name)
            return _blanked(there)
        body = {
            "location": workspace["location"],
            **({"identity": identity} if identity else {}),
            "properties": {
                "computeType": "Kubernetes",
                "resourceId": cluster_id,
                "properties": {"namespace": namespace},
            },
        }
        operation = arm.begin_put_compute(resource_group_name, workspace_name, name, body)
        if no_wait:
            return _blanked(operation.started() or {})
        words = _words(resource_group_name, workspace_name, name)
        return _blanked(
            _followed(
                lambda: follow(
                    cmd, operation, f"Attaching {name} to {workspace_name}", f"az amlk8s compute wait {words} --created"
                ),
                f"Attaching {name}",
                words,
                Scene(arm, cluster_id, names={"WORKSPACE": workspace_name}),
            )
        )


def show(cmd: Any, resource_group_name: str, workspace_name: str, name: str) -> dict[str, Any]:
    """The compute as ARM describes it, its two connection strings blanked; exit code 3 when it is not there."""
    from azext_amlk8s.arm import Arm

    with azure_errors():
        arm = Arm(cmd.cli_ctx)
        try:
            return _blanked(arm.get_compute(resource_group_name, workspace_name, name))
        except _not_found() as error:
            raise _absent(error, resource_group_name, workspace_name, name) from error


def list_(cmd: Any, resource_group_name: str, workspace_name: str) -> list[dict[str, Any]]:
    """The Kubernetes computes of a workspace."""
    from azext_amlk8s.arm import Arm

    with azure_errors():
        try:
            found = Arm(cmd.cli_ctx).list_computes(resource_group_name, workspace_name)
        except _not_found() as error:
            raise _absent(error, resource_group_name, workspace_name) from error
    return [
        _blanked(one) for one in found if str((one.get("properties") or {}).get("computeType")).lower() == "kubernetes"
    ]


def detach(cmd: Any, resource_group_name: str, workspace_name: str, name: str, no_wait: bool = False) -> None:
    """Detach and follow it; a compute that is not there leaves nothing to do."""
    from knack.log import get_logger

    from azext_amlk8s.arm import Arm, follow

    with azure_errors():
        arm = Arm(cmd.cli_ctx)
        try:
            arm.get_compute(resource_group_name, workspace_name, name)
        except _not_found() as error:
            if code_of(error) == "ResourceGroupNotFound" or not _workspace_there(
                arm, resource_group_name, workspace_name
            ):
                raise _absent(error, resource_group_name, workspace_name) from error
            get_logger(__name__).warning("There is no compute %s in %s: nothing to detach.", name, workspace_name)
            return
        operation = arm.begin_detach_compute(resource_group_name, workspace_name, name)
        if not no_wait:
            words = _words(resource_group_name, workspace_name, name)
            _followed(
                lambda: follow(
                    cmd,
                    operation,
                    f"Detaching {name} from {workspace_name}",
                    f"az amlk8s compute wait {words} --deleted",
                ),
                f"Detaching {name}",
                words,
            )


def _refuse_words(
    name: str,
    compute_type: str | None,
    namespace: str | None,
    resource_id: str | None,
    cluster_name: str | None,
    cluster_type: str | None,
) -> None:
    from azure.cli.core.azclierror import (
        InvalidArgumentValueError,
        MutuallyExclusiveArgumentError,
        RequiredArgumentMissingError,
    )

    if compute_type and compute_type.lower() != "kubernetes":
        raise InvalidArgumentValueError(
            f"The type {compute_type} cannot be attached here.", recommendation="--type Kubernetes"
        )
    if not NAME.match(name):
        raise InvalidArgumentValueError(
            f"{name} is not a name that Azure takes for a compute: 3 to 24 letters, digits and hyphens, a "
            "letter first, and not ending in a hyphen and digits.",
            recommendation="--name k8s-compute",
        )
    if namespace and not NAMESPACE.match(namespace):
        raise InvalidArgumentValueError(
            f"{namespace} is not a name that Kubernetes takes for a namespace: lower-case letters, digits "
            "and hyphens, at most 63.",
            recommendation="--namespace default",
        )
    if resource_id and cluster_name:
        raise MutuallyExclusiveArgumentError("The cluster is given twice: by --resource-id and by --cluster-name.")
    if not resource_id and not (cluster_name and cluster_type):
        raise RequiredArgumentMissingError(
            "The cluster must be given, by --resource-id or by --cluster-name and --cluster-type.",
            recommendation="--cluster-name NAME --cluster-type managedClusters",
        )


def _cluster_id(
    arm: Any, group: str, resource_id: str | None, cluster_name: str | None, cluster_type: str | None
) -> str:
    from azure.cli.core.azclierror import InvalidArgumentValueError
    from azure.mgmt.core.tools import parse_resource_id
    from knack.log import get_logger

    if not resource_id:
        return str(arm.cluster_id(group, cluster_type, cluster_name))
    parts: dict[str, Any] = dict(parse_resource_id("/" + resource_id.strip().strip("/")))
    right = PROVIDERS.get(str(parts.get("type", "")).lower())
    if right is None or not parts.get("name") or not parts.get("resource_group") or parts.get("child_name_1"):
        raise InvalidArgumentValueError(
            f"{resource_id} is not the resource ID of an AKS or Arc-connected cluster.",
            recommendation="--cluster-name NAME --cluster-type managedClusters",
        )
    provider, kind = right
    if parts["namespace"].lower() != provider.lower():
        get_logger(__name__).warning(
            "The resource ID names the provider %s; %s belong to %s, which is taken.",
            parts["namespace"],
            kind,
            provider,
        )
    if parts["subscription"].lower() != arm.subscription_id.lower():
        raise InvalidArgumentValueError(
            "The cluster lies in another subscription than the workspace; such an attachment does not end well.",
            recommendation=f"az account set --subscription {parts['subscription']}",
        )
    group = f"/subscriptions/{parts['subscription']}/resourceGroups/{parts['resource_group']}"
    return f"{group}/providers/{provider}/{kind}/{parts['name']}"


def _identity(kind: str | None, identities: str | None) -> dict[str, Any] | None:
    from azure.cli.core.azclierror import MutuallyExclusiveArgumentError, RequiredArgumentMissingError
    from knack.log import get_logger

    given = [word.strip() for word in (identities or "").split(",") if word.strip()]
    if given and kind and kind.lower() == "systemassigned":
        raise MutuallyExclusiveArgumentError(
            "A system-assigned identity excludes user-assigned ones.", recommendation="--identity-type UserAssigned"
        )
    if not given and kind and kind.lower() == "userassigned":
        raise RequiredArgumentMissingError(
            "--identity-type UserAssigned needs --user-assigned-identities.",
            recommendation="--user-assigned-identities $(az identity show -g GROUP -n NAME --query id -o tsv)",
        )
    if not given:
        return {"type": "SystemAssigned"} if kind else None
    if len(given) > 1:
        get_logger(__name__).warning("Of several identities only the first can be used: %s", given[0])
    return {"type": "UserAssigned", "userAssignedIdentities": {"/" + given[0].strip("/"): {}}}


def _facts(
    arm: Any, group: str, workspace: str, name: str, cluster_id: str
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The workspace, and the compute of this name if there is one; the cluster and its extension are seen to beside."""
    from concurrent.futures import ThreadPoolExecutor

    from azext_amlk8s.handlers import extension

    parts = cluster_id.split("/")
    with ThreadPoolExecutor(3) as pool:
        of_workspace = pool.submit(arm.get_workspace, group, workspace)
        of_compute = pool.submit(arm.get_compute, group, workspace, name)
        of_cluster = pool.submit(extension.facts, arm, parts[4], parts[7], parts[8])
        try:
            found = of_workspace.result()
        except _not_found() as error:
            raise _absent(error, group, workspace) from error
        _, extensions = of_cluster.result()
        try:
            there = of_compute.result()
        except _not_found():
            there = None
    if there is None:
        _refuse_without_extension(extensions, parts[4], parts[7], parts[8])
    return found, there


def _refuse_without_extension(extensions: list[dict[str, Any]], group: str, cluster_type: str, cluster: str) -> None:
    from azure.cli.core.azclierror import ValidationError

    from azext_amlk8s.handlers import extension

    words = extension.options(group, cluster_type, cluster)
    ours = extension.ours(extensions)
    if not ours:
        raise ValidationError(
            f"{cluster} does not have the extension, which comes before the attachment.",
            recommendation=f"az amlk8s extension create {words} -n azureml-extension --config enableTraining=True",
        )
    one = ours[0]
    state = one["properties"].get("provisioningState")
    if state != "Succeeded":
        raise ValidationError(
            f"The extension {one['name']} on {cluster} is {state}; it must be Succeeded before the attachment.",
            recommendation=f"az amlk8s extension wait {words} -n {one['name']} --created",
        )


def _refuse_or_keep(there: Mapping[str, Any], cluster_id: str, namespace: str) -> None:
    """A PUT would overwrite what is there beyond recovery, so anything but the same is refused."""
    from azure.cli.core.azclierror import ValidationError

    outer = there.get("properties") or {}
    held = str(outer.get("resourceId") or "")
    in_namespace = (outer.get("properties") or {}).get("namespace")
    state = outer.get("provisioningState")
    if held.lower() == cluster_id.lower() and in_namespace == namespace and state == "Succeeded":
        return
    raise ValidationError(
        f"A compute {there.get('name')} is there already ({state}): cluster {held.rsplit('/', 1)[-1]}, namespace "
        f"{in_namespace}. Attaching would overwrite it.",
        recommendation=["Choose another --name.", f"az amlk8s compute detach --name {there.get('name')} …   # first"],
    )


def _followed(wait: Any, what: str, words: str, scene: Scene | None = None) -> Any:
    from azure.core.exceptions import HttpResponseError

    try:
        return wait()
    except HttpResponseError as error:
        raise failure(what, error, (), [f"az amlk8s compute show {words}"], scene) from error


def _blanked(compute: Mapping[str, Any]) -> dict[str, Any]:
    outer = compute.get("properties")
    inner = (outer or {}).get("properties")
    if not inner or not any(inner.get(key) for key in SECRETS):
        return dict(compute)
    blank = {key: "" for key in SECRETS if inner.get(key)}
    return {**compute, "properties": {**outer, "properties": {**inner, **blank}}}  # type: ignore[dict-item]


def _workspace_there(arm: Any, group: str, workspace: str) -> bool:
    try:
        arm.get_workspace(group, workspace)
    except _not_found():
        return False
    return True


def _absent(error: Any, group: str, workspace: str, name: str = "") -> Exception:
    from azure.cli.core.azclierror import ResourceNotFoundError

    if code_of(error) == "ResourceGroupNotFound":
        return ResourceNotFoundError(
            f"There is no resource group {group} in this subscription.", recommendation="az group list -o table"
        )
    if name:
        return ResourceNotFoundError(
            f"There is no compute {name} in {workspace} of resource group {group}.",
            recommendation=f"az amlk8s compute list {_words(group, workspace)} -o table",
        )
    return ResourceNotFoundError(
        f"There is no workspace {workspace} in resource group {group}.",
        recommendation=(
            f"az resource list -g {group} --resource-type Microsoft.MachineLearningServices/workspaces -o table"
        ),
    )


def _not_found() -> Any:
    from azure.core.exceptions import ResourceNotFoundError

    return ResourceNotFoundError


def _words(group: str, workspace: str, name: str = "") -> str:
    return " ".join(shlex.quote(word) for word in ["-g", group, "-w", workspace, *(["-n", name] if name else [])])
