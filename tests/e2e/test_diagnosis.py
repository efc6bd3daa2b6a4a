"""A cluster for each kind of failure: the failure is explained at once, with its fix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support import Sandbox

WORLD = ROOT / "sandbox/worlds/troubled.yaml"
BOTH = [
    "enableTraining=True",
    "enableInference=True",
    "inferenceRouterServiceType=LoadBalancer",
    "allowInsecureConnections=True",
]
TRAINING = ["enableTraining=True"]
HIGH = "inferenceRouterHA=True"
ARC = {"cluster_type": "connectedClusters"}


@pytest.fixture(scope="module")
def troubled(start: Callable[..., Sandbox]) -> Sandbox:
    return start("--world", str(WORLD), "--provisioning-seconds", "0.2")


@pytest.fixture
def cmd(troubled: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What az hands to a handler, signed in to the sandbox, in this process."""
    from azure.cli.core import AzCli, AzCommandsLoader, cloud

    for name, value in troubled.env.items():
        if name.startswith(("AZURE_", "REQUESTS_", "KUBECONFIG")):
            monkeypatch.setenv(name, value)
    folder = troubled.env["AZURE_CONFIG_DIR"]
    # az reads these once, when it is first imported.
    monkeypatch.setattr(cloud, "GLOBAL_CONFIG_DIR", folder)
    monkeypatch.setattr(cloud, "CLOUD_CONFIG_FILE", str(Path(folder) / "clouds.config"))
    cli = AzCli(cli_name="az", config_dir=folder, config_env_var_prefix="AZURE", commands_loader_cls=AzCommandsLoader)
    return SimpleNamespace(cli_ctx=cli)


def error_text(raised: Any) -> str:
    """The error and what it recommends, as one text."""
    return "\n".join([str(raised.value), *(raised.value.recommendations or [])])


# Failure, cluster, settings, options, parts of the message, part of the recommendations.
INSTALLS: list[tuple[str, str, list[str], dict[str, Any], list[str], str]] = [
    ("load balancer without an address", "no-load-balancer", BOTH, ARC, ["E40001 LOAD_BALANCER_NOT_SUPPORT [health check service]"], "inferenceRouterServiceType=nodePort"),
    ("too few nodes", "two-nodes", [*BOTH, HIGH], {}, ["F101"], "inferenceRouterHA=False"),
    ("internal load balancer outside AKS", "no-load-balancer", [*BOTH, "internalLoadBalancerProvider=azure"], ARC, ["F103"], "Leave out internalLoadBalancerProvider"),
    ("image pull", "no-registry", TRAINING, {}, ["timed out waiting for the condition", "ImagePullBackOff [Pod "], "kubectl --context no-registry describe pod"),
    ("too little capacity", "small-nodes", BOTH, {}, ["K305"], "az aks nodepool add"),
    ("taints", "tainted", TRAINING, {}, ["F119"], "az aks nodepool add --cluster-name tainted"),
    ("a selector that no node matches", "ordinary", [*TRAINING, "nodeSelector.pool=ml"], {"skip_checks": ["K307"]}, ["NodeSelectorMismatch"], "kubectl --context ordinary get nodes --show-labels"),
    ("quota", "quota", TRAINING, {}, ["K318"], "edit resourcequota pods -n azureml"),
    ("Volcano of another owner", "own-volcano", TRAINING, {"skip_checks": ["K312"]}, ["OwnershipConflict", "jobs.batch.volcano.sh"], "installVolcano=False"),
    ("Prometheus of another owner", "own-prometheus", TRAINING, {"skip_checks": ["K313"]}, ["E45002"], "installPromOp=False"),
    ("router of a retired attachment", "legacy-router", BOTH, {"skip_checks": ["K314"]}, ["E45005"], "kubectl --context legacy-router delete -n default deployment/azureml-fe"),
    ("role of a retired attachment", "legacy-role", BOTH, {"skip_checks": ["K314"]}, ["E45004 AZUREML_FE_ROLE_CONFLICT"], "kubectl --context legacy-role delete clusterrole azureml-fe"),
    ("name in use", "name-in-use", TRAINING, {"skip_checks": ["K316"]}, ["ReleaseNameInUse"], "helm --kube-context name-in-use list -n azureml"),
    ("interrupted", "interrupted", TRAINING, {"skip_checks": ["K316"]}, ["HelmOperationInProgress"], "helm --kube-context interrupted history"),
    ("still being deleted", "terminating", TRAINING, {"skip_checks": ["K311"]}, ["NamespaceTerminating"], "kubectl --context terminating wait --for=delete namespace/azureml"),
    ("agents offline", "offline", TRAINING, ARC, ["F105"], "az connectedk8s show -n offline -g ml-rg"),
    ("service principal", "service-principal", TRAINING, {}, ["F109"], "az aks update -n service-principal -g ml-rg --enable-managed-identity"),
    ("no such version", "ordinary", TRAINING, {"version": "9.9.9", "auto_upgrade": False}, ["VersionNotResolved"], "--version"),
    ("policy", "policed", TRAINING, {"group": "policed-rg"}, ["RequestDisallowedByPolicy", "no-extensions"], "az policy assignment list"),
    ("lock", "locked", TRAINING, {"group": "locked-rg", "skip_checks": ["K105"]}, ["ScopeLocked"], "az lock list"),
    ("role of the caller", "denied", TRAINING, {"group": "denied-rg", "skip_checks": ["K103"]}, ["AuthorizationFailed"], "az role assignment list"),
]  # fmt: skip


