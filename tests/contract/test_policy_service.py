"""Azure Policy of the sandbox without any client: conditions, existence, permissions, states."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.azure.policy.conditions import holds
from tests.contract.in_process import AKS, InProcess, sandbox
from tests.contract.test_template_deployments import EXTENSION, template

SUBSCRIPTION = "/subscriptions/33333333-dddd-4eee-8fff-444444444444"
GROUP = f"{SUBSCRIPTION}/resourceGroups/ml-rg"
POLICY = {"api-version": "2023-04-01"}
REMEDIATION = {"api-version": "2021-10-01"}
ROLE = "/providers/Microsoft.Authorization/roleDefinitions/85cb6faf-e071-4c9b-8136-154b5a04f717"
IF = {"field": "type", "equals": "Microsoft.ContainerService/managedClusters"}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[InProcess]:
    with sandbox(tmp_path, seconds=0.05) as started:
        yield started


def definition(condition: Any = None, existence: Any = None, content: Any = None) -> dict[str, Any]:
    """The body of a definition that installs the extension on AKS clusters."""
    own = {**EXTENSION, "scope": "[concat('Microsoft.ContainerService/managedClusters/', parameters('name'))]"}
    deployment = {
        "mode": "incremental",
        "parameters": {"name": {"value": "[field('name')]"}},
        "template": content or template(own, parameters={"name": {"type": "string"}}),
    }
    details: dict[str, Any] = {
        "type": EXTENSION["type"],
        "roleDefinitionIds": [ROLE],
        "deployment": {"properties": deployment},
    }
    if existence:
        details["existenceCondition"] = existence
    rule = {"if": condition or IF, "then": {"effect": "DeployIfNotExists", "details": details}}
    return {"properties": {"mode": "Indexed", "policyRule": rule}}


def assign(running: InProcess, body: dict[str, Any], *, role: bool = True) -> str:
    """The ID of an assignment of a definition to the group; role: its identity gets the role."""
    path = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/policyDefinitions/install"
    assert running.arm("PUT", path, body, **POLICY).status == 201
    assignment = f"{GROUP}/providers/Microsoft.Authorization/policyAssignments/install"
    sent = {"location": "eastus", "identity": {"type": "SystemAssigned"}, "properties": {"policyDefinitionId": path}}
    response = running.arm("PUT", assignment, sent, **POLICY)
    assert response.status == 201, response.text
    if role:
        grant = {"roleDefinitionId": ROLE, "principalId": response.body["identity"]["principalId"]}
        name = "9d88aa10-1e90-436e-a97f-e37397871ba7"
        path = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/{name}"
        assert running.arm("PUT", path, {"properties": grant}, **{"api-version": "2022-04-01"}).status == 201
    return assignment


def remediate(running: InProcess, assignment: str, scope: str = GROUP, **more: Any) -> dict[str, Any]:
    """The properties of a remediation at its end."""
    path = f"{scope}/providers/Microsoft.PolicyInsights/remediations/one"
    body = {"properties": {"policyAssignmentId": assignment, "resourceDiscoveryMode": "ReEvaluateCompliance", **more}}
    response = running.arm("PUT", path, body, **REMEDIATION)
    assert response.status == 201, response.text
    for _ in range(200):
        found: dict[str, Any] = running.arm("GET", path, **REMEDIATION).body["properties"]
        if found["provisioningState"] in ("Succeeded", "Failed"):
            return found
        time.sleep(0.02)
    raise AssertionError("the remediation does not end")


def test_remediation_deploys_the_template_with_the_names_of_the_cluster(running: InProcess) -> None:
    found = remediate(running, assign(running, definition()))
    assert found["deploymentStatus"] == {"totalDeployments": 1, "successfulDeployments": 1, "failedDeployments": 0}
    extension = running.arm("GET", f"{AKS}/providers/{EXTENSION['type']}/azureml", **{"api-version": "2023-05-01"})
    assert extension.body["properties"]["provisioningState"] == "Succeeded"


def test_nothing_is_deployed_where_the_extension_exists(running: InProcess) -> None:
    assert running.install()["status"] == "Succeeded"
    found = remediate(running, assign(running, definition()))
    assert found["deploymentStatus"]["totalDeployments"] == 0


def test_existence_condition_must_hold(running: InProcess) -> None:
    """The extension exists in another state than the condition requires."""
    assert running.install()["status"] == "Succeeded"
    alias = f"{EXTENSION['type']}/provisioningState"
    found = remediate(running, assign(running, definition(existence={"field": alias, "equals": "Failed"})))
    assert found["deploymentStatus"]["totalDeployments"] == 1


def test_identity_without_the_role_cannot_deploy(running: InProcess) -> None:
    found = remediate(running, assign(running, definition(), role=False))
    assert found["provisioningState"] == "Failed"
    path = f"{GROUP}/providers/Microsoft.PolicyInsights/remediations/one/listDeployments"
    (shown,) = running.arm("POST", path, **REMEDIATION).body["value"]
    assert (shown["status"], shown["error"]["code"]) == ("Failed", "AuthorizationFailed")


def test_failed_deployment_is_shown(running: InProcess) -> None:
    broken = template({**EXTENSION, "apiVersion": "1999-01-01"}, parameters={"name": {"type": "string"}})
    found = remediate(running, assign(running, definition(content=broken)))
    assert found["deploymentStatus"]["failedDeployments"] == 1


def test_remediation_of_one_cluster(running: InProcess) -> None:
    assert remediate(running, assign(running, definition()), AKS)["deploymentStatus"]["totalDeployments"] == 1


def test_excluded_and_other_scopes_are_not_remediated(running: InProcess) -> None:
    assignment = assign(running, definition())
    body = running.arm("GET", assignment, **POLICY).body
    body["properties"]["notScopes"] = [AKS]
    assert running.arm("PUT", assignment, body, **POLICY).status == 201
    assert remediate(running, assignment)["deploymentStatus"]["totalDeployments"] == 0
    path = f"{SUBSCRIPTION}/providers/Microsoft.PolicyInsights/remediations/above"
    response = running.arm("PUT", path, {"properties": {"policyAssignmentId": assignment}}, **REMEDIATION)
    assert response.body["error"]["code"] == "InvalidCreateRemediationRequest"


@pytest.mark.parametrize(
    "change",
    [
        {"if": {"field": "type"}},
        {"if": {"field": "type", "equals": "x", "value": "y"}},
        {"if": {"allOf": [{"field": "type", "resembles": "x"}]}},
        {"then": {"effect": "DeployIfNotExists", "details": {"type": "x"}}},
        {"if": {"field": "type", "equals": "[parameters('kind')]"}},
    ],
    ids=json.dumps,
)
def test_invalid_definitions_are_rejected(running: InProcess, change: dict[str, Any]) -> None:
    body = definition()
    body["properties"]["policyRule"].update(change)
    path = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/policyDefinitions/wrong"
    response = running.arm("PUT", path, body, **POLICY)
    assert (response.status, response.body["error"]["code"][:13]) == (400, "InvalidPolicy")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"field": "a", "equals": "STORE-1"}, True),
        ({"field": "a", "notEquals": "store-1"}, False),
        ({"field": "a", "like": "store-*"}, True),
        ({"field": "a", "like": "store"}, False),
        ({"field": "a", "match": "?????-#"}, True),
        ({"field": "a", "notIn": ["x", "y"]}, True),
        ({"field": "a", "contains": "ORE"}, True),
        ({"field": "b", "exists": "false"}, True),
        ({"field": "b", "exists": True}, False),
        ({"field": "c", "containsKey": "Ring"}, True),
        ({"field": "n", "greater": 3}, True),
        ({"field": "a", "less": 3}, False),
        ({"not": {"anyOf": [{"field": "a", "equals": "x"}, {"value": "y", "equals": "Y"}]}}, False),
        ({"allOf": [{"field": "a", "exists": True}, {"field": "n", "in": [4, 5]}]}, True),
    ],
    ids=str,
)
def test_conditions(condition: dict[str, Any], expected: bool) -> None:
    fields = {"a": "store-1", "c": {"ring": "canary"}, "n": 4}
    assert holds(condition, fields.get, lambda value: value) is expected
