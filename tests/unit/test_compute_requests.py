"""What is sent for a compute, and the commands that would send it: bodies, identities, options."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from azext_amlk8s.computes.identities import describe_identity, identity_args, same_identity, sendable_identity
from azext_amlk8s.computes.model import AttachRequest, cluster_id_of, find_compute, namespace_of, state_of
from azext_amlk8s.computes.request_bodies import (
    attach_command,
    build_attach_body,
    build_update_body,
    keep_existing,
    replace_command,
)
from azext_amlk8s.refs import ClusterRef, ComputeRef, WorkspaceRef

SUB = "33333333-dddd-4eee-8fff-444444444444"
COMPUTE = ComputeRef(WorkspaceRef(SUB, "g", "w"), "k8s")
AKS, ARC = ClusterRef(SUB, "g", "managedClusters", "c"), ClusterRef(SUB, "g", "connectedClusters", "c")
REQUEST = AttachRequest(COMPUTE, AKS, "ml", None)
WORKSPACE = {"location": "westeurope"}
BARE = {"computeType": "Kubernetes", "resourceId": AKS.id, "properties": {"namespace": "ml"}}
SYSTEM, USER_ID = {"type": "SystemAssigned"}, "/subscriptions/s/i"
USER = {"type": "UserAssigned", "userAssignedIdentities": {USER_ID: {}}}
REPORTED = {"type": "UserAssigned", "userAssignedIdentities": {USER_ID: {"principalId": "p"}}}
EXISTING: dict[str, Any] = {
    "location": "eastus",
    "tags": {"team": "a"},
    "identity": REPORTED,
    "properties": {
        "computeType": "Kubernetes",
        "resourceId": ARC.id,
        "description": "old",
        "disableLocalAuth": True,
        "provisioningState": "Succeeded",
        "properties": {"namespace": "jobs", "defaultInstanceType": "d", "instanceTypes": {"d": {}}, "vcName": "v"},
    },
}

BODIES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the least": ({}, {"location": "westeurope", "properties": BARE}),
    "a description": ({"description": ""}, {"location": "westeurope", "properties": {**BARE, "description": ""}}),
    "an identity": ({"identity": SYSTEM}, {"location": "westeurope", "properties": BARE, "identity": SYSTEM}),
    "no tags": ({"tags": {}}, {"location": "westeurope", "properties": BARE, "tags": {}}),
    "local authentication": (
        {"disable_local_auth": False},
        {"location": "westeurope", "properties": {**BARE, "disableLocalAuth": False}},
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_body_of_an_attachment(name: str) -> None:
    changes, body = BODIES[name]
    assert build_attach_body(replace(REQUEST, **changes), WORKSPACE) == body


def test_a_replacement_keeps_what_is_not_given() -> None:
    kept = keep_existing(REQUEST, EXISTING, namespace=True)
    assert (kept.namespace, kept.identity, kept.tags) == ("jobs", USER, {"team": "a"})
    assert (kept.description, kept.disable_local_auth, kept.cluster) == ("old", True, AKS)
    given = replace(REQUEST, identity=SYSTEM, tags={}, description="new")
    assert keep_existing(given, EXISTING, namespace=False) == replace(given, disable_local_auth=True)
    assert keep_existing(REQUEST, {}, namespace=False) == REQUEST


UPDATES: dict[str, tuple[Any, Any, dict[str, Any] | None]] = {
    "nothing": (None, None, None),
    "the same identity": ({"type": "userAssigned", "userAssignedIdentities": {USER_ID.upper(): {}}}, None, None),
    "the same tags": (None, {"team": "a"}, None),
    "the same of both": (USER, {"team": "a"}, None),
    "tags": (None, {"team": "b"}, {"tags": {"team": "b"}, "identity": USER}),
    "no tags": (None, {}, {"tags": {}, "identity": USER}),
    "an identity": (SYSTEM, None, {"tags": {"team": "a"}, "identity": SYSTEM}),
    "an identity and the same tags": (SYSTEM, {"team": "a"}, {"tags": {"team": "a"}, "identity": SYSTEM}),
}


@pytest.mark.parametrize("name", UPDATES)
def test_body_of_an_update(name: str) -> None:
    identity, tags, changed = UPDATES[name]
    inner = {"namespace": "jobs", "defaultInstanceType": "d", "instanceTypes": {"d": {}}}
    repeated = {"computeType": "Kubernetes", "resourceId": ARC.id, "description": "old", "disableLocalAuth": True}
    same = {"location": "eastus", "properties": {**repeated, "properties": inner}}
    assert build_update_body(EXISTING, identity, tags) == (changed and {**same, **changed})


def test_body_of_an_update_of_a_bare_compute() -> None:
    assert build_update_body({"location": "eastus"}, None, {}) is None
    body = {"location": "eastus", "tags": {}, "properties": {"properties": {}}, "identity": SYSTEM}
    assert build_update_body({"location": "eastus"}, SYSTEM, None) == body
    assert "identity" not in (build_update_body({"location": "eastus"}, None, {"a": "b"}) or {})


ATTACH = f"az amlk8s compute attach {COMPUTE.cli_args}"
COMMANDS: dict[str, tuple[str, str]] = {
    "of a request": (
        attach_command(replace(REQUEST, description="my own", identity=USER, tags={"a": "b"}), "--yes"),
        f"--resource-id {AKS.id} --namespace ml --identity-type UserAssigned --user-assigned-identities {USER_ID} "
        "--description 'my own' --tags a=b --yes",
    ),
    "of the least request": (attach_command(REQUEST), f"--resource-id {AKS.id} --namespace ml"),
    "of a replacement as it is": (
        replace_command(COMPUTE, EXISTING),
        f"--resource-id {ARC.id} --namespace jobs --replace",
    ),
    "of a replacement with changes": (
        replace_command(COMPUTE, EXISTING, cluster=AKS, namespace="ml", identity=SYSTEM, tags={"a": "b"}),
        f"--resource-id {AKS.id} --namespace ml --identity-type SystemAssigned --tags a=b --replace",
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_command(name: str) -> None:
    command, options = COMMANDS[name]
    assert command == f"{ATTACH} {options}"


IDENTITIES: dict[str, tuple[Any, Any, str]] = {
    "none": (None, None, "none"),
    "of type none": ({"type": "None"}, None, "none"),
    "system-assigned": ({"type": "SystemAssigned", "principalId": "p"}, SYSTEM, "SystemAssigned"),
    "user-assigned": (REPORTED, USER, f"UserAssigned {USER_ID}"),
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_identity(name: str) -> None:
    identity, sent, text = IDENTITIES[name]
    assert (sendable_identity(identity), describe_identity(identity)) == (sent, text)
    assert [case for case, (other, _, _) in IDENTITIES.items() if same_identity(identity, other)] == (
        ["none", "of type none"] if sent is None else [name]
    )


def test_an_identity_without_a_type_is_not_sent() -> None:
    assert sendable_identity({"principalId": "p"}) is None
    assert identity_args({"principalId": "p"}) == []


def test_parts_that_azure_leaves_out() -> None:
    assert (state_of({}), namespace_of({}), cluster_id_of({})) == ("Unknown", "default", "")
    assert (namespace_of(EXISTING), cluster_id_of(EXISTING), state_of(EXISTING)) == ("jobs", ARC.id, "Succeeded")
    assert find_compute([{"name": "a"}, {"name": "K8s"}], "k8S") == {"name": "K8s"}
    assert find_compute([{"name": "a"}], "k8s") is None


@pytest.mark.parametrize(
    ("cluster", "context", "lines"),
    [
        (AKS, "", [f"az aks get-credentials {AKS.az_args}", "kubectl --context c get pods"]),
        (ARC, "", [f"az connectedk8s proxy {ARC.az_args}", "kubectl --context c get pods"]),
        (ARC, "my ctx", ["kubectl --context 'my ctx' get pods"]),
    ],
)
def test_commands_of_kubectl(cluster: ClusterRef, context: str, lines: list[str]) -> None:
    assert replace(REQUEST, cluster=cluster, context=context).kubectl("get pods").splitlines() == lines
