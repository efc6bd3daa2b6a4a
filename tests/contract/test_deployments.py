"""Online deployments on Kubernetes computes: what fails at deployment, and not at the attachment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from azext_amlk8s.diagnosis import explain
from tests.contract.in_process import AKS, GROUP, InProcess, sandbox

WORKSPACE = f"{GROUP}/Microsoft.MachineLearningServices/workspaces/ml-ws"


def deploy(running: InProcess) -> Any:
    """Create an endpoint and a deployment on the compute k8s; the body of the last poll of its operation."""
    endpoint = {"location": "eastus", "properties": {"authMode": "Key", "compute": f"{WORKSPACE}/computes/k8s"}}
    path, version = f"{WORKSPACE}/onlineEndpoints/ep", {"api-version": "2024-10-01"}
    assert running.arm("PUT", path, endpoint, **version).status in (200, 201)
    body = {"location": "eastus", "properties": {"endpointComputeType": "Kubernetes"}}
    reply = running.arm("PUT", f"{path}/deployments/blue", body, **version)
    assert reply.status == 201
    return running.follow(reply)


@pytest.mark.parametrize("identity", [{"principalId": "33333333-dddd-4eee-8fff-444444444444"}, None])
def test_extension_without_identity_fails_at_deployment(tmp_path: Path, identity: Any) -> None:
    """The compute is attached either way."""
    extension = {
        "name": "ext",
        "group": "ml-rg",
        "type": "Microsoft.KubernetesConfiguration/extensions",
        "scope": "Microsoft.ContainerService/managedClusters/aks",
        "properties": {
            "extensionType": "microsoft.azureml.kubernetes",
            "provisioningState": "Succeeded",
            "aksAssignedIdentity": identity,
        },
    }
    compute = {
        "name": "ml-ws/k8s",
        "group": "ml-rg",
        "type": "Microsoft.MachineLearningServices/workspaces/computes",
        "properties": {"computeType": "Kubernetes", "resourceId": AKS, "provisioningState": "Succeeded"},
    }
    with sandbox(tmp_path, resources=[extension, compute]) as running:
        state = deploy(running)
    if identity:
        assert state["status"] == "Succeeded"
    else:
        assert state["error"]["code"] == "RefreshExtensionIdentityNotSet"
        assert explain(f"({state['error']['code']}) {state['error']['message']}")[0].code == state["error"]["code"]
