"""Deployments of templates, by Microsoft's documentation of templates and of their errors."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.in_process import AKS, GROUP, InProcess, Response, sandbox

SUBSCRIPTION = "/subscriptions/33333333-dddd-4eee-8fff-444444444444"
VERSION = {"api-version": "2024-07-01"}
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
RELAY = {"type": "Microsoft.Relay/namespaces", "apiVersion": "2021-11-01", "location": "eastus"}
EXTENSION = {
    "type": "Microsoft.KubernetesConfiguration/extensions",
    "apiVersion": "2023-05-01",
    "name": "azureml",
    "scope": AKS,
    "properties": {
        "extensionType": "Microsoft.AzureML.Kubernetes",
        "configurationSettings": {"enableTraining": "True"},
    },
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    with sandbox(tmp_path_factory.mktemp("sandbox"), seconds=0.05) as started:
        yield started


def template(*resources: Any, **more: Any) -> dict[str, Any]:
    """A template with these resources."""
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": list(resources), **more}


def body(content: Any, **parameters: Any) -> dict[str, Any]:
    """The body of a deployment."""
    values = {name: {"value": value} for name, value in parameters.items()}
    return {"properties": {"mode": "Incremental", "template": content, "parameters": values}}


def at(name: str, scope: str = f"{SUBSCRIPTION}/resourceGroups/ml-rg") -> str:
    """The ID of a deployment."""
    return f"{scope}/providers/Microsoft.Resources/deployments/{name}"


def deploy(running: InProcess, deployment: str, content: Any, **parameters: Any) -> dict[str, Any]:
    """The deployment at its end."""
    response = running.arm("PUT", at(deployment), body(content, **parameters), **VERSION)
    assert response.status == 201, response.text
    running.follow(response)
    found: dict[str, Any] = running.arm("GET", at(deployment), **VERSION).body
    return found


def error_of(response: Response) -> tuple[int, str, str]:
    """Status, code and message of an error."""
    error = response.body["error"]
    return response.status, error["code"], error["message"]


def operations(running: InProcess, name: str) -> list[dict[str, Any]]:
    """The operations of a deployment, oldest first."""
    path = f"{SUBSCRIPTION}/resourcegroups/ml-rg/deployments/{name}/operations"
    return [item["properties"] for item in reversed(running.arm("GET", path, **VERSION).body["value"])]


def test_dependencies_and_conditions(running: InProcess) -> None:
    """Resources wait for what they depend on or refer to; a resource whose condition is false is left out."""
    content = template(
        {**RELAY, "name": "[concat('relay-', 'dep1')]"},
        {"type": "Microsoft.Relay/namespaces/hybridConnections", "apiVersion": "2021-11-01", "name": "relay-dep1/a"}
        | {"properties": {"userMetadata": "[reference('relay-dep1').status]"}},
        {**RELAY, "name": "relay-never", "condition": "[equals(1, 2)]"},
        {"type": "Microsoft.Relay/namespaces/hybridConnections", "apiVersion": "2021-11-01", "name": "relay-dep1/b"}
        | {"dependsOn": ["[resourceId('Microsoft.Relay/namespaces', 'relay-dep1')]", "relay-never"]},
    )
    found = deploy(running, "conditions", content)
    assert found["properties"]["provisioningState"] == "Succeeded"
    assert [operation["targetResource"]["resourceName"] for operation in operations(running, "conditions")[:-1]] == [
        "relay-dep1",
        "relay-dep1/a",
        "relay-dep1/b",
    ]
    hybrid = f"{GROUP}/Microsoft.Relay/namespaces/relay-dep1/hybridConnections/a"
    metadata = running.arm("GET", hybrid, **{"api-version": "2021-11-01"}).body["properties"]["userMetadata"]
    assert metadata == "Active"
    assert (
        running.arm("GET", f"{GROUP}/Microsoft.Relay/namespaces/relay-never", **{"api-version": "2021-11-01"}).status
        == 404
    )


def test_copies(running: InProcess) -> None:
    """Loops over resources, their properties, variables and outputs; a dependency on a loop waits for all of it."""
    content = template(
        {
            **RELAY,
            "name": "[format('relay-copy{0}', copyIndex(1))]",
            "copy": {"name": "all", "count": "[parameters('count')]"},
        },
        {**RELAY, "name": "relay-last", "dependsOn": ["all"]}
        | {"tags": {"copy": [], "first": "[variables('names')[0]]"}},
        parameters={"count": {"type": "int", "defaultValue": 2}},
        variables={"copy": [{"name": "names", "count": 2, "input": "[concat('n', copyIndex('names'))]"}]},
        outputs={
            "ids": {
                "type": "array",
                "copy": {"count": 2, "input": "[reference(concat('relay-copy', copyIndex(1))).status]"},
            }
        },
    )
    found = deploy(running, "copies", content)["properties"]
    assert found["outputs"]["ids"] == {"type": "Array", "value": ["Active", "Active"]}
    assert operations(running, "copies")[-2]["targetResource"]["resourceName"] == "relay-last"
    assert len(found["outputResources"]) == 3


def test_nested_deployments_of_both_scopes(running: InProcess) -> None:
    """Inner: its own parameters. Outer: those of the template around it. Their outputs can be referred to."""
    inner = template(
        {**RELAY, "name": "[parameters('name')]"},
        parameters={"name": {"type": "string"}},
        outputs={"name": {"type": "string", "value": "[reference(parameters('name')).status]"}},
    )
    outer = template(
        {**RELAY, "name": "[parameters('name')]"},
        outputs={"where": {"type": "string", "value": "[variables('text')]"}},
    )
    nested = {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01"}
    content = template(
        {**nested, "name": "inner", "properties": {"mode": "Incremental", "template": inner}
         | {"expressionEvaluationOptions": {"scope": "inner"}, "parameters": {"name": {"value": "relay-inner"}}}},
        {**nested, "name": "outer", "dependsOn": ["inner"], "properties": {"mode": "Incremental", "template": outer}},
        parameters={"name": {"type": "string"}},
        variables={"text": "from outside"},
        outputs={
            "both": {
                "type": "string",
                "value": "[concat(reference('inner').outputs.name.value, reference('outer').outputs.where.value)]",
            }
        },
    )  # fmt: skip
    found = deploy(running, "nesting", content, name="relay-outer")["properties"]
    assert found["outputs"]["both"]["value"] == "Activefrom outside"
    assert {output_resource["id"].rsplit("/", 1)[-1] for output_resource in found["outputResources"]} == {
        "relay-inner",
        "relay-outer",
    }
    assert running.arm("GET", at("outer"), **VERSION).body["properties"]["provisioningState"] == "Succeeded"


def test_symbolic_names_and_existing_resources(running: InProcess) -> None:
    """Language version 2.0: resources by symbolic names; existing ones are read, not written."""
    content = template(
        languageVersion="2.0",
        outputs={"version": {"type": "string", "value": "[reference('cluster').kubernetesVersion]"}},
    )
    content["resources"] = {
        "cluster": {
            "existing": True,
            "type": "Microsoft.ContainerService/managedClusters",
            "apiVersion": "2024-09-01",
            "name": "aks",
        },
        "relay": {**RELAY, "name": "relay-symbol"},
        "again": {**RELAY, "name": "relay-again", "dependsOn": ["relay"]},
    }
    found = deploy(running, "symbols", content)["properties"]
    assert found["outputs"]["version"]["value"].startswith("1.")
    assert [output_resource["id"].rsplit("/", 1)[-1] for output_resource in found["outputResources"]] == [
        "relay-again",
        "relay-symbol",
    ]


def test_failure_is_unfolded(running: InProcess) -> None:
    """The error of a provider is at the end of the details; what does not depend on it is deployed."""
    bad = {**EXTENSION, "properties": {"extensionType": ""}}
    content = template(
        {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "bad"}
        | {"properties": {"mode": "Incremental", "template": template(bad)}},
        {**RELAY, "name": "relay-good"},
    )
    error = deploy(running, "failing", content)["properties"]["error"]
    assert (error["code"], error["details"][0]["code"]) == ("DeploymentFailed", "ResourceDeploymentFailure")
    leaf = error["details"][0]["details"][0]["details"][0]
    assert (leaf["code"], leaf["message"]) == ("InvalidRequestContent", "The extension type must be given.")
    states = {
        operation["targetResource"]["resourceName"]: operation["provisioningState"]
        for operation in operations(running, "failing")
    }
    assert states == {"bad": "Failed", "relay-good": "Succeeded"}
    assert operations(running, "bad")[0]["statusMessage"]["error"]["code"] == "InvalidRequestContent"


def test_active_deployment_and_cancel(tmp_path: Path) -> None:
    """A running deployment is not overwritten; after its cancellation nothing more is started."""
    content = template(EXTENSION, {**RELAY, "name": "relay-later", "dependsOn": ["azureml"]})
    with sandbox(tmp_path, seconds=0.6) as slow:
        started = slow.arm("PUT", at("long"), body(content), **VERSION)
        assert started.body["properties"]["provisioningState"] == "Accepted"
        again = slow.arm("PUT", at("long"), body(content), **VERSION)
        assert error_of(again)[:2] == (409, "DeploymentActive")
        assert slow.arm("DELETE", at("long"), **VERSION).status == 409
        assert slow.arm("POST", f"{at('long')}/cancel", **VERSION).status == 204
        assert slow.follow(started)["status"] == "Canceled"
        time.sleep(1)
        assert slow.arm("GET", at("long"), **VERSION).body["properties"]["provisioningState"] == "Canceled"
        relay = f"{GROUP}/Microsoft.Relay/namespaces/relay-later"
        assert slow.arm("GET", relay, **{"api-version": "2021-11-01"}).status == 404
        assert error_of(slow.arm("POST", f"{at('long')}/cancel", **VERSION))[0] == 409


INVALID: list[tuple[str, Callable[[], Any], dict[str, Any], str]] = [
    ("no schema", lambda: {"contentVersion": "1.0.0.0", "resources": []}, {}, "Required property '$schema'"),
    ("unknown parameter", lambda: template(), {"other": 1}, "The template parameters 'other' in the parameters file are not valid"),
    ("missing parameter", lambda: template(parameters={"a": {"type": "string"}}), {}, "The value for the template parameter 'a'"),
    ("wrong type", lambda: template(parameters={"a": {"type": "int"}}), {"a": "x"}, "Expected a value of type 'Int'"),
    ("value that is not allowed", lambda: template(parameters={"a": {"type": "string", "allowedValues": ["x"]}}), {"a": "y"}, "The value 'y' is not part of the allowed value(s): 'x'"),
    ("number below its minimum", lambda: template(parameters={"a": {"type": "int", "minValue": 3}}), {"a": 2}, "less than the minimum '3'"),
    ("too many parameters", lambda: template(parameters={f"p{n}": {"type": "int", "defaultValue": 1} for n in range(257)}), {}, "Limit: '256'"),
    ("too many resources", lambda: template({**RELAY, "name": "[format('relay-{0}', copyIndex())]", "copy": {"name": "c", "count": 801}}), {}, "maximum of '800'"),
    ("unknown dependency", lambda: template({**RELAY, "name": "relay-x1", "dependsOn": ["nowhere"]}), {}, "The resource 'nowhere' is not defined in the template"),
    ("circle", lambda: template({**RELAY, "name": "relay-x1", "dependsOn": ["relay-x2"]}, {**RELAY, "name": "relay-x2", "dependsOn": ["relay-x1"]}), {}, "Circular dependency detected"),
    ("two of a name", lambda: template({**RELAY, "name": "relay-x1"}, {**RELAY, "name": "relay-x1"}), {}, "is defined multiple times in a template"),
    ("wrong segments", lambda: template({**RELAY, "name": "relay-x1/more"}), {}, "has incorrect segment lengths"),
    ("reference in a name", lambda: template({**RELAY, "name": "[reference('x').name]"}), {}, "could not find template resource"),
    ("bad expression", lambda: template({**RELAY, "name": "relay-x1", "tags": {"a": "[concat('x']"}}), {}, "Unable to parse language expression"),
    ("missing property", lambda: template({**RELAY, "name": "relay-x1", "tags": {"a": "[variables('v').b]"}}, variables={"v": {"a": 1}}), {}, "property 'b' doesn't exist, available properties are 'a'"),
    ("no API version", lambda: template({"type": RELAY["type"], "name": "relay-x1"}), {}, "'apiVersion' is missing"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "values", "message"), [case[1:] for case in INVALID], ids=[case[0] for case in INVALID]
)
def test_invalid_template(running: InProcess, content: Callable[[], Any], values: dict[str, Any], message: str) -> None:
    """ARM rejects it before anything is deployed, in the same words when it validates."""
    sent = body(content(), **values)
    status, code, text = error_of(running.arm("PUT", at("invalid"), sent, **VERSION))
    assert (status, code) == (400, "InvalidTemplate")
    assert text.startswith("Deployment template validation failed: '")
    assert message in text
    assert error_of(running.arm("POST", f"{at('invalid')}/validate", sent, **VERSION))[1] == "InvalidTemplate"
    assert running.arm("GET", at("invalid"), **VERSION).status == 404


def test_secrets_stay_secret(tmp_path: Path) -> None:
    """Neither responses nor what-if return a secure parameter; one may refer to a key vault."""
    vault = {"name": "store-kv", "group": "ml-rg", "secrets": {"relay": "hidden-value"}}
    content = template(
        {**EXTENSION, "properties": {**EXTENSION["properties"], "configurationProtectedSettings": {"key": "[parameters('key')]"}}},
        parameters={"key": {"type": "secureString"}},
        outputs={"key": {"type": "secureString", "value": "[parameters('key')]"}},
    )  # fmt: skip
    reference = {"keyVault": {"id": f"{GROUP}/Microsoft.KeyVault/vaults/store-kv"}, "secretName": "relay"}
    sent = {"properties": {"mode": "Incremental", "template": content, "parameters": {"key": {"reference": reference}}}}
    with sandbox(tmp_path, seconds=0.05, vaults=[vault]) as started:
        texts = [started.arm("POST", f"{at('secret')}/validate", sent, **VERSION).text]
        prediction = started.arm("POST", f"{at('secret')}/whatIf", sent, **VERSION)
        time.sleep(0.2)
        texts.append(started.arm("GET", prediction.headers["Location"]).text)
        created = started.arm("PUT", at("secret"), sent, **VERSION)
        texts += [created.text, json.dumps(started.follow(created)), started.arm("GET", at("secret"), **VERSION).text]
        extension = started.arm("GET", f"{AKS}/providers/Microsoft.KubernetesConfiguration/extensions/azureml", **{"api-version": "2023-05-01"})  # fmt: skip
        assert extension.body["properties"]["configurationProtectedSettings"] == {"key": ""}
        reference["secretName"] = "absent"
        missing = started.arm("PUT", at("secret"), sent, **VERSION)
        assert error_of(missing)[1] == "KeyVaultParameterReferenceSecretRetrieveFailed"
    assert not [text for text in texts if "hidden-value" in text]
    assert "Create" in texts[1]


def test_preflight(tmp_path: Path) -> None:
    """Missing permissions and policies are reported before anything is deployed, for nested deployments too."""
    denied = [{"action": "Microsoft.Relay/namespaces/write"}]
    policies = [{"name": "no-extensions", "types": ["Microsoft.KubernetesConfiguration/extensions"]}]
    nested = {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inside"}
    with sandbox(tmp_path, denied=denied, policies=policies) as started:
        content = template(
            {**nested, "properties": {"mode": "Incremental", "template": template({**RELAY, "name": "relay-x1"})}}
        )
        status, code, text = error_of(started.arm("PUT", at("denied"), body(content), **VERSION))
        assert (status, code) == (403, "InvalidTemplateDeployment")
        assert "Authorization failed for template resource 'relay-x1'" in text
        status, code, text = error_of(started.arm("PUT", at("policy"), body(template(EXTENSION)), **VERSION))
        assert (status, code) == (400, "InvalidTemplateDeployment")
        assert "policy violation" in text
        assert started.arm("GET", at("inside"), **VERSION).status == 404


def test_history_is_cleaned_up(running: InProcess) -> None:
    """Near the limit of 800 the oldest deployments are deleted; a subscription needs a location, a group has none."""
    content = {**body(template()), "location": "eastus"}
    assert error_of(running.arm("PUT", at("x", SUBSCRIPTION), body(template()), **VERSION))[1] == "LocationRequired"
    for number in range(777):
        assert running.arm("PUT", at(f"d{number}", SUBSCRIPTION), content, **VERSION).status == 201
    found = running.arm("GET", f"{SUBSCRIPTION}/providers/Microsoft.Resources/deployments/", **VERSION).body
    count = len(found["value"])
    while link := found.get("nextLink"):
        found = running.arm("GET", link).body
        count += len(found["value"])
    assert 750 <= count < 777
    assert running.arm("HEAD", at("d0", SUBSCRIPTION), **VERSION).status == 404
    assert running.arm("HEAD", at("d776", SUBSCRIPTION), **VERSION).status == 204


def test_providers_are_registered(tmp_path: Path) -> None:
    """ARM registers the providers of a template by itself, other than those of a request."""
    with sandbox(tmp_path, seconds=0.05, providers={"Microsoft.Relay": "NotRegistered"}) as started:
        found = deploy(started, "registering", template({**RELAY, "name": "relay-registered"}))
        assert found["properties"]["provisioningState"] == "Succeeded"
        provider = started.arm("GET", f"{SUBSCRIPTION}/providers/Microsoft.Relay", **{"api-version": "2022-09-01"}).body
        assert provider["registrationState"] == "Registered"


def test_complete_mode_deletes_what_the_template_does_not_have(tmp_path: Path) -> None:
    """Resources of the first level; those of other groups and what is beneath resources that stay are kept."""
    kept, gone = {**RELAY, "name": "relay-kept"}, {**RELAY, "name": "relay-gone"}
    group = f"{SUBSCRIPTION}/resourceGroups/new-rg"
    with sandbox(tmp_path, seconds=0.05) as started:
        made = started.arm("PUT", group, {"location": "eastus"}, **{"api-version": "2021-04-01"})
        assert made.status == 201
        first = started.arm("PUT", at("first", group), body(template(kept, gone)), **VERSION)
        assert started.follow(first)["status"] == "Succeeded"
        sent = body(template(kept))
        sent["properties"]["mode"] = "Complete"
        predicted = started.arm("POST", f"{at('second', group)}/whatIf", sent, **VERSION)
        found = predicted
        while found.status == 202:
            found = started.arm("GET", found.headers["Location"])
        changes = found.body["properties"]["changes"]
        kinds = {change["resourceId"].rsplit("/", 1)[-1]: change["changeType"] for change in changes}
        assert (kinds["relay-gone"], "relay-kept" in kinds) == ("Delete", True)
        assert started.follow(started.arm("PUT", at("second", group), sent, **VERSION))["status"] == "Succeeded"
        steps = started.arm("GET", f"{at('second', group)}/operations", **VERSION).body["value"]
        assert "Delete" in {step["properties"]["provisioningOperation"] for step in steps}
        names = [resource["name"] for resource in started.arm("GET", f"{group}/resources").body["value"]]
        assert names == ["relay-kept"]
        assert started.arm("GET", AKS).status == 200


def test_complete_mode_is_for_groups_alone(running: InProcess) -> None:
    sent: dict[str, Any] = {"location": "eastus", **body(template())}
    sent["properties"]["mode"] = "Complete"
    assert error_of(running.arm("PUT", at("all", SUBSCRIPTION), sent, **VERSION))[:2] == (400, "InvalidDeploymentMode")
    nested = {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inside"}
    content = template({**nested, "properties": {"mode": "Complete", "template": template()}})
    assert error_of(running.arm("PUT", at("nested"), body(content), **VERSION))[1] == "InvalidDeploymentMode"


@pytest.mark.parametrize(
    ("link", "code"),
    [
        ({"uri": "https://example.com/main.json"}, "InvalidContentLink"),
        ({"id": f"{GROUP}/Microsoft.Resources/templateSpecs/a/versions/1"}, "TemplateSpecVersionNotFound"),
    ],
)
def test_template_links_are_rejected(running: InProcess, link: dict[str, str], code: str) -> None:
    sent = {"properties": {"mode": "Incremental", "templateLink": link}}
    response = running.arm("PUT", at("linked"), sent, **VERSION)
    assert error_of(response)[1] == code
    assert next(iter(link.values())) in response.text
    nested = {"type": "Microsoft.Resources/deployments", "apiVersion": "2022-09-01", "name": "inside"}
    content = template({**nested, "properties": {"mode": "Incremental", "templateLink": link}})
    assert error_of(running.arm("PUT", at("nested"), body(content), **VERSION))[1] == code