def install(
    cmd: Any, cluster: str, config: list[str], group: str = "ml-rg", cluster_type: str = "managedClusters", **more: Any
) -> Any:
    """Install it on a cluster from which what an earlier attempt left is removed."""
    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.operations import extension_create, extension_remove

    client = AzureClient(cmd.cli_ctx)
    if client.list_extensions(client.cluster_ref(group, cluster_type, cluster)):
        extension_remove.delete(cmd, group, cluster, cluster_type, "aml", yes=True)
    return extension_create.create(cmd, group, cluster, cluster_type=cluster_type, name="aml", config=config, **more)


@pytest.mark.parametrize(
    ("name", "cluster", "config", "more", "says", "fix"), INSTALLS, ids=[case[0] for case in INSTALLS]
)
def test_failed_installation_is_explained(
    name: str, cluster: str, config: list[str], more: dict[str, Any], says: list[str], fix: str, cmd: Any
) -> None:
    from azure.cli.core.azclierror import AzCLIError

    from azext_amlk8s.operations.boundary import error_boundary

    with pytest.raises(AzCLIError) as raised, error_boundary():
        install(cmd, cluster, config, **more)
    text = error_text(raised)
    assert [say for say in says if say not in text] == [], text
    assert fix in text


def test_certificate_for_another_name(cmd: Any, tmp_path: Path) -> None:
    """The health check looks at it again, in the cluster; both files are of a kind, so it is not refused before."""
    import trustme
    from azure.cli.core.azclierror import AzCLIError

    from azext_amlk8s.operations.boundary import error_boundary

    certificate = trustme.CA().issue_cert("ml.example.com")
    (tmp_path / "cert.pem").write_bytes(
        b"".join(cert_chain_pem.bytes() for cert_chain_pem in certificate.cert_chain_pems)
    )
    (tmp_path / "key.pem").write_bytes(certificate.private_key_pem.bytes())
    files = [f"sslCertPemFile={tmp_path / 'cert.pem'}", f"sslKeyPemFile={tmp_path / 'key.pem'}"]
    config = ["enableInference=True", "inferenceRouterServiceType=LoadBalancer", "sslCname=other.example.com"]
    with pytest.raises(AzCLIError) as raised, error_boundary():
        install(cmd, "ordinary", config, config_protected=files)
    assert "other.example.com" in error_text(raised)


