"""The extension, its components and its computes as public listings and recordings of 2022 to 2025 show them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.contract.in_process import AKS, ARC, EXTENSION, GROUP, InProcess, sandbox

BOTH = {"enableTraining": "True", "enableInference": "True", "allowInsecureConnections": "True"}
COMMON = [
    "gateway",
    "metrics-controller-manager",
    "ext-kube-state-metrics",
    "ext-prometheus-operator",
    "prometheus-prom-prometheus",
]
TRAINING = ["aml-operator", "volcano-admission", "volcano-controllers", "volcano-scheduler"]
INFERENCE = ["amlarc-identity-controller", "amlarc-identity-proxy", "inference-operator-controller-manager"]
OLD = [
    "azureml-fe",
    "cluster-status-reporter",
    "csi-blob-controller",
    "csi-blob-node",
    "fluent-bit",
    "k8s-host-device-plugin-daemonset",
]
INGRESS = ["azureml-ingress-nginx-controller"]
# name, cluster, version, settings, components
LISTINGS: list[tuple[str, str, str | None, dict[str, str], list[str]]] = [
    ("AKS, both, 1.1.61", AKS, "1.1.61", BOTH, [*COMMON, *TRAINING, *INFERENCE, *INGRESS, "azureml-fe-v2"]),
    ("AKS, both, 1.1.88", AKS, "1.1.88", BOTH, [*COMMON, *TRAINING, *INFERENCE, *INGRESS, "azureml-fe-v2"]),
    ("AKS, both, the newest", AKS, None, BOTH, [*COMMON, *TRAINING, *INFERENCE, *INGRESS, "azureml-fe-v2"]),
    ("AKS, both, of 2022", AKS, "1.1.9", BOTH, [*COMMON, *TRAINING, *INFERENCE, *OLD]),
    ("AKS, both, before 1.1.5", AKS, "1.1.3", BOTH, [*COMMON, *TRAINING, *INFERENCE, *OLD, "relayserver"]),
    ("AKS, training", AKS, None, {"enableTraining": "True"}, [*COMMON, *TRAINING]),
    ("Arc, training", ARC, None, {"enableTraining": "True"}, [*COMMON, *TRAINING, "relayserver"]),
    ("Arc, both", ARC, None, BOTH, [*COMMON, *TRAINING, *INFERENCE, "azureml-fe-v2", "relayserver"]),
    ("Arc, both, of 2022", ARC, "1.1.9", BOTH, [*COMMON, *TRAINING, *INFERENCE, *OLD, "relayserver"]),
    ("without Volcano and Prometheus", AKS, None, {"enableTraining": "True", "installVolcano": "false", "installPromOp": "false"}, ["aml-operator", "gateway", "metrics-controller-manager", "prometheus-prom-prometheus"]),
    ("an empty value is the default", AKS, None, {"enableTraining": "True", "installVolcano": ""}, [*COMMON, *TRAINING]),
]  # fmt: skip
KINDS = ("deployments", "daemonsets", "statefulsets")
DEFINITIONS = {"amljobs", "identities", "instancetypes", "metrics", "onlinedeployments", "onlineendpoints"}


def controllers(box: InProcess, cluster: str) -> list[str]:
    found = [
        box.kube("GET", f"/apis/apps/v1/namespaces/azureml/{kind}", cluster=cluster).body["items"] for kind in KINDS
    ]
    return sorted(item["metadata"]["name"] for items in found for item in items)


@pytest.mark.parametrize(
    ("name", "cluster", "version", "settings", "components"), LISTINGS, ids=[case[0] for case in LISTINGS]
)
def test_the_components_of_a_version(
    name: str, cluster: str, version: str | None, settings: dict[str, str], components: list[str], tmp_path: Path
) -> None:
    with sandbox(tmp_path) as box:
        assert box.install(cluster, version, **settings)["status"] == "Succeeded"
        assert controllers(box, cluster.rsplit("/", 1)[-1]) == sorted(components)


def test_pods_have_sidecars_and_owners(tmp_path: Path) -> None:
    with sandbox(tmp_path) as box:
        box.install(ARC, None, **BOTH)
        pods, sets = (
            box.pods("arc"),
            box.kube("GET", "/apis/apps/v1/namespaces/azureml/replicasets", cluster="arc").body,
        )
    by_uid = {item["metadata"]["uid"]: item for item in sets["items"]}
    sizes: dict[str, list[int]] = {}
    for pod in pods.values():
        app = pod["metadata"].get("labels", {}).get("app", "")
        sizes.setdefault(app, []).append(len(pod["spec"]["containers"]))
        for owner in pod["metadata"].get("ownerReferences", ()):
            if owner["kind"] == "ReplicaSet":
                deployment = by_uid[owner["uid"]]["metadata"]["ownerReferences"][0]
                assert (deployment["kind"], deployment["name"]) == ("Deployment", app)
                assert pod["metadata"]["name"].startswith(f"{owner['name']}-")
    assert sizes["relayserver"] == [2, 2]
    assert sizes["metrics-controller-manager"] == sizes["prometheus-prom-prometheus"] == [2]
    assert sizes["volcano-scheduler"] == [1]
    assert len(sizes["azureml-fe-v2"]) == 3
    assert pods["prometheus-prom-prometheus-0"]["metadata"]["ownerReferences"][0]["kind"] == "StatefulSet"
    healthcheck = pods["healthcheck"]["status"]
    assert healthcheck["phase"] == "Succeeded"
    assert healthcheck["containerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"


def test_an_update_to_a_newer_version_removes_old_components(tmp_path: Path) -> None:
    with sandbox(tmp_path) as box:
        box.install(AKS, "1.1.9", **BOTH)
        box.install(AKS, "1.1.88", **BOTH)
        assert not set(OLD) & set(controllers(box, "aks"))
        assert not any(name.startswith("fluent-bit") for name in box.pods())


def test_the_definitions_and_their_removal(tmp_path: Path) -> None:
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    with sandbox(tmp_path) as box:
        box.install(AKS)
        names = {item["metadata"]["name"] for item in box.kube("GET", path).body["items"]}
        assert {f"{name}.amlarc.azureml.com" for name in DEFINITIONS} <= names
        assert "queues.scheduling.volcano.sh" in names
        box.follow(box.arm("DELETE", f"{AKS}/{EXTENSION}"))
        assert box.kube("GET", path).body["items"] == []


def properties_of(box: InProcess, cluster: str = AKS) -> dict[str, Any]:
    found: dict[str, Any] = box.arm("GET", f"{cluster}/{EXTENSION}").body["properties"]
    return found


def put(box: InProcess, **properties: Any) -> Any:
    body = {
        "properties": {
            "extensionType": "Microsoft.AzureML.Kubernetes",
            "configurationSettings": {"enableTraining": "True"},
            **properties,
        }
    }
    return box.arm("PUT", f"{AKS}/{EXTENSION}", body)


def test_a_new_extension(tmp_path: Path) -> None:
    with sandbox(tmp_path, seconds=0.2) as box:
        response = put(box, version="1.1.61", scope={"cluster": {}})
        properties = response.body["properties"]
        assert response.status == 201
        assert (properties["version"], properties["currentVersion"]) == ("1.1.61", "1.1.61")
        assert properties["autoUpgradeMinorVersion"] is False
        assert properties["scope"] == {"cluster": {"releaseNamespace": "azureml"}}
        assert properties["aksAssignedIdentity"] is None
        assert response.headers["Location"].partition("?")[0].endswith(f"{AKS}/{EXTENSION}")
        assert response.headers["Location"].startswith("https://localhost:")
        assert "api-Version=2024-11-01" in response.headers["Azure-AsyncOperation"]
        box.follow(response)
        identity = properties_of(box)["aksAssignedIdentity"]
    assert set(identity) == {"principalId", "tenantId", "type"}
    assert identity["tenantId"] is identity["type"] is None


def test_a_version_and_automatic_upgrades_contradict(tmp_path: Path) -> None:
    with sandbox(tmp_path) as box:
        response = put(box, version="1.1.61", autoUpgradeMinorVersion=True)
    assert (response.status, response.body["error"]["code"]) == (400, "ExtensionAutoUpgradeCannotBeEnabled")


PATCHES: list[tuple[str, dict[str, Any], int, dict[str, str], list[str]]] = [
    ("an empty section changes nothing", {"configurationProtectedSettings": {}}, 200, {"enableTraining": "True"}, ["a", "b"]),
    ("a section with keys replaces the whole", {"configurationProtectedSettings": {"c": "3"}}, 202, {"enableTraining": "True"}, ["c"]),
    ("null changes nothing", {"configurationSettings": {"enableTraining": None}}, 200, {"enableTraining": "True"}, ["a", "b"]),
    ("an empty value is kept", {"configurationSettings": {"installVolcano": ""}}, 202, {"enableTraining": "True", "installVolcano": ""}, ["a", "b"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "changes", "status", "settings", "protected"), PATCHES, ids=[case[0] for case in PATCHES]
)
def test_a_patch(
    name: str, changes: dict[str, Any], status: int, settings: dict[str, str], protected: list[str], tmp_path: Path
) -> None:
    with sandbox(tmp_path) as box:
        box.follow(put(box, configurationProtectedSettings={"a": "1", "b": "2"}))
        assert box.arm("PATCH", f"{AKS}/{EXTENSION}", {"properties": changes}).status == status
        properties = properties_of(box)
    assert properties["configurationSettings"] == settings
    assert sorted(properties["configurationProtectedSettings"]) == protected


TYPES = "providers/Microsoft.KubernetesConfiguration/extensionTypes"
PREVIEW = {"api-version": "2023-05-01-preview"}
LIMITED = [
    {
        "name": "microsoft.azureml.kubernetes",
        "versions": ["1.1.83", "1.1.88"],
        "regions": ["westus", "East US 2"],
        "cluster_types": ["connectedClusters"],
    }
]


def names(response: Any) -> list[str]:
    return [item["name"] for item in response.body["value"]]


def test_the_extension_types_of_a_cluster_and_a_location(tmp_path: Path) -> None:
    by_location = (
        "/subscriptions/33333333-dddd-4eee-8fff-444444444444/providers/Microsoft.KubernetesConfiguration/locations"
    )
    name = "microsoft.azureml.kubernetes"
    with sandbox(tmp_path, extension_types=LIMITED) as box:
        assert names(box.arm("GET", f"{ARC}/{TYPES}", **PREVIEW)) == []
        assert names(box.arm("GET", f"{by_location}/westus/extensionTypes", **PREVIEW)) == [name]
        assert names(box.arm("GET", f"{by_location}/westus/extensionTypes/{name}/versions", **PREVIEW)) == [
            "1.1.83",
            "1.1.88",
        ]
        latest = box.arm("GET", f"{by_location}/westus/extensionTypes/{name}/versions", showLatest="true", **PREVIEW)
        assert names(latest) == ["1.1.88"]
        assert box.arm("GET", f"{by_location}/eastus/extensionTypes/{name}", **PREVIEW).status == 404
        refused = box.install(ARC)["error"]
    assert refused["code"] == "ExtensionTypeRegistrationGetFailed"
    assert refused["message"] == (
        "Extension type microsoft.azureml.kubernetes is not registered in region eastus. Extension is available in "
        "westus, East US 2. Please try to install in these regions."
    )


def test_the_extension_type_of_a_cluster(tmp_path: Path) -> None:
    name = "microsoft.azureml.kubernetes"
    with sandbox(tmp_path) as box:
        found = box.arm("GET", f"{AKS}/{TYPES}/Microsoft.AzureML.Kubernetes", **PREVIEW)
        versions = box.arm("GET", f"{AKS}/{TYPES}/{name}/versions", **PREVIEW)
        assert box.arm("PUT", f"{AKS}/{TYPES}/{name}", {}, **PREVIEW).status == 405
    properties = found.body["properties"]
    assert properties["isManagedIdentityRequired"] is True
    assert properties["supportedScopes"]["clusterScopeSettings"]["properties"] == {
        "allowMultipleInstances": False,
        "defaultReleaseNamespace": "azureml",
    }
    assert names(versions)[-1] == "1.1.88"


COMPUTE = f"{GROUP}/Microsoft.MachineLearningServices/workspaces/ml-ws/computes/k8s"
ML = {"api-version": "2024-10-01"}


def attach(box: InProcess) -> Any:
    inner = {"computeType": "Kubernetes", "resourceId": AKS, "properties": {"namespace": "default"}}
    return box.arm("PUT", COMPUTE, {"location": "eastus", "properties": inner}, **ML)


def test_a_new_compute_has_no_location_at_first(tmp_path: Path) -> None:
    with sandbox(tmp_path) as box:
        box.install(AKS)
        response = attach(box)
        assert "computeLocation" not in response.body["properties"]
        box.follow(response)
        assert box.arm("GET", COMPUTE, **ML).body["properties"]["computeLocation"] == "eastus"


@pytest.mark.parametrize("allowed", [False, True])
def test_a_put_over_a_compute(allowed: bool, tmp_path: Path) -> None:
    with sandbox(tmp_path, compute_updates=allowed) as box:
        box.install(AKS)
        box.follow(attach(box))
        response = attach(box)
    assert response.status == (201 if allowed else 400)
    assert allowed or response.body["error"]["code"] == "UserError"


SIZES = [("1.1.9", "0.6", "1536Mi", "0.6"), ("1.1.17", "100m", "500Mi", "2"), ("1.1.88", "100m", "2Gi", "2")]


@pytest.mark.parametrize(("version", "cpu", "memory", "limit"), SIZES, ids=[case[0] for case in SIZES])
def test_the_default_instance_type_of_a_version(
    version: str, cpu: str, memory: str, limit: str, tmp_path: Path
) -> None:
    with sandbox(tmp_path) as box:
        box.install(AKS, version)
        box.follow(attach(box))
        types = box.arm("GET", COMPUTE, **ML).body["properties"]["properties"]["instanceTypes"]
    resources = types["defaultinstancetype"]["resources"]
    assert resources["requests"] == {"cpu": cpu, "memory": memory}
    assert (resources["limits"]["cpu"], resources["limits"]["nvidia.com/gpu"]) == (limit, None)


def test_a_user_assigned_identity_without_a_role(tmp_path: Path) -> None:
    world = {
        "identities": [{"name": "poor", "group": "ml-rg"}],
        "workspaces": [
            {"name": "ml-ws", "identity": "poor", "missing_roles": ["Azure Kubernetes Service Cluster Admin Role"]}
        ],
    }
    with sandbox(tmp_path, **world) as box:
        box.install(AKS)
        error = box.follow(attach(box))["error"]
    assert error["code"] == "BadRequest"
    assert error["message"] == "AKS role check failed for user assigned identity. Please check the role assignment."


def test_a_role_assignment_with_the_wrong_principal_type(tmp_path: Path) -> None:
    with sandbox(tmp_path) as box:
        principal = box.arm("GET", AKS).body["identity"]["principalId"]
        path = f"{AKS}/providers/Microsoft.Authorization/roleAssignments/11111111-1111-4111-8111-111111111111"
        role = "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
        properties = {"roleDefinitionId": role, "principalId": principal, "principalType": "User"}
        wrong = box.arm("PUT", path, {"properties": properties}, **{"api-version": "2022-04-01"})
        properties["principalType"] = "ServicePrincipal"
        right = box.arm("PUT", path, {"properties": properties}, **{"api-version": "2022-04-01"})
    assert (wrong.status, wrong.body["error"]["code"]) == (400, "UnmatchedPrincipalType")
    assert right.status == 201


def test_agent_pools_leave_out_what_is_not_set(tmp_path: Path) -> None:
    pools = [
        {"name": "plain", "count": 1},
        {
            "name": "gpu",
            "count": 1,
            "labels": {"a": "b"},
            "taints": [{"key": "sku", "value": "gpu", "effect": "NoSchedule"}],
            "min_count": 0,
            "max_count": 5,
        },
    ]
    with sandbox(tmp_path, clusters=[{"name": "aks", "pools": pools}]) as box:
        plain, gpu = box.arm("GET", AKS).body["properties"]["agentPoolProfiles"]
    assert not {"nodeLabels", "nodeTaints", "minCount"} & set(plain)
    assert (gpu["nodeLabels"], gpu["nodeTaints"]) == ({"a": "b"}, ["sku=gpu:NoSchedule"])
    assert (gpu["enableAutoScaling"], gpu["minCount"], gpu["maxCount"]) == (True, 0, 5)


def test_pods_that_admission_refuses_fail_the_installation(tmp_path: Path) -> None:
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "azureml", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
    }
    with sandbox(tmp_path, clusters=[{"name": "aks", "objects": [namespace]}]) as box:
        assert box.install(AKS)["status"] == "Failed"
        events = box.kube("GET", "/api/v1/namespaces/azureml/events").body["items"]
    texts = [(event["involvedObject"]["kind"], event["reason"], event["message"]) for event in events]
    assert any(
        kind == "ReplicaSet" and reason == "FailedCreate" and 'violates PodSecurity "restricted:latest"' in text
        for kind, reason, text in texts
    )


def test_a_webhook_that_fails_is_helms_error(tmp_path: Path) -> None:
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["deployments"]}
    hook = {
        "name": "v.example.com",
        "rules": [rule],
        "clientConfig": {"service": {"name": "v", "namespace": "v"}},
        "sideEffects": "None",
    }
    webhook = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "v"},
        "webhooks": [hook],
    }
    with sandbox(tmp_path, clusters=[{"name": "aks", "objects": [webhook]}]) as box:
        message = box.install(AKS)["error"]["message"]
    assert (
        'failed calling webhook "v.example.com": failed to call webhook: Post "https://v.v.svc:443/?timeout=10s": service "v" not found'
        in message
    )


def test_images_are_built_for_amd64_alone(tmp_path: Path) -> None:
    with sandbox(tmp_path, clusters=[{"name": "aks", "pools": [{"name": "arm", "count": 3, "arch": "arm64"}]}]) as box:
        assert box.install(AKS)["status"] == "Failed"
        pods = box.pods().values()
    reasons = {pod["status"]["containerStatuses"][0]["state"].get("waiting", {}).get("reason") for pod in pods}
    assert reasons == {"CrashLoopBackOff"}
