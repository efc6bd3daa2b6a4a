"""What one cluster must have, in the form in which the operations of other commands take it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from azext_amlk8s.computes import RoleNeeded, parse_identity
from azext_amlk8s.computes.model import AttachRequest
from azext_amlk8s.console.errors import raise_for_errors
from azext_amlk8s.refs import ComputeRef
from azext_amlk8s.rules import Finding
from azext_amlk8s.setup_files import OWNER_TAG, ClusterSetup
from azext_amlk8s.setup_files.model import DEFAULT_NAMESPACE
from azext_amlk8s.setup_files.ownership import applyset_id, owner_labels, owner_of
from azext_amlk8s.setup_files.plan import CREATE, Change, ResourcePlan

if TYPE_CHECKING:
    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.instance_types.model import InstanceType
    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.operations.cluster_options import ClusterSession
    from azext_amlk8s.operations.compute_attach import AttachOptions

Resource = Mapping[str, Any]
# What `compute attach` reports about roles; with roles: skip it is left out.
ROLE_RULE = "C121"
ROLE_ASSIGNMENT = "role assignment"


def namespaces_of(cluster_setup: ClusterSetup) -> list[str]:
    """The namespaces that a cluster must have, that of its compute included."""
    own = (
        [cluster_setup.compute_namespace]
        if cluster_setup.compute_name and cluster_setup.compute_namespace != DEFAULT_NAMESPACE
        else []
    )
    return list(dict.fromkeys([*cluster_setup.namespaces, *own]))


def attach_request(cluster_setup: ClusterSetup) -> AttachRequest:
    """The compute of a cluster as a request; its tags name the setup. Raises ValidationError for its identity."""
    assert cluster_setup.workspace is not None
    part = cluster_setup.compute or {}
    identity_part = part.get("identity") or {}
    kind = {"system_assigned": "SystemAssigned", "user_assigned": "UserAssigned"}.get(str(identity_part.get("type")))
    ids = [str(item["resource_id"]) for item in identity_part.get("user_assigned_identities") or ()]
    identity, findings = parse_identity(kind, " ".join(ids))
    raise_for_errors(findings)
    return AttachRequest(
        ComputeRef(cluster_setup.workspace, cluster_setup.compute_name),
        cluster_setup.cluster,
        cluster_setup.compute_namespace,
        identity,
        {**(part.get("tags") or {}), OWNER_TAG: cluster_setup.setup},
        part.get("description"),
        str(part.get("workload") or ""),
        context=cluster_setup.context,
    )


def attach_options(cluster_setup: ClusterSetup, *, checked: bool = False) -> AttachOptions:
    """How the compute of a cluster is attached; checked: its plan is recent."""
    from azext_amlk8s.operations.compute_attach import AttachOptions

    skip = (ROLE_RULE,) if cluster_setup.roles == "skip" else ()
    return AttachOptions(assign_roles=cluster_setup.roles == "ensure", yes=True, skip_checks=skip, checked=checked)


def role_plan(role: RoleNeeded) -> ResourcePlan:
    """The plan to assign a role to the identity of the workspace."""
    return ResourcePlan(ROLE_ASSIGNMENT, f"{role.role} on {role.scope_name}", CREATE)


def changed_tags(cluster_setup: ClusterSetup, compute: Resource) -> list[Change]:
    """The tags of the file that an existing compute lacks, or has with another value."""
    existing, wanted = compute.get("tags") or {}, (cluster_setup.compute or {}).get("tags") or {}
    return [
        Change(f"tags.{key}", existing.get(key), str(value))
        for key, value in wanted.items()
        if existing.get(key) != str(value)
    ]


def deployed_extension(client: AzureClient, cluster_setup: ClusterSetup) -> dict[str, Any] | None:
    """The extension that the cluster has, by its name in the file if that has one, or None. Raises for several."""
    from azext_amlk8s.operations.extension_common import find_extension_of_cluster, read_cluster

    cluster = cluster_setup.cluster
    name = (cluster_setup.extension or {}).get("name")
    return find_extension_of_cluster(read_cluster(client, cluster)[1], cluster, name)


def read_types(cluster_setup: ClusterSetup, client: AzureClient, connection: Cluster | None) -> list[InstanceType]:
    """The instance types of a cluster; those from nodes only with a connection. Raises ValidationError."""
    from azext_amlk8s.instance_types.documents import read_texts
    from azext_amlk8s.instance_types.rules import read_object
    from azext_amlk8s.instance_types.yaml_documents import Document
    from azext_amlk8s.operations.cluster_options import ClusterOptions, ClusterSession
    from azext_amlk8s.operations.input_files import texts
    from azext_amlk8s.operations.instance_type_apply import types_from_nodes

    documents: list[Any] = []
    types: list[InstanceType] = []
    findings: list[Finding] = []
    for item in cluster_setup.instance_types:
        if isinstance(item, Mapping) and "file" in item:
            documents += texts([str(item["file"])])
        elif isinstance(item, Document):
            instance_type, found = read_object(item)
            types += [instance_type] if instance_type else []
            findings += found
        elif connection is not None:
            shares = item.get("from_nodes") if isinstance(item, Mapping) else None
            options = ClusterOptions(
                cluster_name=cluster_setup.cluster.name,
                cluster_type=cluster_setup.cluster.type,
                resource_group_name=cluster_setup.cluster.resource_group,
            )
            proposed = types_from_nodes(ClusterSession(connection, "", client, cluster_setup.cluster), options, shares)
            # A type that exists is kept, since a proposal changes with the pods that are running.
            existing = _existing_types(connection)
            types += [existing.get(instance_type.name, instance_type) for instance_type in proposed]
    read, more = read_texts(documents)
    raise_for_errors(findings, more)
    owner = owner_labels(cluster_setup.setup)
    return [dataclasses.replace(each, labels={**each.labels, **owner}) for each in (*read, *types)]


def apply_own_types(
    session: ClusterSession, cluster_setup: ClusterSetup, types: Iterable[InstanceType], *, dry_run: bool
) -> list[dict[str, Any]]:
    """What `instance-type apply` returns for each type; changes that others made to types of the setup are undone.

    Raises NoInstanceTypes.
    """
    from azext_amlk8s.operations.instance_type_apply import apply_types

    before = {str(obj["metadata"]["name"]): obj for obj in session.cluster.list_instance_types()}
    owner = applyset_id(cluster_setup.setup)
    owned = [name for name, obj in before.items() if owner_of(obj) == owner]
    return apply_types(session, types, before, dry_run=dry_run, force=False, owned=owned)


def _existing_types(connection: Cluster) -> Mapping[str, InstanceType]:
    """The instance types of a cluster by name; none where it has no definition of them yet."""
    from azext_amlk8s.instance_types.model import types_of_objects
    from azext_amlk8s.kubernetes import NoInstanceTypes

    try:
        return types_of_objects(connection.list_instance_types())
    except NoInstanceTypes:
        return {}
