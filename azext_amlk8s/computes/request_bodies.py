"""The bodies that are sent for a compute, and the command that would send them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from azext_amlk8s.compute_view import properties_of
from azext_amlk8s.computes.identities import identity_args, same_identity, sendable_identity
from azext_amlk8s.computes.model import AttachRequest, Resource, cluster_id_of, inner_properties, namespace_of
from azext_amlk8s.refs import ClusterRef, ComputeRef
from azext_amlk8s.shell import join

# What a PUT over an existing compute repeats; everything else is the service's own.
REPEATED = ("computeType", "resourceId", "description", "disableLocalAuth")
REPEATED_INNER = ("namespace", "defaultInstanceType", "instanceTypes")


def build_attach_body(request: AttachRequest, workspace: Resource) -> dict[str, Any]:
    """The body of the PUT that attaches; the location is the workspace's.

    https://learn.microsoft.com/rest/api/azureml/compute/create-or-update
    """
    properties: dict[str, Any] = {
        "computeType": "Kubernetes",
        "resourceId": request.cluster.id,
        "properties": {"namespace": request.namespace},
    }
    if request.description is not None:
        properties["description"] = request.description
    if request.disable_local_auth is not None:
        properties["disableLocalAuth"] = request.disable_local_auth
    body: dict[str, Any] = {"location": workspace["location"], "properties": properties}
    if request.identity:
        body["identity"] = request.identity
    if request.tags is not None:
        body["tags"] = dict(request.tags)
    return body


def keep_existing(request: AttachRequest, compute: Resource, *, namespace: bool) -> AttachRequest:
    """The request, completed with what the existing compute has where nothing was given; namespace: that one too.

    Endpoints find a compute again by its name and namespace.
    """
    properties = properties_of(compute)
    return replace(
        request,
        namespace=namespace_of(compute) if namespace else request.namespace,
        identity=request.identity if request.identity is not None else sendable_identity(compute.get("identity")),
        tags=request.tags if request.tags is not None else compute.get("tags") or None,
        description=request.description if request.description is not None else properties.get("description"),
        disable_local_auth=properties.get("disableLocalAuth") or None,
    )


def build_update_body(
    compute: Resource, identity: Resource | None, tags: Mapping[str, str] | None
) -> dict[str, Any] | None:
    """The compute as it is, with the change; None where nothing changes. Nothing that can be sent is left out."""
    if (identity is None or same_identity(identity, compute.get("identity"))) and (
        tags is None or dict(tags) == (compute.get("tags") or {})
    ):
        return None
    properties, inner = properties_of(compute), inner_properties(compute)
    body: dict[str, Any] = {
        "location": compute.get("location"),
        "tags": dict(tags) if tags is not None else compute.get("tags") or {},
        "properties": {
            **{key: properties[key] for key in REPEATED if properties.get(key) is not None},
            "properties": {key: inner[key] for key in REPEATED_INNER if inner.get(key)},
        },
    }
    sent = identity if identity is not None else sendable_identity(compute.get("identity"))
    return {**body, "identity": sent} if sent else body


def attach_command(request: AttachRequest, *options: str) -> str:
    """The complete command that attaches it, quoted; options are added at its end."""
    args = ["--resource-id", request.cluster.id, "--namespace", request.namespace, *identity_args(request.identity)]
    if request.description:
        args += ["--description", request.description]
    args += _tags_args(request.tags)
    return f"az amlk8s compute attach {request.compute.cli_args} {join([*args, *options])}"


def replace_command(
    ref: ComputeRef,
    compute: Resource,
    *,
    cluster: ClusterRef | None = None,
    namespace: str = "",
    identity: Resource | None = None,
    tags: Mapping[str, str] | None = None,
) -> str:
    """The complete command that detaches a compute and attaches it again with these changes, quoted."""
    cluster_id = cluster.id if cluster else cluster_id_of(compute)
    args = ["--resource-id", cluster_id, "--namespace", namespace or namespace_of(compute)]
    args += [*identity_args(identity), *_tags_args(tags), "--replace"]
    return f"az amlk8s compute attach {ref.cli_args} {join(args)}"


def _tags_args(tags: Mapping[str, str] | None) -> list[str]:
    return ["--tags", *(f"{key}={value}" for key, value in tags.items())] if tags else []
