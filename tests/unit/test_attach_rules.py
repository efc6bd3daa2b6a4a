"""The findings of the rules on an attachment and on existing computes: subject, found value and fix of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from azext_amlk8s.computes import (
    AttachFacts,
    AttachRequest,
    ClusterContents,
    check_attach,
    check_existing,
    check_request,
    cluster_ids,
    compare_compute,
    existing_compute_rules,
)
from azext_amlk8s.computes.attach_rules import resolved_by_options
from azext_amlk8s.computes.request_rules import invalid_namespace, suggest_name
from azext_amlk8s.computes.roles import RoleNeeded
from azext_amlk8s.refs import ClusterRef, ComputeRef, WorkspaceRef
from azext_amlk8s.rules import Finding

SUB = "33333333-dddd-4eee-8fff-444444444444"
COMPUTE = ComputeRef(WorkspaceRef(SUB, "g", "w"), "k8s")
ON_AKS, ON_ARC = ClusterRef(SUB, "g", "managedClusters", "c"), ClusterRef(SUB, "g", "connectedClusters", "c")
REQUEST = AttachRequest(COMPUTE, ON_AKS, "default", {"type": "SystemAssigned"}, context="ctx")
ARC = {"cluster": ON_ARC}
EXTENSION: dict[str, Any] = {
    "name": "e",
    "properties": {
        "extensionType": "Microsoft.AzureML.Kubernetes",
        "provisioningState": "Succeeded",
        "configurationSettings": {"enableTraining": "True"},
    },
}
CONTENTS = ClusterContents({"default": "Active"})
FACTS = AttachFacts({"id": COMPUTE.workspace.id}, {"properties": {}}, [EXTENSION], contents=CONTENTS)
OPTIONS = "-g g -c c -t managedClusters -n e"
SHOW_REPORT = "kubectl --context ctx get configmap arcml-healthcheck --namespace azureml -o yaml"


def cluster(**properties: Any) -> dict[str, Any]:
    return {"cluster": {"location": "westeurope", "properties": properties}}


def extension(state: str, **settings: str) -> dict[str, Any]:
    properties = {**EXTENSION["properties"], "provisioningState": state, "configurationSettings": settings}
    return {"extensions": [{**EXTENSION, "properties": properties}]}


def attached(name: str, kind: str = "Kubernetes", namespace: str | None = "default", to: ClusterRef = ON_AKS) -> Any:
    inner = {"namespace": namespace} if namespace else None
    return {"name": name, "properties": {"computeType": kind, "resourceId": to.id.upper(), "properties": inner}}


def role(name: str) -> RoleNeeded:
    return RoleNeeded(name, "id", ON_AKS.id, "p", "Symptom.")


GRANT = "az role assignment create --role {} --scope " + ON_AKS.id + " --assignee-object-id p --assignee-principal-type ServicePrincipal"  # fmt: skip
Expected = list[tuple[str, str, str, str]]
# Case, the changed fields of the request and of the facts; ID, subject, found value and fix of each finding.
ATTACH: list[tuple[str, dict[str, Any], dict[str, Any], Expected]] = [
    ("connected", ARC, cluster(connectivityStatus="connected"), []),
    ("connectivity is not reported", ARC, cluster(connectivityStatus=None), []),
    ("offline", ARC, cluster(connectivityStatus="Offline"), [("C115", "cluster", "Offline", "az connectedk8s troubleshoot -g g -n c")]),
    ("an AKS cluster that is updating", {}, cluster(provisioningState="Updating"), [("C135", "cluster", "Updating", "az aks show -g g -n c --query provisioningState")]),
    ("an Arc-connected cluster that has failed", ARC, cluster(provisioningState="Failed"), [("C135", "cluster", "Failed", "az connectedk8s show -g g -n c --query provisioningState")]),
    ("a cluster in state succeeded", {}, cluster(provisioningState="succeeded"), []),
    ("stopped", {}, cluster(powerState={"code": "Stopped"}), [("C111", "cluster", "Stopped", "az aks start -g g -n c")]),
    ("an old version on AKS", {}, {**cluster(kubernetesVersion="1.20"), "supported_versions": ("1.32", "1.30")}, [("C129", "cluster", "1.20", "az aks upgrade -g g -n c --kubernetes-version 1.30")]),
    ("an old version on Arc", ARC, {**cluster(kubernetesVersion="1.20"), "supported_versions": ("1.32", "1.30")}, [("C129", "cluster", "1.20", "Upgrade the cluster.")]),
    ("a service principal", {}, cluster(servicePrincipalProfile={"clientId": "guid"}), [("C112", "cluster", "a service principal", "az aks update -g g -n c --enable-managed-identity")]),
    ("a managed identity as AKS reports it", {}, cluster(servicePrincipalProfile={"clientId": "MSI"}), []),
    ("no extension", {}, {"extensions": []}, [("C116", "extension", "", "az amlk8s extension create -g g -c c -t managedClusters -n azureml --config enableTraining=True")]),
    ("no extension for both workloads", {"workload": "both"}, {"extensions": []}, [("C116", "extension", "", "az amlk8s extension create -g g -c c -t managedClusters -n azureml --config enableTraining=True enableInference=True")]),
    ("no extension for inference", {"workload": "inference"}, {"extensions": []}, [("C116", "extension", "", "az amlk8s extension create -g g -c c -t managedClusters -n azureml --config enableInference=True")]),
    ("an extension that is creating", {}, extension("Creating"), [("C117", "extension", "Creating", f"az amlk8s extension wait {OPTIONS} --created")]),
    ("an extension that has failed", {}, extension("Failed"), [("C117", "extension", "Failed", f"az amlk8s extension show {OPTIONS}\naz amlk8s check -g g -c c -t managedClusters")]),
    ("a workload is not checked while the extension is creating", {"workload": "both"}, extension("Creating"), [("C117", "extension", "Creating", f"az amlk8s extension wait {OPTIONS} --created")]),
    ("training is off", {"workload": "training"}, extension("Succeeded", enableTraining="False"), [("C118", "extension", "", f"az amlk8s extension update {OPTIONS} --config enableTraining=True")]),
    ("inference is not set", {"workload": "both"}, {}, [("C118", "extension", "", f"az amlk8s extension update {OPTIONS} --config enableInference=True")]),
    ("no instance types", {}, {"contents": replace(CONTENTS, instance_types=False)}, [("C130", "extension", "", f"kubectl --context ctx wait --for=condition=established crd/instancetypes.amlarc.azureml.com --timeout=10m\n{SHOW_REPORT}")]),
    ("instance types of a cluster that cannot be read", {}, {"contents": None, "contents_error": "Why."}, [("C124", "--namespace", "", "kubectl --context ctx get namespace default")]),
    ("failed health checks", {}, {"contents": replace(CONTENTS, failed_checks=("one", "two"))}, [("C134", "extension", "", SHOW_REPORT), ("C134", "extension", "", SHOW_REPORT)]),
    ("failed health checks of a failed extension", {}, {**extension("Failed"), "contents": replace(CONTENTS, failed_checks=("one",))}, [("C117", "extension", "Failed", f"az amlk8s extension show {OPTIONS}\naz amlk8s check -g g -c c -t managedClusters")]),
    ("pod identity in the cluster", {}, {"contents": replace(CONTENTS, pod_identity=True)}, [("C127", "cluster", "", "Move to Microsoft Entra Workload ID. To list what uses pod identity:\nkubectl --context ctx get azureidentity,azureassignedidentity --all-namespaces")]),
    ("pod identity as an add-on", {}, cluster(podIdentityProfile={"enabled": True}), [("C127", "cluster", "", "Move to Microsoft Entra Workload ID. To list what uses pod identity:\nkubectl --context ctx get azureidentity,azureassignedidentity --all-namespaces")]),
    ("pod identity as an add-on that is off", {}, cluster(podIdentityProfile={"enabled": False}), []),
    ("another compute in the namespace", {}, {"computes": [attached("old")]}, [("C119", "--namespace", "old", "--namespace k8s --create-namespace")]),
    ("another compute without a namespace", {}, {"computes": [attached("old", namespace=None)]}, [("C119", "--namespace", "old", "--namespace k8s --create-namespace")]),
    ("another compute in another namespace", {}, {"computes": [attached("old", namespace="n")]}, []),
    ("another compute on another cluster", {}, {"computes": [attached("old", to=ON_ARC)]}, []),
    ("the compute itself", {}, {"computes": [attached("K8S")]}, []),
    ("a retired attachment", {}, {"computes": [attached("old", "AKS")]}, [("C128", "compute", "old", "Detach it when nothing uses it. To show it:\naz amlk8s compute show -g g -w w -n old")]),
    ("a namespace that does not exist", {"namespace": "n"}, {"contents": ClusterContents({"b": "Active", "a": "Active"})}, [("C120", "--namespace", "a, b", "--create-namespace")]),
    ("a namespace that is being deleted", {}, {"contents": ClusterContents({"default": "terminating"})}, [("C126", "--namespace", "Terminating", "kubectl --context ctx wait --for=delete namespace/default --timeout=10m\nThen run the same command with --create-namespace.")]),
    ("another namespace is being deleted", {}, {"contents": ClusterContents({"default": "Active", "n": "Terminating"})}, []),
    ("one missing role", {}, {"missing_roles": [role("Reader")]}, [("C121", "role", "", f"{GRANT.format('Reader')}\nOr add --assign-roles to grant all of them.")]),
    ("two missing roles", {}, {"missing_roles": [role("Reader"), role("Owner")]}, [("C121", "role", "", GRANT.format("Reader")), ("C121", "role", "", f"{GRANT.format('Owner')}\nOr add --assign-roles to grant all of them.")]),
    ("roles that cannot be read", {}, {"roles_unreadable": True}, [("C137", "role", "", f"az role assignment list --scope {ON_AKS.id} --include-inherited -o table")]),
    ("a role with a similar name", {}, {"look_alikes": ["Azure Reader"]}, [("C122", "role", "Azure Reader", "")]),
    ("an identity that does not exist", {}, {"missing_identity": "/subscriptions/s/i"}, [("C136", "--user-assigned-identities", "", "az identity list --query '[].id' -o tsv")]),
    ("no identity", {"identity": None}, {}, [("C123", "--identity-type", "", "--identity-type SystemAssigned")]),
]  # fmt: skip


def summary(findings: tuple[Finding, ...]) -> Expected:
    return [(finding.id, finding.subject, finding.found, finding.fix) for finding in findings]


@pytest.mark.parametrize(
    ("change", "facts", "expected"), [case[1:] for case in ATTACH], ids=[case[0] for case in ATTACH]
)
def test_finding_on_an_attachment(change: dict[str, Any], facts: dict[str, Any], expected: Expected) -> None:
    assert summary(check_attach(replace(REQUEST, **change), replace(FACTS, **facts))) == expected


# Case, the changed fields of the request and of the facts; the ID and the expected value of its finding.
EXPECTED_VALUES: list[tuple[str, dict[str, Any], dict[str, Any], tuple[str, str]]] = [
    ("offline", ARC, cluster(connectivityStatus="Offline"), ("C115", "Connected")),
    ("updating", {}, cluster(provisioningState="Updating"), ("C135", "Succeeded")),
    ("stopped", {}, cluster(powerState={"code": "Stopped"}), ("C111", "Running")),
    ("an extension that is creating", {}, extension("Creating"), ("C117", "Succeeded")),
]


@pytest.mark.parametrize(
    ("change", "facts", "expected"), [case[1:] for case in EXPECTED_VALUES], ids=[case[0] for case in EXPECTED_VALUES]
)
def test_expected_value(change: dict[str, Any], facts: dict[str, Any], expected: tuple[str, str]) -> None:
    (finding,) = check_attach(replace(REQUEST, **change), replace(FACTS, **facts))
    assert (finding.id, finding.expected) == expected


@pytest.mark.parametrize("code", ["Running", None])
def test_a_cluster_that_runs(code: str | None) -> None:
    assert check_attach(REQUEST, replace(FACTS, **cluster(powerState={"code": code}))) == ()


@pytest.mark.parametrize(
    ("name", "rule", "message"),
    [
        ("a", "C105", "Invalid compute name 'a': it has 1 character, not 3 to 16."),
        (
            "ab",
            "C106",
            "The API's naming pattern rejects the compute name 'ab': it has 2 characters, not 3 to 24.",
        ),
        (
            "k8s-1",
            "C106",
            "The API's naming pattern rejects the compute name 'k8s-1': it ends with a hyphen and digits.",
        ),
        ("k8s-", "C106", "Azure's documented naming rules reject the compute name 'k8s-': it ends with a hyphen."),
        ("8ks", "C105", "Invalid compute name '8ks': it does not begin with a letter."),
        ("k_s", "C105", "Invalid compute name 'k_s': it contains _, which is not a letter, digit or hyphen."),
    ],
)
def test_message_of_a_compute_name(name: str, rule: str, message: str) -> None:
    request = replace(REQUEST, compute=COMPUTE._replace(name=name))
    (finding,) = check_request(request, SUB)
    assert (finding.id, finding.subject, finding.message) == (rule, "--name", message)


def test_difference_of_an_existing_compute_as_text() -> None:
    compute = existing(namespace="jobs")
    given = replace(REQUEST, description="new", tags={}, identity={"type": "None"})
    assert [str(difference) for difference in compare_compute(compute, given)] == [
        "namespace is 'jobs', requested 'default'",
        "identity is 'SystemAssigned', requested 'none'",
        "description is 'none', requested 'new'",
        "tags is 'a=b', requested 'none'",
    ]


@pytest.mark.parametrize(
    ("ranges", "text", "found"),
    [(["10.0.0.0/8"], "1 authorized IP range only", "10.0.0.0/8"), (["a", "b"], "2 authorized IP ranges only", "a, b")],
    ids=["one range", "two ranges"],
)
def test_authorized_ip_ranges(ranges: list[str], text: str, found: str) -> None:
    """The fix lists the addresses of the cluster's region."""
    facts = replace(FACTS, **cluster(apiServerAccessProfile={"authorizedIPRanges": ranges}))
    (finding,) = check_attach(REQUEST, facts)
    assert (finding.id, finding.subject, finding.found) == ("C114", "cluster", found)
    assert text in finding.message
    assert finding.fix.startswith("az network list-service-tags -l westeurope --query ")
    assert f"current ones ({found}) with az aks update -g g -n c " in finding.fix


