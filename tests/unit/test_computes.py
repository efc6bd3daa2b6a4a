"""The pure room of computes: ids, names, identities, roles, what is there beside what is wanted, what is sent and shown."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_amlk8s import computes
from azext_amlk8s.computes import AttachFacts, Inside, Wanted, cluster_ref, read_cluster_id, read_identity
from azext_amlk8s.computes.ids import ClusterRef
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule

SUB, OTHER_SUB = "33333333-dddd-4eee-8fff-444444444444", "55555555-aaaa-4bbb-8ccc-666666666666"
GROUP = f"/subscriptions/{SUB}/resourceGroups/g"
AKS, ARC = (
    f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/c",
    f"{GROUP}/providers/Microsoft.Kubernetes/connectedClusters/c",
)
WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/w"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"


def ids(findings: Any) -> list[str]:
    return [one.id for one in findings]


# What it is, what is pasted, the id that is meant (None for none), the findings.
CLUSTER_IDS: list[tuple[str, str, str | None, list[str]]] = [
    ("AKS", AKS, AKS, []),
    ("Arc", ARC, ARC, []),
    ("lower case, as the page has it", AKS.replace("managedClusters", "managedclusters"), AKS, []),
    ("as AKS itself returns it", AKS.replace("resourceGroups", "resourcegroups"), AKS, []),
    ("a slash at the end", AKS + "/", AKS, []),
    ("no slash at the beginning", AKS[1:], AKS, []),
    ("spaces around it", f"  {ARC}\n", ARC, []),
    ("the 2021 page: AKS under Microsoft.Kubernetes", AKS.replace("Microsoft.ContainerService", "Microsoft.Kubernetes"), AKS, ["C102"]),
    ("the SDK tab: Arc under Microsoft.ContainerService", ARC.replace("Microsoft.Kubernetes", "Microsoft.ContainerService"), ARC, ["C102"]),
    ("some other provider", AKS.replace("Microsoft.ContainerService", "Microsoft.Compute"), AKS, ["C102"]),
    ("AKS on one's own hardware, beneath its connected cluster", f"{ARC}/providers/Microsoft.HybridContainerService/provisionedClusterInstances/default", ARC, ["C102"]),
    ("its older resource", f"{GROUP}/providers/Microsoft.HybridContainerService/provisionedClusters/c", None, ["C101"]),
    ("an extension on a cluster", f"{AKS}/providers/Microsoft.KubernetesConfiguration/extensions/e", None, ["C101"]),
    ("a virtual machine", f"{GROUP}/providers/Microsoft.Compute/virtualMachines/v", None, ["C101"]),
    ("a resource group", GROUP, None, ["C101"]),
    ("a name", "c", None, ["C101"]),
    ("nothing", "", None, ["C101"]),
    ("placeholders", AKS.replace(SUB, "<sub-ID>"), None, ["C101"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "meant", "found"), CLUSTER_IDS, ids=[case[0] for case in CLUSTER_IDS])
def test_a_cluster_id(name: str, text: str, meant: str | None, found: list[str]) -> None:
    ref, findings = read_cluster_id(text)
    assert (ref.id if ref else None, ids(findings)) == (meant, found)
    assert all(one.fix for one in findings)


WORD = st.text(st.characters(codec="ascii", categories=("L", "N"), include_characters="-_.()"), min_size=1, max_size=20)


@given(WORD, WORD, WORD, st.sampled_from(["managedClusters", "connectedClusters"]), st.randoms())
def test_an_id_in_any_case_means_the_same(subscription: str, group: str, name: str, kind: str, dice: Any) -> None:
    """What an id is made of comes out again, however its fixed words are written."""
    ref = cluster_ref(subscription, group, kind.lower(), name)
    assert read_cluster_id(ref.id) == (ref, ())
    fixed = ("subscriptions", "resourceGroups", "providers", kind, "Microsoft.ContainerService", "Microsoft.Kubernetes")
    words = [
        "".join(dice.choice((one.lower(), one.upper())) for one in word) if word in fixed else word
        for word in ref.id.split("/")
    ]
    again, findings = read_cluster_id("/".join(words))
    assert (again, findings) == (ref, ())


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading_of_ids(text: str) -> None:
    ref, findings = read_cluster_id(text)
    assert (ref is None) == any(one.severity is Severity.ERROR for one in findings)
    read_identity(None, text)


# What it is, --identity-type, --user-assigned-identities, the identity that is sent, the findings.
IDENTITIES: list[tuple[str, str | None, str | None, dict[str, Any] | None, list[str]]] = [
    ("none", None, None, None, []),
    ("system-assigned", "SystemAssigned", None, {"type": "SystemAssigned"}, []),
    ("user-assigned", "UserAssigned", IDENTITY, {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}, []),
    ("without the type, as the Arc sample has it", None, IDENTITY, {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}, []),
    ("without its leading slash, as the page has it", None, IDENTITY[1:], {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}, ["C103"]),
    ("several, by comma", None, f"{IDENTITY},{IDENTITY}2", {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}, ["C104"]),
    ("several, by space, the first without slash", None, f"{IDENTITY[1:]} {IDENTITY}2", {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}, ["C103", "C104"]),
    ("both kinds", "SystemAssigned", IDENTITY, None, ["C131"]),
    ("user-assigned, but which", "UserAssigned", None, None, ["C132"]),
    ("a name", None, "i", None, ["C133"]),
    ("another resource", None, AKS, None, ["C133"]),
    ("a placeholder", None, IDENTITY.replace(SUB, "<sub>"), None, ["C133"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "words", "sent", "found"), IDENTITIES, ids=[case[0] for case in IDENTITIES])
def test_an_identity(name: str, kind: str | None, words: str | None, sent: Any, found: list[str]) -> None:
    identity, findings = read_identity(kind, words)
    assert (identity, ids(findings)) == (sent, found)


WANTED = Wanted("k8s", "g", "w", ClusterRef(SUB, "g", "managedClusters", "c"), "default", {"type": "SystemAssigned"})

# What it is, what differs from the usual, the findings.
WORDS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("all well", {}, []),
    ("shortest", {"name": "abc"}, []),
    ("too short", {"name": "ab"}, ["C105"]),
    ("sixteen", {"name": "a" * 16}, []),
    ("seventeen", {"name": "a" * 17}, ["C106"]),
    ("twenty-four", {"name": "a" * 24}, ["C106"]),
    ("twenty-five", {"name": "a" * 25}, ["C105"]),
    ("a hyphen at the end", {"name": "abc-"}, ["C106"]),
    ("a hyphen and digits at the end", {"name": "abc-1"}, ["C105"]),
    ("digits at the end", {"name": "abc1"}, []),
    ("a hyphen, digits and a letter at the end", {"name": "abc-1a"}, []),
    ("a digit first", {"name": "1abc"}, ["C105"]),
    ("an underscore", {"name": "a_bc"}, ["C105"]),
    ("a letter that is not ASCII", {"name": "aböc"}, ["C105"]),
    ("a namespace with a capital", {"namespace": "Training"}, ["C107"]),
    ("a namespace of 63", {"namespace": "n" * 63}, []),
    ("a namespace of 64", {"namespace": "n" * 64}, ["C107"]),
    ("a namespace with a dot", {"namespace": "a.b"}, ["C107"]),
    ("the extension's namespace", {"namespace": "azureml"}, ["C108"]),
    ("a retired attachment's namespace", {"namespace": "azureml-w"}, ["C108"]),
    ("another subscription", {"cluster": ClusterRef(OTHER_SUB, "g", "managedClusters", "c")}, ["C109"]),
    ("the same subscription in capitals", {"cluster": ClusterRef(SUB.upper(), "g", "managedClusters", "c")}, []),
    ("a workspace that ends in a hyphen", {"workspace": "w-"}, ["C110"]),
    ("a group that ends in a hyphen", {"group": "g-"}, ["C110"]),
]


@pytest.mark.parametrize(("name", "change", "found"), WORDS, ids=[case[0] for case in WORDS])
def test_words(name: str, change: dict[str, Any], found: list[str]) -> None:
    assert ids(computes.judge_words(replace(WANTED, **change), SUB)) == found


@given(st.text(st.characters(codec="ascii", categories=("L", "N"), include_characters="-_ ."), max_size=40))
def test_the_name_that_is_proposed_is_one(name: str) -> None:
    for finding in computes.judge_words(replace(WANTED, name=name), SUB):
        if finding.id == "C105":
            proposed = finding.fix.removeprefix("--name ")
            assert computes.judge_words(replace(WANTED, name=proposed), SUB) == ()


THERE: dict[str, Any] = {
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

# What it is, what differs in what is wanted, what is told to differ.
DIFFERENCES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("the same, ids in another case", {}, []),
    ("what is not asked for is not compared", {"identity": None, "tags": None, "description": None}, []),
    ("another cluster", {"cluster": ClusterRef(SUB, "g", "connectedClusters", "c")}, ["cluster"]),
    ("another namespace", {"namespace": "training"}, ["namespace"]),
    (
        "another identity",
        {"identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}},
        ["identity"],
    ),
    ("another description, by its case", {"description": "d"}, ["description"]),
    ("other tags, by their case", {"tags": {"a": "b"}}, ["tags"]),
    ("no tags", {"tags": {}}, ["tags"]),
]


@pytest.mark.parametrize(("name", "change", "found"), DIFFERENCES, ids=[case[0] for case in DIFFERENCES])
def test_what_is_there_beside_what_is_wanted(name: str, change: dict[str, Any], found: list[str]) -> None:
    wanted = replace(WANTED, **{"tags": {"a": "B"}, "description": "D", **change})
    assert [one.what for one in computes.compare(THERE, wanted)] == found


def there(**change: Any) -> dict[str, Any]:
    return {**THERE, "properties": {**THERE["properties"], **change}}


# What it is, what is there, whether it is to be replaced, whether all is as wanted, the findings.
STANDING: list[tuple[str, dict[str, Any], bool, bool, list[str]]] = [
    ("the same", THERE, False, True, []),
    ("the same, but it is to be replaced", THERE, True, False, []),
    ("failed", there(provisioningState="Failed"), False, False, ["C143"]),
    ("failed, to be replaced", there(provisioningState="Failed"), True, False, []),
    ("canceled", there(provisioningState="Canceled"), False, False, ["C143"]),
    ("being made", there(provisioningState="Creating"), True, False, ["C140"]),
    ("being removed", there(provisioningState="Deleting"), False, False, ["C140"]),
    ("being changed, in lower case", there(provisioningState="updating"), False, False, ["C140"]),
    ("different", there(properties={"namespace": "n"}), False, False, ["C142"]),
    ("different, to be replaced", there(properties={"namespace": "n"}), True, False, []),
    ("inner properties null", there(properties=None, resourceId=AKS), False, True, []),
    ("properties null", {**THERE, "properties": None}, False, False, ["C142"]),
    ("another kind", there(computeType="AmlCompute"), True, False, ["C141"]),
    ("another kind, and busy", there(computeType="AmlCompute", provisioningState="Creating"), True, False, ["C141", "C140"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "found", "again", "same", "said"), STANDING, ids=[case[0] for case in STANDING])
def test_what_stands_in_the_way(name: str, found: Any, again: bool, same: bool, said: list[str]) -> None:
    is_same, findings = computes.judge_standing(found, WANTED, replace=again)
    assert (is_same, ids(findings)) == (same, said)
    assert all(one.fix for one in findings)


def test_what_is_not_given_stays_as_it_was() -> None:
    bare = replace(WANTED, identity=None)
    kept = computes.keeping(bare, THERE, namespace=True)
    assert (kept.identity, kept.tags, kept.description) == ({"type": "SystemAssigned"}, {"a": "B"}, "D")
    given_words = replace(WANTED, namespace="n", identity={"type": "SystemAssigned"}, tags={}, description="")
    assert computes.keeping(given_words, THERE, namespace=False) == given_words


@pytest.mark.parametrize(
    ("identity", "sent"),
    [
        (None, None),
        ({"type": "None"}, None),
        ({"type": "SystemAssigned", "principalId": "p"}, {"type": "SystemAssigned"}),
        ({"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {"clientId": "c"}}}, {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}),
    ],
)  # fmt: skip
def test_an_identity_is_sent_without_what_azure_added(identity: Any, sent: Any) -> None:
    body = computes.update_body({**THERE, "identity": identity}, None, {"new": "1"})
    assert body is not None
    assert body.get("identity") == sent


def test_the_command_that_goes_on_is_whole() -> None:
    """It attaches the very same when it is read again."""
    identity = {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}
    wanted = replace(WANTED, identity=identity, tags={"a b": "c d"}, description="it's", namespace="n")
    words = shlex.split(computes.attach_command(wanted, "--timeout", "5"))
    assert words[:4] == ["az", "amlk8s", "compute", "attach"]
    assert words[words.index("--description") + 1] == "it's"
    assert words[words.index("--tags") + 1] == "a b=c d"
    assert read_identity("UserAssigned", words[words.index("--user-assigned-identities") + 1])[0] == identity
    assert read_cluster_id(words[words.index("--resource-id") + 1])[0] == wanted.cluster


def assignment(role: str, scope: str) -> dict[str, Any]:
    return {"properties": {"roleDefinitionId": f"/x/roleDefinitions/{role}", "scope": scope, "principalId": "p"}}


READER, OWNER, ADMIN = "acdd72a7-3385-48ef-bd42-f606fba81ae7", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8"  # fmt: skip
EXTENSION_CONTRIBUTOR, RELAY, CONTRIBUTOR = "85cb6faf-e071-4c9b-8136-154b5a04f717", "2787bf04-f1f5-4bfe-8383-c8a24483ee38", "b24988ac-6180-42a0-ab88-20f7382dd24c"  # fmt: skip
ON_AKS, ON_ARC = ClusterRef(SUB, "g", "managedClusters", "c"), ClusterRef(SUB, "g", "connectedClusters", "c")

# What it is, the cluster, whether by Trusted Access, (role, scope) that are held, roles that are missing.
ROLES: list[tuple[str, ClusterRef, bool, list[tuple[str, str]], list[str]]] = [
    ("nothing on AKS", ON_AKS, False, [], [READER, EXTENSION_CONTRIBUTOR, ADMIN]),
    ("nothing on Arc", ON_ARC, False, [], [READER, EXTENSION_CONTRIBUTOR, RELAY]),
    ("by Trusted Access", ON_AKS, True, [], [READER, EXTENSION_CONTRIBUTOR, ADMIN, CONTRIBUTOR]),
    ("at the cluster", ON_AKS, False, [(READER, AKS), (EXTENSION_CONTRIBUTOR, AKS), (ADMIN, AKS)], []),
    ("above it, in another case", ON_AKS, False, [(READER.upper(), GROUP.upper()), (EXTENSION_CONTRIBUTOR, f"/subscriptions/{SUB}"), (ADMIN, AKS)], []),
    ("at a sibling whose name begins alike", ON_AKS, False, [(READER, AKS + "2")], [READER, EXTENSION_CONTRIBUTOR, ADMIN]),
    ("Contributor covers AKS", ON_AKS, True, [(CONTRIBUTOR, GROUP)], []),
    ("Contributor does not cover the relay", ON_ARC, False, [(CONTRIBUTOR, GROUP)], [RELAY]),
    ("the relay's role at the cluster alone", ON_ARC, False, [(CONTRIBUTOR, ARC), (RELAY, ARC)], [RELAY]),
    ("Owner covers all", ON_AKS, True, [(OWNER, GROUP)], []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "cluster", "trusted", "held", "missing"), ROLES, ids=[case[0] for case in ROLES])
def test_roles(name: str, cluster: ClusterRef, trusted: bool, held: Any, missing: list[str]) -> None:
    needed = computes.needed_roles("p", cluster, trusted_access=trusted)
    found = computes.missing_roles(needed, {"p": [assignment(*one) for one in held]})
    assert [one.role_id for one in found] == missing
    for one in found:
        words = shlex.split(one.command)
        assert words[words.index("--scope") + 1] in (cluster.id, GROUP)
        assert words[words.index("--assignee-object-id") + 1] == "p"


def test_what_another_principal_holds_does_not_count() -> None:
    needed = computes.needed_roles("p", ON_AKS)
    assert len(computes.missing_roles(needed, {"q": [assignment(OWNER, GROUP)]})) == 3


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
def test_whose_roles_count(workspace: dict[str, Any], principals: tuple[str, ...]) -> None:
    assert computes.identity_principals(workspace) == principals


OFFERED = {"values": [{"version": "1.33", "isPreview": True}, {"version": "1.9"}, {"version": "1.32"}, {"version": "1.31"}, {"version": "1.30"}, {"version": "odd"}]}  # fmt: skip


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("1.30.1", ()),
        ("1.32.0", ()),
        ("1.33.0", ()),
        ("v1.31", ()),
        ("1.29.9", ("1.32", "1.31", "1.30")),
        ("1.9.0", ("1.32", "1.31", "1.30")),
        ("", ()),
        ("odd", ()),
    ],
)
def test_versions(found: str, told: tuple[str, ...]) -> None:
    """Numbers are compared as numbers; previews do not count; what cannot be read is left alone."""
    assert computes.supported_versions(found, OFFERED) == told
    assert computes.supported_versions(found, {}) == ()


EXTENSION = {"name": "e", "properties": {"extensionType": "Microsoft.AzureML.Kubernetes", "provisioningState": "Succeeded", "configurationSettings": {"EnableTraining": "true"}}}  # fmt: skip
FACTS = AttachFacts(
    workspace={"id": WORKSPACE, "location": "eastus"},
    cluster={"location": "eastus", "identity": {"type": "SystemAssigned"}, "properties": {"powerState": {"code": "Running"}, "kubernetesVersion": "1.30.9"}},
    extensions=[EXTENSION],
    inside=Inside({"default": "Active"}),
)  # fmt: skip


def cluster(**properties: Any) -> dict[str, Any]:
    return {"cluster": {**FACTS.cluster, "properties": {**FACTS.cluster["properties"], **properties}}}


def binding(source: str, role: str) -> dict[str, Any]:
    return {"properties": {"sourceResourceId": source, "roles": [role]}}


ROLE = "Microsoft.MachineLearningServices/workspaces/mlworkload"
# What it is, what differs in what is wanted and in the facts, the findings.
FINDINGS: list[tuple[str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("all well", {}, {}, []),
    ("a workload whose setting is written otherwise", {"workload": "training"}, {}, []),
    ("a workload that is not enabled", {"workload": "both"}, {}, ["C118"]),
    ("stopped, in another case", {}, cluster(powerState={"code": "stopped"}), ["C111"]),
    ("Trusted Access in lower case", {}, {**cluster(disableLocalAccounts=True), "trusted_access": [binding(WORKSPACE.lower(), ROLE.lower())]}, []),
    ("Trusted Access of another workspace", {}, {**cluster(disableLocalAccounts=True), "trusted_access": [binding(WORKSPACE + "2", ROLE)]}, ["C113"]),
    ("Trusted Access in another role", {}, {**cluster(disableLocalAccounts=True), "trusted_access": [binding(WORKSPACE, "other")]}, ["C113"]),
    ("a service principal beside an identity", {}, cluster(servicePrincipalProfile={"clientId": "guid"}), []),
    ("everything null", {}, {"cluster": {"properties": None}}, []),
    ("an extension of another type only", {}, {"extensions": [{"properties": {"extensionType": "flux"}}]}, ["C116"]),
    ("inside is not judged while the extension is not there", {}, {"extensions": [], "inside": Inside({"default": "Active"}, instance_types=False)}, ["C116"]),
    ("no instance types", {}, {"inside": Inside({"default": "Active"}, instance_types=False)}, ["C130"]),
    ("a broken compute beside it", {}, {"computes": [{"name": "odd", "properties": None}, {"name": "odder"}]}, []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "facts", "found"), FINDINGS, ids=[case[0] for case in FINDINGS])
def test_findings(name: str, change: dict[str, Any], facts: dict[str, Any], found: list[str]) -> None:
    assert ids(computes.judge_attach(replace(WANTED, **change), replace(FACTS, **facts))) == found


def every_rule() -> dict[str, Rule]:
    from azext_amlk8s.computes import existing_compute_rules as standing
    from azext_amlk8s.computes import ids as of_ids
    from azext_amlk8s.computes import names, rules

    parts = (of_ids, names, rules, standing)
    return {name: one for part in parts for name, one in vars(part).items() if isinstance(one, Rule)}


def test_every_rule_is_named_as_its_id_and_says_what_is_required() -> None:
    for name, one in every_rule().items():
        assert name == one.id
        assert one.what.endswith(".") and one.source.startswith("https://")


# What it is, a compute, what is blanked of it.
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
def test_what_is_blanked(name: str, properties: dict[str, Any], shown: dict[str, Any]) -> None:
    compute = {"name": "k8s", "properties": properties, "password": "not a property"}
    assert computes.blanked(compute) == {**compute, "properties": shown}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["id", "name", "properties", "identity", "tags"]), JSON))
def test_nothing_breaks_the_view(compute: dict[str, Any]) -> None:
    """Whatever Azure says is shown as it is, beside the address in the studio."""
    shown = computes.with_studio(computes.blanked(compute), "AzureCloud")
    assert {key: one for key, one in shown.items() if key != "studioUrl"} == compute
    assert computes.is_kubernetes(compute) is False


@pytest.mark.parametrize(
    ("cloud", "base"),
    [("AzureCloud", "https://ml.azure.com/"), ("AzureUSGovernment", "https://ml.azure.us/"), ("AzureChinaCloud", "https://studio.ml.azure.cn/"), ("own", "https://ml.azure.com/")],
)  # fmt: skip
def test_the_studio_of_a_cloud(cloud: str, base: str) -> None:
    assert computes.with_studio({"id": f"{WORKSPACE}/computes/k8s", "name": "k8s"}, cloud)["studioUrl"].startswith(base)


def test_a_key_of_azure_goes_before_ours() -> None:
    assert computes.with_studio({"studioUrl": "theirs"}, "AzureCloud")["studioUrl"] == "theirs"


def test_findings_are_the_currency() -> None:
    assert all(isinstance(one, Finding) for one in computes.judge_words(replace(WANTED, name="-"), SUB))