def test_recommended_fix_succeeds(cmd: Any) -> None:
    """The installation succeeds with the recommended setting."""
    done = install(cmd, "two-nodes", [*BOTH, "inferenceRouterHA=False"])
    assert (done["properties"]["provisioningState"], done["properties"]["statuses"]) == ("Succeeded", [])


def test_failed_update_is_explained(cmd: Any) -> None:
    """Training runs beside the router of a retired attachment; inference does not."""
    from azure.cli.core.azclierror import AzCLIError

    from azext_amlk8s.operations import extension_update
    from azext_amlk8s.operations.boundary import error_boundary

    assert install(cmd, "legacy-router", TRAINING)["properties"]["provisioningState"] == "Succeeded"
    with pytest.raises(AzCLIError) as raised, error_boundary():
        extension_update.update(
            cmd, "ml-rg", "legacy-router", cluster_type="managedClusters", name="aml", config=BOTH, yes=True
        )
    text = error_text(raised)
    assert "failed pre-upgrade: pod healthcheck failed" in text
    assert "E45005 AZUREML_FE_DEPLOYMENT_CONFLICT [health check inferencev1]" in text


# Failure, workspace, role that its identity lacks on the cluster.
ATTACHMENTS: list[tuple[str, str, str]] = [
    ("role of the workspace on the cluster", "ml-ws-no-admin", "Azure Kubernetes Service Cluster Admin Role"),
    ("role of the workspace on the extension", "ml-ws-no-extension", "Kubernetes Extension Contributor"),
]


@pytest.fixture(scope="module")
def installed(troubled: Sandbox) -> None:
    """A good cluster with the extension."""
    words = ["-g", "ml-rg", "-c", "good", "-t", "managedClusters", "-n", "aml", "--config", *TRAINING]
    assert troubled.az("amlk8s", "extension", "create", *words).code == 0


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("name", "workspace", "role"), ATTACHMENTS, ids=[attachment[0] for attachment in ATTACHMENTS])
def test_attachment_without_role_is_rejected(name: str, workspace: str, role: str, cmd: Any) -> None:
    from azure.cli.core.azclierror import AzCLIError

    from azext_amlk8s.operations import compute_attach
    from azext_amlk8s.operations.boundary import error_boundary

    with pytest.raises(AzCLIError) as raised, error_boundary():
        compute_attach.attach(cmd, "ml-rg", workspace, "k8s", cluster_name="good", cluster_type="managedClusters")
    text = error_text(raised)
    assert f"lacks role '{role}' on 'good'" in text, text
    assert f"az role assignment create --role '{role}'" in text, text


def test_az_prints_cause_and_fix(troubled: Sandbox) -> None:
    """The real az: exit code 1, the cause and the fix on stderr, no traceback; the cluster keeps its report."""
    words = ["-g", "ml-rg", "-c", "other-prometheus", "-t", "managedClusters", "-n", "aml", "--skip-checks", "K313"]
    said = troubled.az("amlk8s", "extension", "create", *words, "--config", *TRAINING)
    assert said.code == 1
    assert "E45002 PROMETHEUS_CONFLICT" in said.err
    assert "--config installPromOp=False" in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


def test_az_explains_offline(troubled: Sandbox) -> None:
    """Without network and without login, in every format; a text from a pipe too."""
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "AZURE_CONFIG_DIR": str(troubled.folder / "nobody")}
    table = troubled.az("amlk8s", "explain", "E40002", "-o", "table", **nowhere)
    assert (table.code, "E40002" in table.out) == (0, True), table.err
    text = "Status: Failed Name: service ErrorCode: E40001 ErrorMessage: x\n"
    piped = troubled.az("amlk8s", "explain", "-", stdin=text, **nowhere).json
    assert [item["code"] for item in piped] == ["E40001"]