def test_only_requested_rules_are_evaluated() -> None:
    facts = replace(FACTS, **cluster(powerState={"code": "Stopped"}), contents=None)
    assert [finding.id for finding in check_attach(REQUEST, facts, only=("C111",))] == ["C111"]
    assert [finding.id for finding in check_attach(REQUEST, facts, create_namespace=True)] == ["C111", "C124", "C125"]
    assert check_attach(REQUEST, FACTS, create_namespace=True) == ()


def existing(state: str = "Succeeded", kind: str = "Kubernetes", namespace: str = "default") -> dict[str, Any]:
    properties = {"computeType": kind, "resourceId": ON_AKS.id, "provisioningState": state}
    return {
        "name": "k8s",
        "identity": {"type": "SystemAssigned"},
        "tags": {"a": "b"},
        "properties": {**properties, "properties": {"namespace": namespace}},
    }


EXISTING = [
    ("creating", existing("Creating"), [("C140", "compute", "Creating", "az amlk8s compute wait -g g -w w -n k8s --created")]),
    ("updating", existing("Updating"), [("C140", "compute", "Updating", "az amlk8s compute wait -g g -w w -n k8s --updated")]),
    ("deleting", existing("Deleting"), [("C140", "compute", "Deleting", "az amlk8s compute wait -g g -w w -n k8s --deleted")]),
    ("of another kind", existing(kind="AmlCompute"), [("C141", "compute", "AmlCompute", "Use another name. To list the computes:\naz amlk8s compute list -g g -w w --all -o table")]),
    ("of an unknown kind", existing(kind=""), []),
    ("failed", existing("Failed"), [("C143", "--name", "Failed", existing_compute_rules.REPLACE)]),
]  # fmt: skip


