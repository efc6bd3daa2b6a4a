"""Computes: IDs, names, identities, roles, existing computes, the bodies that are sent and the view."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_amlk8s import computes
from azext_amlk8s.compute_view import add_studio_url, is_kubernetes, redact_compute
from azext_amlk8s.computes import AttachFacts, AttachRequest, ClusterContents, parse_cluster_id, parse_identity
from azext_amlk8s.knowledge.clouds import find_cloud
from azext_amlk8s.refs import ClusterRef, ComputeRef, WorkspaceRef, canonical_type
from azext_amlk8s.rules import Severity

SUB, OTHER_SUB = "33333333-dddd-4eee-8fff-444444444444", "55555555-aaaa-4bbb-8ccc-666666666666"
GROUP = f"/subscriptions/{SUB}/resourceGroups/g"
AKS, ARC = (
    f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/c",
    f"{GROUP}/providers/Microsoft.Kubernetes/connectedClusters/c",
)
WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/w"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"


def ids(findings: Any) -> list[str]:
    return [finding.id for finding in findings]


# Case, the pasted ID, the cluster ID (None for an invalid one), the findings.
CLUSTER_IDS: list[tuple[str, str, str | None, list[str]]] = [
    ("AKS", AKS, AKS, []),
    ("Arc", ARC, ARC, []),
    ("lower-case type", AKS.replace("managedClusters", "managedclusters"), AKS, []),
    ("lower-case resourcegroups, as AKS returns it", AKS.replace("resourceGroups", "resourcegroups"), AKS, []),
    ("trailing slash", AKS + "/", AKS, []),
    ("no leading slash", AKS[1:], AKS, []),
    ("surrounding spaces", f"  {ARC}\n", ARC, []),
    ("AKS under Microsoft.Kubernetes", AKS.replace("Microsoft.ContainerService", "Microsoft.Kubernetes"), AKS, ["C102"]),
    ("Arc under Microsoft.ContainerService", ARC.replace("Microsoft.Kubernetes", "Microsoft.ContainerService"), ARC, ["C102"]),
    ("another provider", AKS.replace("Microsoft.ContainerService", "Microsoft.Compute"), AKS, ["C102"]),
    ("AKS on Azure Local, below its connected cluster", f"{ARC}/providers/Microsoft.HybridContainerService/provisionedClusterInstances/default", ARC, ["C102"]),
    ("AKS on Azure Local, its older resource", f"{GROUP}/providers/Microsoft.HybridContainerService/provisionedClusters/c", None, ["C101"]),
    ("an extension on a cluster", f"{AKS}/providers/Microsoft.KubernetesConfiguration/extensions/e", None, ["C101"]),
    ("a virtual machine", f"{GROUP}/providers/Microsoft.Compute/virtualMachines/v", None, ["C101"]),
    ("a resource group", GROUP, None, ["C101"]),
    ("only a name", "c", None, ["C101"]),
    ("empty", "", None, ["C101"]),
    ("placeholders", AKS.replace(SUB, "<sub-ID>"), None, ["C101"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "expected", "found"), CLUSTER_IDS, ids=[case[0] for case in CLUSTER_IDS])
def test_cluster_id_is_parsed(name: str, text: str, expected: str | None, found: list[str]) -> None:
    ref, findings = parse_cluster_id(text)
    assert (ref.id if ref else None, ids(findings)) == (expected, found)
    assert all(finding.fix for finding in findings)


WORD = st.text(st.characters(codec="ascii", categories=("L", "N"), include_characters="-_.()"), min_size=1, max_size=20)


@given(WORD, WORD, WORD, st.sampled_from(["managedClusters", "connectedClusters"]), st.randoms())
def test_case_of_fixed_segments_is_ignored(subscription: str, group: str, name: str, kind: str, dice: Any) -> None:
    ref = ClusterRef(subscription, group, canonical_type(kind.lower()), name)
    assert parse_cluster_id(ref.id) == (ref, ())
    fixed = ("subscriptions", "resourceGroups", "providers", kind, "Microsoft.ContainerService", "Microsoft.Kubernetes")
    words = [
        "".join(dice.choice((item.lower(), item.upper())) for item in word) if word in fixed else word
        for word in ref.id.split("/")
    ]
    again, findings = parse_cluster_id("/".join(words))
    assert (again, findings) == (ref, ())


@given(st.text(max_size=200))
def test_any_text_is_parsed_without_exception(text: str) -> None:
    ref, findings = parse_cluster_id(text)
    assert (ref is None) == any(finding.severity is Severity.ERROR for finding in findings)
    parse_identity(None, text)


# Case, --identity-type, --user-assigned-identities, the identity that is sent, the findings.
IDENTITIES: list[tuple[str, str | None, str | None, dict[str, Any] | None, list[str]]] = [
    ("none", None, None, None, []),
    ("system-assigned", "SystemAssigned", None, {"type": "SystemAssigned"}, []),
    ("user-assigned", "UserAssigned", IDENTITY, {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}, []),
    ("without --identity-type", None, IDENTITY, {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}, []),
    ("without leading slash", None, IDENTITY[1:], {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}, ["C103"]),
    ("several, separated by commas", None, f"{IDENTITY},{IDENTITY}2", {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}, ["C104"]),
    ("several, separated by spaces, the first without slash", None, f"{IDENTITY[1:]} {IDENTITY}2", {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}, ["C103", "C104"]),
    ("both kinds", "SystemAssigned", IDENTITY, None, ["C131"]),
    ("user-assigned without an ID", "UserAssigned", None, None, ["C132"]),
    ("a name", None, "i", None, ["C133"]),
    ("another resource", None, AKS, None, ["C133"]),
    ("a placeholder", None, IDENTITY.replace(SUB, "<sub>"), None, ["C133"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "words", "sent", "found"), IDENTITIES, ids=[case[0] for case in IDENTITIES])
def test_identity_is_parsed(name: str, kind: str | None, words: str | None, sent: Any, found: list[str]) -> None:
    identity, findings = parse_identity(kind, words)
    assert (identity, ids(findings)) == (sent, found)


COMPUTE = ComputeRef(WorkspaceRef(SUB, "g", "w"), "k8s")
REQUEST = AttachRequest(COMPUTE, ClusterRef(SUB, "g", "managedClusters", "c"), "default", {"type": "SystemAssigned"})


def named(name: str) -> AttachRequest:
    return replace(REQUEST, compute=COMPUTE._replace(name=name))


def in_workspace(group: str, workspace: str) -> AttachRequest:
    return replace(REQUEST, compute=ComputeRef(WorkspaceRef(SUB, group, workspace), "k8s"))


# Case, the request, the findings.
REQUESTS: list[tuple[str, AttachRequest, list[str]]] = [
    ("valid", REQUEST, []),
    ("one character", named("a"), ["C105"]),
    ("two characters, rejected by the API's pattern", named("ab"), ["C106"]),
    ("three characters", named("abc"), []),
    ("16 characters", named("a" * 16), []),
    ("17 characters, rejected by the documented rules", named("a" * 17), ["C106"]),
    ("24 characters", named("a" * 24), ["C106"]),
    ("25 characters", named("a" * 25), ["C105"]),
    ("trailing hyphen", named("abc-"), ["C106"]),
    ("trailing hyphen and digits, rejected by the API's pattern", named("abc-1"), ["C106"]),
    ("two characters and a trailing hyphen", named("a-"), ["C105"]),
    ("17 characters with trailing hyphen and digits", named("a" * 15 + "-1"), ["C105"]),
    ("trailing digits", named("abc1"), []),
    ("trailing hyphen, digits and a letter", named("abc-1a"), []),
    ("leading digit", named("1abc"), ["C105"]),
    ("underscore", named("a_bc"), ["C105"]),
    ("non-ASCII letter", named("aböc"), ["C105"]),
    ("capital letter in the namespace", replace(REQUEST, namespace="Training"), ["C107"]),
    ("namespace of 63 characters", replace(REQUEST, namespace="n" * 63), []),
    ("namespace of 64 characters", replace(REQUEST, namespace="n" * 64), ["C107"]),
    ("namespace with a dot", replace(REQUEST, namespace="a.b"), ["C107"]),
    ("namespace of the extension", replace(REQUEST, namespace="azureml"), ["C108"]),
    ("namespace of a retired attachment", replace(REQUEST, namespace="azureml-w"), ["C108"]),
    ("other subscription", replace(REQUEST, cluster=ClusterRef(OTHER_SUB, "g", "managedClusters", "c")), ["C109"]),
    (
        "same subscription in capitals",
        replace(REQUEST, cluster=ClusterRef(SUB.upper(), "g", "managedClusters", "c")),
        [],
    ),
    ("workspace with a trailing hyphen", in_workspace("g", "w-"), ["C110"]),
    ("resource group with a trailing hyphen", in_workspace("g-", "w"), ["C110"]),
]


@pytest.mark.parametrize(("name", "requested", "found"), REQUESTS, ids=[case[0] for case in REQUESTS])
def test_request_rules(name: str, requested: AttachRequest, found: list[str]) -> None:
    findings = computes.check_request(requested, SUB)
    assert ids(findings) == found
    assert all(finding.fix for finding in findings)


@given(st.text(st.characters(codec="ascii", categories=("L", "N"), include_characters="-_ ."), max_size=40))
def test_suggested_compute_name_is_valid(name: str) -> None:
    for finding in computes.check_request(named(name), SUB):
        if finding.id in ("C105", "C106"):
            assert computes.check_request(named(finding.fix.removeprefix("--name ")), SUB) == ()


EXISTING: dict[str, Any] = {
    "name": "k8s",
    "identity": {"type": "SystemAssigned", "principalId": "p", "tenantId": "t"},
    "tags": {"a": "B"},
    "properties": {
        "computeType": "Kubernetes",
        "resourceId": AKS.lower(),
        "description": "D",
        "provisioningState": "Succeeded",
        "properties": {"namespace": "default"},
    },
}

# Case, the changed fields of the request, the settings that differ.
DIFFERENCES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("equal, IDs in another case", {}, []),
    (
        "identity, tags and description are not compared if not given",
        {"identity": None, "tags": None, "description": None},
        [],
    ),
    ("another cluster", {"cluster": ClusterRef(SUB, "g", "connectedClusters", "c")}, ["cluster"]),
    ("another namespace", {"namespace": "training"}, ["namespace"]),
    (
        "another identity",
        {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}},
        ["identity"],
    ),
    ("description in another case", {"description": "d"}, ["description"]),
    ("tags in another case", {"tags": {"a": "b"}}, ["tags"]),
    ("no tags", {"tags": {}}, ["tags"]),
]


@pytest.mark.parametrize(("name", "change", "found"), DIFFERENCES, ids=[case[0] for case in DIFFERENCES])
def test_existing_compute_is_compared(name: str, change: dict[str, Any], found: list[str]) -> None:
    request = replace(REQUEST, **{"tags": {"a": "B"}, "description": "D", **change})
    assert [finding.setting for finding in computes.compare_compute(EXISTING, request)] == found


def existing(**properties: Any) -> dict[str, Any]:
    return {**EXISTING, "properties": {**EXISTING["properties"], **properties}}


# Case, the existing compute, whether it is to be replaced, the findings.
EXISTING_COMPUTES: list[tuple[str, dict[str, Any], bool, list[str]]] = [
    ("equal", EXISTING, False, []),
    ("equal, replace", EXISTING, True, []),
    ("failed", existing(provisioningState="Failed"), False, ["C143"]),
    ("failed, replace", existing(provisioningState="Failed"), True, []),
    ("canceled", existing(provisioningState="Canceled"), False, ["C143"]),
    ("creating", existing(provisioningState="Creating"), True, ["C140"]),
    ("deleting", existing(provisioningState="Deleting"), False, ["C140"]),
    ("updating, in lower case", existing(provisioningState="updating"), False, ["C140"]),
    ("different", existing(properties={"namespace": "n"}), False, ["C142"]),
    ("different, replace", existing(properties={"namespace": "n"}), True, []),
    ("inner properties null", existing(properties=None, resourceId=AKS), False, []),
    ("properties null", {**EXISTING, "properties": None}, False, ["C142"]),
    ("another kind", existing(computeType="AmlCompute"), True, ["C141"]),
    (
        "another kind, creating",
        existing(computeType="AmlCompute", provisioningState="Creating"),
        True,
        ["C141", "C140"],
    ),
]


@pytest.mark.parametrize(
    ("name", "compute", "again", "found"), EXISTING_COMPUTES, ids=[case[0] for case in EXISTING_COMPUTES]
)
def test_existing_compute_rules(name: str, compute: Any, again: bool, found: list[str]) -> None:
    findings = computes.check_existing(compute, REQUEST, replace=again)
    assert ids(findings) == found
    assert all(finding.fix and " delete " not in finding.fix for finding in findings)


def test_existing_settings_are_kept_where_none_are_given() -> None:
    kept = computes.keep_existing(replace(REQUEST, identity=None), EXISTING, namespace=True)
    assert (kept.identity, kept.tags, kept.description) == ({"type": "SystemAssigned"}, {"a": "B"}, "D")
    complete = replace(REQUEST, namespace="n", identity={"type": "SystemAssigned"}, tags={}, description="")
    assert computes.keep_existing(complete, EXISTING, namespace=False) == complete


@pytest.mark.parametrize(
    ("identity", "sent"),
    [
        (None, None),
        ({"type": "None"}, None),
        ({"type": "SystemAssigned", "principalId": "p"}, {"type": "SystemAssigned"}),
        ({"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {"clientId": "c"}}}, {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}),
    ],
)  # fmt: skip
def test_identity_is_sent_without_principal_ids(identity: Any, sent: Any) -> None:
    body = computes.build_update_body({**EXISTING, "identity": identity}, None, {"new": "1"})
    assert body is not None
    assert body.get("identity") == sent


def test_attach_command_is_complete() -> None:
    identity = {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}
    request = replace(REQUEST, identity=identity, tags={"a b": "c d"}, description="it's", namespace="n")
    words = shlex.split(computes.attach_command(request, "--timeout", "5"))
    assert words[:4] == ["az", "amlk8s", "compute", "attach"]
    assert words[words.index("--description") + 1] == "it's"
    assert words[words.index("--tags") + 1] == "a b=c d"
    assert parse_identity("UserAssigned", words[words.index("--user-assigned-identities") + 1])[0] == identity
    assert parse_cluster_id(words[words.index("--resource-id") + 1])[0] == request.cluster


def assignment(role: str, scope: str) -> dict[str, Any]:
    return {"properties": {"roleDefinitionId": f"/x/roleDefinitions/{role}", "scope": scope, "principalId": "p"}}


READER, OWNER, ADMIN = "acdd72a7-3385-48ef-bd42-f606fba81ae7", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8"  # fmt: skip
EXTENSION_CONTRIBUTOR, RELAY, CONTRIBUTOR = "85cb6faf-e071-4c9b-8136-154b5a04f717", "2787bf04-f1f5-4bfe-8383-c8a24483ee38", "b24988ac-6180-42a0-ab88-20f7382dd24c"  # fmt: skip
ON_AKS, ON_ARC = ClusterRef(SUB, "g", "managedClusters", "c"), ClusterRef(SUB, "g", "connectedClusters", "c")

# Case, the cluster, Trusted Access, assigned (role, scope), missing roles.
ROLES: list[tuple[str, ClusterRef, bool, list[tuple[str, str]], list[str]]] = [
    ("no roles on AKS", ON_AKS, False, [], [READER, EXTENSION_CONTRIBUTOR, ADMIN]),
    ("no roles on Arc", ON_ARC, False, [], [READER, EXTENSION_CONTRIBUTOR, RELAY]),
    ("Trusted Access", ON_AKS, True, [], [READER, EXTENSION_CONTRIBUTOR, ADMIN, CONTRIBUTOR]),
    ("at the cluster", ON_AKS, False, [(READER, AKS), (EXTENSION_CONTRIBUTOR, AKS), (ADMIN, AKS)], []),
    ("above the cluster, in another case", ON_AKS, False, [(READER.upper(), GROUP.upper()), (EXTENSION_CONTRIBUTOR, f"/subscriptions/{SUB}"), (ADMIN, AKS)], []),
    ("at a cluster whose name has the same beginning", ON_AKS, False, [(READER, AKS + "2")], [READER, EXTENSION_CONTRIBUTOR, ADMIN]),
    ("Contributor covers AKS", ON_AKS, True, [(CONTRIBUTOR, GROUP)], []),
    ("Contributor does not cover the relay", ON_ARC, False, [(CONTRIBUTOR, GROUP)], [RELAY]),
    ("role for the relay at the cluster only", ON_ARC, False, [(CONTRIBUTOR, ARC), (RELAY, ARC)], [RELAY]),
    ("Owner covers all", ON_AKS, True, [(OWNER, GROUP)], []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "cluster", "trusted", "assigned", "missing"), ROLES, ids=[case[0] for case in ROLES])
def test_missing_roles(name: str, cluster: ClusterRef, trusted: bool, assigned: Any, missing: list[str]) -> None:
    needed = computes.needed_roles("p", cluster, trusted_access=trusted)
    found = computes.find_missing_roles(needed, {"p": [assignment(*item) for item in assigned]})
    assert [item.role_id for item in found] == missing
    for item in found:
        words = shlex.split(item.command)
        assert words[words.index("--scope") + 1] in (cluster.id, GROUP)
        assert words[words.index("--assignee-object-id") + 1] == "p"


def test_roles_of_another_principal_do_not_count() -> None:
    needed = computes.needed_roles("p", ON_AKS)
    assert len(computes.find_missing_roles(needed, {"q": [assignment(OWNER, GROUP)]})) == 3


IDENTITY_2 = IDENTITY + "2"
TWO = {
    "type": "UserAssigned",
    "userAssignedIdentities": {IDENTITY: {"principalId": "p"}, IDENTITY_2: {"principalId": "q"}},
}


@pytest.mark.parametrize(
    ("workspace", "principals"),
    [
        ({"identity": {"type": "SystemAssigned", "principalId": "s"}}, ()),
        ({"identity": None}, ()),
        ({"identity": TWO}, ("p", "q")),
        ({"identity": TWO, "properties": {"primaryUserAssignedIdentity": IDENTITY_2.lower()}}, ("q",)),
        ({"identity": {**TWO, "type": "SystemAssigned,UserAssigned"}}, ()),
        ({"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: None}}}, ()),
    ],
)  # fmt: skip
def test_principals_of_the_workspace_identity(workspace: dict[str, Any], principals: tuple[str, ...]) -> None:
    assert computes.identity_principals(workspace) == principals


OFFERED = {"values": [{"version": "1.33", "isPreview": True}, {"version": "1.9"}, {"version": "1.32"}, {"version": "1.31"}, {"version": "1.30"}, {"version": "odd"}]}  # fmt: skip


@pytest.mark.parametrize(
    ("version", "supported"),
    [
        ("1.30.1", ()),
        ("1.32.0", ()),
        ("1.33.0", ()),
        ("v1.31", ()),
        ("1.29.9", ("1.32", "1.31", "1.30")),
        ("1.9.0", ("1.32", "1.31", "1.30")),
        ("", ()),
        ("odd", ()),
        ("1", ()),
        ("1.x", ()),
        ("x.1", ()),
    ],
)
def test_unsupported_kubernetes_versions(version: str, supported: tuple[str, ...]) -> None:
    """Versions are compared as numbers; previews do not count."""
    assert computes.find_supported_versions(version, OFFERED) == supported
    assert computes.find_supported_versions(version, {}) == ()


EXTENSION = {"name": "e", "properties": {"extensionType": "Microsoft.AzureML.Kubernetes", "provisioningState": "Succeeded", "configurationSettings": {"EnableTraining": "true"}}}  # fmt: skip
FACTS = AttachFacts(
    workspace={"id": WORKSPACE, "location": "eastus"},
    cluster={"location": "eastus", "identity": {"type": "SystemAssigned"}, "properties": {"powerState": {"code": "Running"}, "kubernetesVersion": "1.30.9"}},
    extensions=[EXTENSION],
    contents=ClusterContents({"default": "Active"}),
)  # fmt: skip


def cluster(**properties: Any) -> dict[str, Any]:
    return {"cluster": {**FACTS.cluster, "properties": {**FACTS.cluster["properties"], **properties}}}


def binding(source: str, role: str) -> dict[str, Any]:
    return {"properties": {"sourceResourceId": source, "roles": [role]}}


ROLE = "Microsoft.MachineLearningServices/workspaces/mlworkload"
# Case, the changed fields of the request and of the facts, the findings.
FINDINGS: list[tuple[str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("valid", {}, {}, []),
    ("workload whose setting is in another case", {"workload": "training"}, {}, []),
    ("workload that is not enabled", {"workload": "both"}, {}, ["C118"]),
    ("stopped, in another case", {}, cluster(powerState={"code": "stopped"}), ["C111"]),
    ("Trusted Access in lower case", {}, {**cluster(disableLocalAccounts=True), "trusted_access": [binding(WORKSPACE.lower(), ROLE.lower())]}, []),
    ("Trusted Access of another workspace", {}, {**cluster(disableLocalAccounts=True), "trusted_access": [binding(WORKSPACE + "2", ROLE)]}, ["C113"]),
    ("Trusted Access in another role", {}, {**cluster(disableLocalAccounts=True), "trusted_access": [binding(WORKSPACE, "other")]}, ["C113"]),
    ("a service principal beside an identity", {}, cluster(servicePrincipalProfile={"clientId": "guid"}), []),
    ("properties null", {}, {"cluster": {"properties": None}}, []),
    ("an extension of another type only", {}, {"extensions": [{"properties": {"extensionType": "flux"}}]}, ["C116"]),
    ("instance types are not checked without the extension", {}, {"extensions": [], "contents": ClusterContents({"default": "Active"}, instance_types=False)}, ["C116"]),
    ("no instance types", {}, {"contents": ClusterContents({"default": "Active"}, instance_types=False)}, ["C130"]),
    ("broken computes in the workspace", {}, {"computes": [{"name": "odd", "properties": None}, {"name": "odder"}]}, []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "facts", "found"), FINDINGS, ids=[case[0] for case in FINDINGS])
def test_attach_rules(name: str, change: dict[str, Any], facts: dict[str, Any], found: list[str]) -> None:
    assert ids(computes.check_attach(replace(REQUEST, **change), replace(FACTS, **facts))) == found


# Case, the properties of a compute, and what is shown of them.
SECRETS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "connection strings",
        {"properties": {"relayConnectionString": "s", "serviceBusConnectionString": "s", "vcName": "v"}},
        {"properties": {"relayConnectionString": "", "serviceBusConnectionString": "", "vcName": "v"}},
    ),
    (
        "null stays null",
        {"properties": {"relayConnectionString": None}},
        {"properties": {"relayConnectionString": None}},
    ),
    (
        "a token of Databricks",
        {"properties": {"databricksAccessToken": "s"}},
        {"properties": {"databricksAccessToken": ""}},
    ),
    (
        "an administrator's password and key",
        {"properties": {"administratorAccount": {"username": "u", "password": "s", "privateKeyData": "s"}}},
        {"properties": {"administratorAccount": {"username": "u", "password": "", "privateKeyData": ""}}},
    ),
    (
        "the key of a certificate, but no other key",
        {"properties": {"sslConfiguration": {"key": "s", "cname": "c"}, "nodeSelector": {"key": "v"}}},
        {"properties": {"sslConfiguration": {"key": "", "cname": "c"}, "nodeSelector": {"key": "v"}}},
    ),
    ("properties that are a list", {"properties": ["password", 1]}, {"properties": ["password", 1]}),
]


@pytest.mark.parametrize(("name", "properties", "shown"), SECRETS, ids=[case[0] for case in SECRETS])
def test_secrets_are_redacted(name: str, properties: dict[str, Any], shown: dict[str, Any]) -> None:
    compute = {"name": "k8s", "properties": properties, "password": "not a property"}
    assert redact_compute(compute) == {**compute, "properties": shown}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["id", "name", "properties", "identity", "tags"]), JSON))
def test_any_compute_can_be_shown(compute: dict[str, Any]) -> None:
    shown = add_studio_url(redact_compute(compute), find_cloud())
    assert {key: value for key, value in shown.items() if key != "studioUrl"} == compute
    assert is_kubernetes(compute) is False


@pytest.mark.parametrize(
    ("cloud", "base"),
    [("AzureCloud", "https://ml.azure.com/"), ("AzureUSGovernment", "https://ml.azure.us/"), ("AzureChinaCloud", "https://studio.ml.azure.cn/"), ("own", "https://ml.azure.com/")],
)  # fmt: skip
def test_studio_url_of_each_cloud(cloud: str, base: str) -> None:
    assert add_studio_url({"id": f"{WORKSPACE}/computes/k8s", "name": "k8s"}, find_cloud(cloud))[
        "studioUrl"
    ].startswith(base)


def test_property_of_azure_overrides_studio_url() -> None:
    assert add_studio_url({"studioUrl": "theirs"}, find_cloud())["studioUrl"] == "theirs"
