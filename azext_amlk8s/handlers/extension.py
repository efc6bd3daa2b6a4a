"""az amlk8s extension"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from azext_amlk8s.handlers.aftermath import Scene
from azext_amlk8s.handlers.reporting import azure_errors, code_of, failure, refuse_on_errors

NAME = re.compile(r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$")
GUIDE = "https://aka.ms/arcmltsg"
OTHER_TYPE = {"managedclusters": "connectedClusters", "connectedclusters": "managedClusters"}


def create(
    cmd: Any,
    resource_group_name: str,
    cluster_name: str,
    cluster_type: str,
    name: str,
    config: Sequence[str] | None = None,
    config_protected: Sequence[str] | None = None,
    scope: str | None = None,
    extension_type: str | None = None,
    release_train: str | None = None,
    version: str | None = None,
    auto_upgrade: bool | None = None,
    no_wait: bool = False,
) -> Any:
    """Judge the settings, ask Azure for facts, send the plan, follow it. Returns the extension as ARM describes it."""
    from azext_amlk8s.arm import Arm, follow
    from azext_amlk8s.settings import judge, judge_version, plan_create, read_settings

    _refuse_other_kinds(name, scope, extension_type)
    settings, of_words = read_settings(config or (), config_protected or ())
    settings, of_files = _with_files(settings)
    refuse_on_errors(of_words, judge(settings), of_files, judge_version(version, auto_upgrade))
    with azure_errors():
        arm = Arm(cmd.cli_ctx)
        cluster, there = facts(arm, resource_group_name, cluster_type, cluster_name)
        _refuse_what_is_there(there, name, options(resource_group_name, cluster_type, cluster_name))
        body = plan_create(
            settings,
            _cluster_facts(cluster, cluster_type),
            release_train=release_train,
            version=version,
            auto_upgrade=auto_upgrade,
        )
        operation = arm.begin_create_extension(resource_group_name, cluster_type, cluster_name, name, body)
        if no_wait:
            return operation.started()
        words = options(resource_group_name, cluster_type, cluster_name, name)
        return _followed(
            lambda: follow(
                cmd, operation, f"Installing {name} on {cluster_name}", f"az amlk8s extension wait {words} --created"
            ),
            arm,
            (resource_group_name, cluster_type, cluster_name, name),
            f"The installation of {name}",
            words,
            "create",
        )


def show(cmd: Any, resource_group_name: str, cluster_name: str, cluster_type: str, name: str) -> dict[str, Any]:
    """The extension as ARM describes it; exit code 3 when it is not there."""
    from azext_amlk8s.arm import Arm

    with azure_errors():
        arm = Arm(cmd.cli_ctx)
        try:
            return arm.get_extension(resource_group_name, cluster_type, cluster_name, name)
        except _not_found() as error:
            raise _absent(error, arm, resource_group_name, cluster_type, cluster_name, name) from error


def list_(cmd: Any, resource_group_name: str, cluster_name: str, cluster_type: str) -> list[dict[str, Any]]:
    """The extensions of our type on a cluster."""
    from azext_amlk8s.arm import Arm

    with azure_errors():
        arm = Arm(cmd.cli_ctx)
        try:
            return ours(arm.list_extensions(resource_group_name, cluster_type, cluster_name))
        except _not_found() as error:
            raise _absent(error, arm, resource_group_name, cluster_type, cluster_name) from error


def delete(
    cmd: Any, resource_group_name: str, cluster_name: str, cluster_type: str, name: str, no_wait: bool = False
) -> None:
    """Remove the extension and follow it; only a true 404 counts as nothing to do."""
    from knack.log import get_logger

    from azext_amlk8s.arm import Arm, follow

    with azure_errors():
        arm = Arm(cmd.cli_ctx)
        try:
            arm.get_extension(resource_group_name, cluster_type, cluster_name, name)
        except _not_found() as error:
            if not _is_of_extension(error):
                raise _absent(error, arm, resource_group_name, cluster_type, cluster_name, name) from error
            get_logger(__name__).warning("There is no extension %s on %s: nothing to delete.", name, cluster_name)
            return
        operation = arm.begin_delete_extension(resource_group_name, cluster_type, cluster_name, name)
        if not no_wait:
            words = options(resource_group_name, cluster_type, cluster_name, name)
            _followed(
                lambda: follow(
                    cmd,
                    operation,
                    f"Removing {name} from {cluster_name}",
                    f"az amlk8s extension wait {words} --deleted",
                ),
                arm,
                (resource_group_name, cluster_type, cluster_name, name),
                f"The removal of {name}",
                words,
                "delete",
            )


def _refuse_other_kinds(name: str, scope: str | None, extension_type: str | None) -> None:
    from azure.cli.core.azclierror import InvalidArgumentValueError

    from azext_amlk8s.settings import EXTENSION_TYPE

    if not NAME.match(name):
        raise InvalidArgumentValueError(
            f"{name} is not a name that Azure takes for an extension: letters, digits, - and dots, at most 63.",
            recommendation="--name azureml-extension",
        )
    if scope and scope.lower() != "cluster":
        raise InvalidArgumentValueError(
            f"The scope {scope} is not possible: the extension is installed for the cluster.",
            recommendation="--scope cluster",
        )
    if extension_type and extension_type.lower() != EXTENSION_TYPE:
        raise InvalidArgumentValueError(
            f"The extension type {extension_type} is not ours.",
            recommendation=[
                "--extension-type Microsoft.AzureML.Kubernetes",
                f"az k8s-extension create --extension-type {shlex.quote(extension_type)}",
            ],
        )


def _with_files(settings: Any) -> tuple[Any, list[Any]]:
    from pathlib import Path

    from azext_amlk8s.findings import Finding, Severity
    from azext_amlk8s.settings import file_settings, with_file_contents

    contents, findings = {}, []
    for key, path in file_settings(settings).items():
        try:
            contents[key] = Path(path).expanduser().read_bytes()
        except OSError as error:
            findings.append(
                Finding(
                    "T100",
                    Severity.ERROR,
                    key,
                    f"The file {path} of {key} cannot be read: {error.strerror}.",
                    fix=f"--config-protected {key}=PATH",
                )
            )
    if findings:
        return settings, findings
    settings, found = with_file_contents(settings, contents)
    return settings, list(found)


def facts(arm: Any, group: str, cluster_type: str, cluster: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The cluster and the extensions on it, asked for side by side."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        of_cluster = pool.submit(arm.get_cluster, group, cluster_type, cluster)
        of_extensions = pool.submit(arm.list_extensions, group, cluster_type, cluster)
        try:
            return of_cluster.result(), of_extensions.result()
        except _not_found() as error:
            raise _absent(error, arm, group, cluster_type, cluster) from error


def _cluster_facts(cluster: Mapping[str, Any], cluster_type: str) -> Any:
    from azext_amlk8s.settings import ClusterFacts

    properties = cluster.get("properties") or {}
    pools = properties.get("agentPoolProfiles")
    count = sum(pool.get("count") or 0 for pool in pools) if pools is not None else properties.get("totalNodeCount")
    return ClusterFacts(
        cluster_type, cluster["id"], cluster["name"], cluster["location"], count, properties.get("distribution")
    )


def _refuse_what_is_there(extensions: list[dict[str, Any]], name: str, words: str) -> None:
    from azure.cli.core.azclierror import ValidationError

    for one in ours(extensions):
        state = one["properties"].get("provisioningState")
        other = one["name"]
        if other.lower() != name.lower():
            raise ValidationError(
                f"The cluster has the extension already, under the name {other} ({state}); it can have one only.",
                recommendation=f"az amlk8s extension show {words} --name {other}",
            )
        if state in ("Creating", "Updating", "Deleting"):
            done = "deleted" if state == "Deleting" else "created"
            raise ValidationError(
                f"The extension {other} is {state} at this moment.",
                recommendation=f"az amlk8s extension wait {words} --name {other} --{done}",
            )


def ours(extensions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    from azext_amlk8s.settings import EXTENSION_TYPE

    return [
        one for one in extensions if str((one.get("properties") or {}).get("extensionType")).lower() == EXTENSION_TYPE
    ]


def _followed(wait: Any, arm: Any, where: tuple[str, str, str, str], what: str, words: str, operation: str) -> Any:
    from azure.core.exceptions import HttpResponseError

    try:
        return wait()
    except HttpResponseError as error:
        more: list[str] = []
        try:
            statuses = arm.get_extension(*where)["properties"].get("statuses") or []
            more = [
                f"({one.get('code')}) {' '.join((one.get('message') or '').split())}"
                for one in statuses
                if one.get("message")
            ]
        except HttpResponseError:
            pass
        scene = Scene(arm, arm.cluster_id(*where[:3]), operation, {"NAME": where[3]})
        raise failure(what, error, more, [f"az amlk8s extension show {words}", GUIDE], scene) from error


def _absent(error: Any, arm: Any, group: str, cluster_type: str, cluster: str, name: str = "") -> Exception:
    from azure.cli.core.azclierror import ResourceNotFoundError
    from azure.core.exceptions import HttpResponseError

    if code_of(error) == "ResourceGroupNotFound":
        return ResourceNotFoundError(
            f"There is no resource group {group} in this subscription.", recommendation="az group list -o table"
        )
    if name and _is_of_extension(error):
        return ResourceNotFoundError(
            f"There is no extension {name} on {cluster}.",
            recommendation=f"az amlk8s extension list {options(group, cluster_type, cluster)} -o table",
        )
    other = OTHER_TYPE[cluster_type.lower()]
    try:
        arm.get_cluster(group, other, cluster)
        return ResourceNotFoundError(
            f"{cluster} is not of type {cluster_type} but of type {other}.", recommendation=f"--cluster-type {other}"
        )
    except HttpResponseError:
        listing = (
            "az aks list"
            if other == "connectedClusters"
            else "az resource list --resource-type Microsoft.Kubernetes/connectedClusters"
        )
        return ResourceNotFoundError(
            f"There is no cluster {cluster} of type {cluster_type} in resource group {group}.",
            recommendation=f"{listing} -g {group} -o table",
        )


def _is_of_extension(error: Any) -> bool:
    """The resource provider's own 404; ARM's gateway answers for cluster and group (field guide arm-protocol, 1)."""
    return not error.response.headers.get("x-ms-failure-cause")


def _not_found() -> Any:
    from azure.core.exceptions import ResourceNotFoundError

    return ResourceNotFoundError


def options(group: str, cluster_type: str, cluster: str, name: str = "") -> str:
    words = ["-g", group, "-c", cluster, "-t", cluster_type, *(["-n", name] if name else [])]
    return " ".join(shlex.quote(word) for word in words)