@pytest.mark.parametrize(("compute", "expected"), [case[1:] for case in EXISTING], ids=[case[0] for case in EXISTING])
def test_finding_on_an_existing_compute(compute: dict[str, Any], expected: Expected) -> None:
    assert summary(check_existing(compute, REQUEST, replace=False)) == expected


IMMUTABLE: list[tuple[str, str | None, ClusterRef | None, str]] = [
    ("nothing", None, None, ""),
    ("the same namespace and cluster", "default", ON_AKS, ""),
    ("another namespace", "n", None, "Cannot change the namespace from 'default' to 'n' while compute 'k8s' is attached."),
    ("another cluster", None, ON_ARC, f"Cannot change the cluster from {ON_AKS.id} to {ON_ARC.id} while compute 'k8s' is attached."),
    ("both", "n", ON_ARC, f"Cannot change the namespace from 'default' to 'n' and the cluster from {ON_AKS.id} to {ON_ARC.id} while compute 'k8s' is attached."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("namespace", "cluster", "message"), [case[1:] for case in IMMUTABLE], ids=[case[0] for case in IMMUTABLE]
)
def test_immutable_settings(namespace: str | None, cluster: ClusterRef | None, message: str) -> None:
    findings = existing_compute_rules.immutable_settings(existing(), COMPUTE, namespace, cluster)
    assert [finding.message for finding in findings] == [message] * bool(message)


UNAPPLIED: list[tuple[str, dict[str, Any] | None, dict[str, str] | None, str]] = [
    ("nothing was sent", None, None, ""),
    ("both were applied", {"type": "SystemAssigned"}, {"a": "b"}, ""),
    ("the identity was not", {"type": "None"}, None, "identity"),
    ("the tags were not", None, {"a": "c"}, "tags"),
    ("neither was", {"type": "None"}, {}, "identity and tags"),
]


@pytest.mark.parametrize(
    ("identity", "tags", "settings"), [case[1:] for case in UNAPPLIED], ids=[case[0] for case in UNAPPLIED]
)
def test_unapplied_update(identity: dict[str, Any] | None, tags: dict[str, str] | None, settings: str) -> None:
    findings = existing_compute_rules.unapplied_update(existing(), COMPUTE, identity, tags)
    expected = f"The service did not apply the change of {settings}. Compute 'k8s' is unchanged."
    assert [finding.message for finding in findings] == [expected] * bool(settings)


NAMES = [
    ("underscores", "my_compute", "my-compute"),
    ("a leading digit", "1abc", "abc"),
    ("a hyphen and digits at the end", "abc-12", "abc12"),
    ("a hyphen at the end", "abc-", "abc"),
    ("too long", "a" * 17, "a" * 16),
    ("too long, with a hyphen at the end of the rest", "a" * 15 + "-b", "a" * 15),
    ("nothing left", "__", "k8s-compute"),
    ("too short", "ab", "k8s-compute"),
]


@pytest.mark.parametrize(("name", "suggested"), [case[1:] for case in NAMES], ids=[case[0] for case in NAMES])
def test_suggested_compute_name(name: str, suggested: str) -> None:
    assert suggest_name(name) == suggested


NAMESPACES = [
    ("capitals", "Training", "training"),
    ("other characters", "a_b.c", "a-b-c"),
    ("hyphens at both ends", "-a-", "a"),
    ("too long", "n" * 64, "n" * 63),
    ("nothing left", "__", "default"),
]


@pytest.mark.parametrize(
    ("namespace", "suggested"), [case[1:] for case in NAMESPACES], ids=[case[0] for case in NAMESPACES]
)
def test_suggested_namespace(namespace: str, suggested: str) -> None:
    (finding,) = invalid_namespace(namespace)
    assert (finding.subject, finding.fix) == ("--namespace", f"--namespace {suggested}")


BOTH, ARC_ALONE = f"{cluster_ids.LIST_AKS}\n{cluster_ids.LIST_ARC}", cluster_ids.LIST_ARC
GROUP = f"/subscriptions/{SUB}/resourceGroups/g/providers"
IDS = [
    ("a placeholder", f"{GROUP}/Microsoft.ContainerService/managedClusters/<name>", "it still contains a placeholder", BOTH),
    ("the older resource of AKS on Azure Local", f"{GROUP}/Microsoft.HybridContainerService/provisionedClusters/c", "expected the ID of its connectedClusters resource", ARC_ALONE),
    ("another type of Microsoft.Kubernetes", f"{GROUP}/Microsoft.Kubernetes/things/c", "expected the resource ID of an AKS or Arc-connected cluster", ARC_ALONE),
    ("another type", f"{GROUP}/Microsoft.Compute/virtualMachines/v", "expected the resource ID of an AKS or Arc-connected cluster", BOTH),
    ("no ID", "c", "expected the resource ID of an AKS or Arc-connected cluster", BOTH),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "fix"), [case[1:] for case in IDS], ids=[case[0] for case in IDS])
