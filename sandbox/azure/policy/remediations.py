"""Microsoft.PolicyInsights/remediations: deploys what policies with DeployIfNotExists require for resources that exist.

https://learn.microsoft.com/azure/governance/policy/how-to/remediate-resources
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.azure.authorization.roles import is_fresh
from sandbox.azure.behaviours import Azure, Response, now
from sandbox.azure.deployments.engine import Send
from sandbox.azure.deployments.expressions import TemplateError
from sandbox.azure.errors import ArmError, missing_api_version, not_registered, type_not_found
from sandbox.azure.policy.assignments import TYPE as ASSIGNMENTS
from sandbox.azure.policy.assignments import covers, principal_of
from sandbox.azure.policy.rules import Rule
from sandbox.azure.tree import Resource, parse

TYPE = "Microsoft.PolicyInsights/remediations"
PATH = re.compile(
    r"^(?P<scope>/subscriptions/[^/]+(?:/.+)?)/providers/Microsoft\.PolicyInsights/remediations"
    r"(?:/(?P<name>[^/]+)(?:/(?P<verb>cancel|listDeployments))?)?/?$",
    re.I,
)
API_VERSIONS = ("2021-10-01", "2024-10-01")
DEPLOYMENTS_VERSION = "2021-04-01"
TERMINAL = ("Succeeded", "Failed", "Canceled")
MODES = ("ExistingNonCompliant", "ReEvaluateCompliance")
DEFAULT_COUNT, MAX_COUNT = 500, 50_000
DEFAULT_PARALLEL, MAX_PARALLEL = 10, 30


class Remediations:
    """Responds to requests for remediations. send: a request to any resource, with claims."""

    def __init__(self, azure: Azure, send: Send, is_registered: Callable[[str], bool]) -> None:
        self._azure, self._send, self._is_registered = azure, send, is_registered
        self._deployments: dict[str, list[dict[str, Any]]] = {}

    def respond(self, method: str, path: str, query: Mapping[str, str], body: dict[str, Any]) -> Response | None:
        """The response to a path of remediations, None for all others."""
        found = PATH.match(path)
        if found is None:
            return None
        version = query.get("api-version")
        if version not in API_VERSIONS:
            raise type_not_found("Microsoft.PolicyInsights", version) if version else missing_api_version()
        scope, name, verb = found["scope"], found["name"] or "", (found["verb"] or "").lower()
        if not name:
            return Response(200, {"value": list(self._azure.tree.children(f"{scope}/providers/{TYPE}", TYPE))})
        resource_id = f"{scope}/providers/{TYPE}/{name}"
        existing = self._azure.tree.get(resource_id)
        if method == "PUT" and not verb:
            return self._put(scope, name, existing, body)
        if existing is None:
            if method == "DELETE":
                return Response(204)
            raise ArmError(404, "ResourceNotFound", f"The remediation '{name}' could not be found.")  # assumed
        if verb == "listdeployments" and method == "POST":
            return Response(200, {"value": self._deployments[existing["id"].lower()]})
        if verb == "cancel" and method == "POST":
            return _cancel(existing)
        if method == "DELETE":
            return self._delete(existing)
        if method == "GET" and not verb:
            return Response(200, existing)
        raise ArmError(405, "MethodNotAllowed", f"The request method '{method}' is not supported on '{TYPE}'.")

    def _put(self, scope: str, name: str, existing: Resource | None, body: Mapping[str, Any]) -> Response:
        if not self._is_registered("Microsoft.PolicyInsights"):
            raise not_registered("Microsoft.PolicyInsights")
        if existing and existing["properties"]["provisioningState"] not in TERMINAL:
            # https://github.com/Azure/azure-policy/issues/1234
            text = (
                f"The request to update remediation '{name}' is invalid. A remediation may not be changed or replaced "
                "while it is active."
            )
            raise ArmError(400, "InvalidUpdateRemediationRequest", text)
        properties = body.get("properties") or {}
        assignment, rule = self._assigned(scope, name, str(properties.get("policyAssignmentId") or ""))
        mode, count, parallel = _settings(name, properties)
        stamp = now()
        resource: Resource = {
            "properties": {
                **properties,
                "policyAssignmentId": assignment["id"],
                "resourceDiscoveryMode": mode,
                "resourceCount": count,
                "parallelDeployments": parallel,
                "failureThreshold": properties.get("failureThreshold") or {"percentage": 1.0},
                "provisioningState": "Accepted",
                "createdOn": stamp,
                "lastUpdatedOn": stamp,
                "correlationId": str(uuid.uuid4()),
                "deploymentStatus": {"totalDeployments": 0, "successfulDeployments": 0, "failedDeployments": 0},
            },
            "id": existing["id"] if existing else f"{scope}/providers/{TYPE}/{name}",
            "name": name,
            "type": TYPE,
        }
        self._azure.tree.put(resource)
        self._deployments[resource["id"].lower()] = []

        async def work() -> None:
            await self._run(resource, scope, assignment, rule)

        self._azure.operations.start("Running", work)
        return Response(200 if existing else 201, {**resource, "properties": dict(resource["properties"])})

    def _assigned(self, scope: str, name: str, assignment_id: str) -> tuple[Resource, Rule]:
        """The assignment of a request and its rule. Raises ArmError. assumed: the words."""

        def invalid(text: str) -> ArmError:
            return ArmError(
                400, "InvalidCreateRemediationRequest", f"The request to create remediation '{name}' is invalid. {text}"
            )

        assignment = self._azure.tree.get(assignment_id)
        if assignment is None or assignment["type"] != ASSIGNMENTS:
            raise invalid(f"The policy assignment '{assignment_id}' could not be found.")
        definition = self._azure.tree.get(assignment["properties"]["policyDefinitionId"])
        if definition is None:
            raise invalid(f"The policy definition of the assignment '{assignment_id}' could not be found.")
        at = str(assignment["properties"]["scope"])
        if not f"{scope.lower()}/".startswith(f"{at.lower()}/"):
            raise invalid(f"The policy assignment '{assignment_id}' does not apply to the scope '{scope}'.")
        rule = Rule(self._azure, definition["properties"], assignment["properties"].get("parameters") or {})
        if rule.effect.lower() not in ("deployifnotexists", "modify"):
            raise invalid(f"The policy assignment '{assignment_id}' has the effect '{rule.effect}'.")
        return assignment, rule

    async def _run(self, remediation: Resource, scope: str, assignment: Resource, rule: Rule) -> None:
        properties = remediation["properties"]
        _set_state(remediation, "Evaluating")
        await asyncio.sleep(self._azure.seconds / 10)
        wanted = {str(location).lower() for location in (properties.get("filters") or {}).get("locations") or ()}
        found = [
            resource
            for resource in [self._azure.tree.get(scope), *self._azure.tree.within(scope)]
            if resource and covers(assignment, resource["id"]) and rule.applies(resource)
        ]
        found = [candidate for candidate in found if not wanted or str(candidate.get("location", "")).lower() in wanted]
        missing = [candidate for candidate in found if not rule.is_compliant(candidate)][: properties["resourceCount"]]
        properties["deploymentStatus"]["totalDeployments"] = len(missing)
        if missing:
            _set_state(remediation, "InProgress")
        turn = asyncio.Semaphore(properties["parallelDeployments"])

        async def one_by_one(resource: Resource) -> None:
            async with turn:
                if properties["provisioningState"] == "InProgress" and not self._has_failed(remediation):
                    await self._deploy(remediation, resource, assignment, rule)

        await asyncio.gather(*(one_by_one(resource) for resource in missing))
        if properties["provisioningState"] == "Cancelling":
            _set_state(remediation, "Canceled")
        else:
            failed = properties["deploymentStatus"]["failedDeployments"]  # assumed: a single one is enough
            _set_state(remediation, "Failed" if failed else "Succeeded")

    @staticmethod
    def _has_failed(remediation: Resource) -> bool:
        """Whether more deployments have failed than the threshold allows."""
        properties = remediation["properties"]
        status, limit = properties["deploymentStatus"], float(properties["failureThreshold"].get("percentage") or 1.0)
        return bool(status["failedDeployments"] > limit * status["totalDeployments"])

    async def _deploy(self, remediation: Resource, resource: Resource, assignment: Resource, rule: Rule) -> None:
        """Run the deployment of a resource, as the identity of the assignment."""
        status, stamp = remediation["properties"]["deploymentStatus"], now()
        record: dict[str, Any] = {
            "remediatedResourceId": resource["id"],
            "status": "InProgress",
            "resourceLocation": resource.get("location"),
            "createdOn": stamp,
            "lastUpdatedOn": stamp,
        }
        self._deployments[remediation["id"].lower()].append(record)
        error = None
        try:
            record["deploymentId"], error = await self._deployed(resource, assignment, rule)
        except ArmError as rejection:
            error = rejection.body["error"]
        except TemplateError as problem:
            error = {"code": "InvalidTemplate", "message": problem.message}
        record["lastUpdatedOn"] = now()
        record["status"] = "Failed" if error else "Succeeded"
        status["failedDeployments" if error else "successfulDeployments"] += 1
        if error:
            record["error"] = error

    async def _deployed(
        self, resource: Resource, assignment: Resource, rule: Rule
    ) -> tuple[str, dict[str, Any] | None]:
        """The ID of a finished deployment, and its error. Raises ArmError and TemplateError."""
        principal = principal_of(assignment)
        claims = {"appid": principal, "oid": principal}
        address = parse(resource["id"])
        scope = address.scope if address else resource["id"]
        body: dict[str, Any] = {"properties": rule.deployment(resource)}
        if str(rule.details.get("deploymentScope", "ResourceGroup")).lower() == "subscription":
            scope = "/".join(scope.split("/")[:3])
            body["location"] = rule.details["deployment"].get("location")
        deployment_id = (
            f"{scope}/providers/Microsoft.Resources/deployments/PolicyDeployment_{uuid.uuid4().int % 10**20}"
        )
        self._require_roles(principal, rule, deployment_id)
        query = {"api-version": DEPLOYMENTS_VERSION}
        await self._send("PUT", deployment_id, query, body, claims)
        while True:
            shown = (await self._send("GET", deployment_id, query, {}, claims)).body["properties"]
            if shown["provisioningState"] in TERMINAL:
                failed = shown["provisioningState"] != "Succeeded"
                return deployment_id, dict(shown.get("error") or {}) if failed else None
            await asyncio.sleep(max(self._azure.seconds / 20, 0.01))

    def _require_roles(self, principal: str, rule: Rule, deployment_id: str) -> None:
        """Raise ArmError 403 unless the identity has the roles of the definition at the scope or above it.

        https://github.com/Azure/manage-azure-policy/issues/23; assumed: each of the roles is needed, and no other
        role allows it.
        """
        lower = deployment_id.lower()
        held = {
            held["properties"]["roleDefinitionId"].rsplit("/", 1)[-1].lower()
            for held in self._azure.tree.within("", "Microsoft.Authorization/roleAssignments")
            if held["properties"]["principalId"] == principal
            and lower.startswith(f"{held['properties']['scope'].lower()}/")
            and not is_fresh(held, self._azure.world.role_delay)
        }
        needed = {str(role).rsplit("/", 1)[-1].lower() for role in rule.details.get("roleDefinitionIds") or ()}
        if not needed <= held:
            action = "Microsoft.Resources/deployments/validate/action"
            text = (
                f"The client '{principal}' with object id '{principal}' does not have authorization to perform action "
                f"'{action}' over scope '{deployment_id}' or the scope is invalid. If access was recently granted, "
                "please refresh your credentials."
            )
            raise ArmError(403, "AuthorizationFailed", text)

    def _delete(self, existing: Resource) -> Response:
        if existing["properties"]["provisioningState"] not in TERMINAL:
            # https://github.com/hashicorp/terraform-provider-azurerm/pull/7914
            text = (
                f"The request to delete remediation '{existing['name']}' is invalid. The remediation must be in a "
                "terminal provisioning state (Succeeded, Canceled, Failed) before it can be deleted."
            )
            raise ArmError(400, "InvalidDeleteRemediationRequest", text)
        self._azure.tree.remove(existing["id"])
        return Response(200, existing)


def _cancel(existing: Resource) -> Response:
    if existing["properties"]["provisioningState"] in TERMINAL:
        text = f"The request to cancel remediation '{existing['name']}' is invalid. It has ended."  # assumed
        raise ArmError(400, "InvalidCancelRemediationRequest", text)
    _set_state(existing, "Cancelling")
    return Response(200, existing)


def _set_state(remediation: Resource, state: str) -> None:
    properties = remediation["properties"]
    if properties["provisioningState"] != "Cancelling" or state == "Canceled":
        properties["provisioningState"], properties["lastUpdatedOn"] = state, now()


def _settings(name: str, properties: Mapping[str, Any]) -> tuple[str, int, int]:
    """The discovery mode and the numbers of resources and of parallel deployments. assumed: the words."""
    mode = str(properties.get("resourceDiscoveryMode") or MODES[0])
    count = int(properties.get("resourceCount") or DEFAULT_COUNT)
    parallel = int(properties.get("parallelDeployments") or DEFAULT_PARALLEL)
    for key, valid in (
        ("resourceDiscoveryMode", mode in MODES),
        ("resourceCount", 1 <= count <= MAX_COUNT),
        ("parallelDeployments", 1 <= parallel <= MAX_PARALLEL),
    ):
        if not valid:
            text = f"The request to create remediation '{name}' is invalid. The property '{key}' is not valid."
            raise ArmError(400, "InvalidCreateRemediationRequest", text)
    return mode, count, parallel