def test_invalid_cluster_id(text: str, message: str, fix: str) -> None:
    ref, (finding,) = cluster_ids.parse_cluster_id(text)
    assert (ref, finding.id, finding.found, finding.fix) == (None, "C101", text, fix)
    assert finding.message.endswith(f"{message}.")


@pytest.mark.parametrize(
    ("kind", "reported"), [("AmlCompute", True), ("computeinstance", True), ("AKS", False), ("", False)]
)
def test_compute_that_azure_created_is_not_detached(kind: str, reported: bool) -> None:
    assert [finding.id for finding in existing_compute_rules.check_detach(existing(kind=kind), COMPUTE)] == [
        "C141"
    ] * reported


def test_absent_tags_equal_empty_tags() -> None:
    compute = {**existing(), "tags": None}
    assert existing_compute_rules.unapplied_update(compute, COMPUTE, None, {}) == ()


def test_fix_of_disabled_local_accounts() -> None:
    """A complete command, with a name that AKS accepts for the binding."""
    workspace = WorkspaceRef(SUB, "g", "My_Workspace-with-a-long-name")
    request = replace(REQUEST, compute=ComputeRef(workspace, "k8s"))
    (finding,) = check_attach(request, replace(FACTS, **cluster(disableLocalAccounts=True), workspace={"id": "W"}))
    assert (finding.id, finding.fix) == (
        "C113",
        "az aks trustedaccess rolebinding create -g g --cluster-name c -n myworkspace-with-a-long "
        "--source-resource-id W --roles Microsoft.MachineLearningServices/workspaces/mlworkload",
    )


def test_message_of_a_missing_identity_names_it() -> None:
    (finding,) = check_attach(REQUEST, replace(FACTS, missing_identity="/subscriptions/s/userAssignedIdentities/i"))
    assert finding.message == "Identity 'i' not found."


def test_options_that_resolve_findings() -> None:
    assert resolved_by_options(create_namespace=True, assign_roles=True) == {"C120", "C121"}
    assert resolved_by_options(create_namespace=True, assign_roles=False) == {"C120"}
    assert resolved_by_options(create_namespace=False, assign_roles=True) == {"C121"}
    assert resolved_by_options(create_namespace=False, assign_roles=False) == set()
