"""The operations of Microsoft.Resources/deployments at resource groups and subscriptions.

https://learn.microsoft.com/rest/api/resources/deployments
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sandbox.azure import polls
from sandbox.azure.access import require_access
from sandbox.azure.authorization.locks import require_unlocked
from sandbox.azure.behaviours import Azure, Call, Response
from sandbox.azure.deployments import errors
from sandbox.azure.deployments.compilation import Compiled, compile_template
from sandbox.azure.deployments.engine import Engine, Send
from sandbox.azure.deployments.environment import Deferred, Environment, Scope
from sandbox.azure.deployments.expressions import TemplateError
from sandbox.azure.deployments.history import History
from sandbox.azure.deployments.planning import Planned
from sandbox.azure.deployments.records import TYPE, Deployment
from sandbox.azure.deployments.scope_objects import scope_object
from sandbox.azure.deployments.secrets import read_secret
from sandbox.azure.deployments.what_if import WhatIf
from sandbox.azure.errors import ArmError
from sandbox.azure.operations import Running
from sandbox.azure.paging import page
from sandbox.azure.tree import Address, parse

SCOPE = r"^/subscriptions/(?P<subscription>[^/]+)(?:/resourcegroups/(?P<group>[^/]+))?"
DEPLOYMENT = re.compile(
    SCOPE
    + r"/providers/Microsoft\.Resources/deployments(?:/(?P<name>[^/]+)(?:/(?P<verb>[^/]+)(?:/(?P<id>[^/]+))?)?)?$",
    re.I,
)
# The path of the operations of a deployment at a resource group lacks the provider.
OPERATIONS = re.compile(SCOPE + r"/deployments/(?P<name>[^/]+)/(?P<verb>operations)(?:/(?P<id>[^/]+))?$", re.I)
RESULTS = re.compile(r"^/subscriptions/(?P<subscription>[^/]+)/operationresults/(?P<id>[^/]+)$", re.I)
NAME = re.compile(r"^[-\w._()]{1,64}$")
PAGE_SIZE = 100  # assumed
MODES = ("incremental", "complete")


class Deployments:
    """Responds to requests for deployments. send: a request to any resource, as the caller."""

    def __init__(self, azure: Azure, base: Callable[[], str], send: Send, require_scope: Callable[[Address], None]):
        self._azure, self._base, self._send, self._require_scope = azure, base, send, require_scope
        self._history = History(self._is_locked)
        self._results: dict[str, tuple[Running, Any]] = {}

    async def respond(
        self, method: str, path: str, query: dict[str, str], body: dict[str, Any], claims: Mapping[str, Any]
    ) -> Response | None:
        """The response to a path of deployments, None for all others."""
        path = path.rstrip("/")
        if found := RESULTS.match(path):
            return self._result(found["id"], Call(self._azure, _address(path), query, body, self._base(), claims))
        found = DEPLOYMENT.match(path) or OPERATIONS.match(path)
        if not found:
            return None
        scope, name = Scope(found["subscription"], found["group"] or ""), found["name"] or ""
        address = Address(scope.id, "Microsoft.Resources", ("deployments",), (name,) if name else ())
        self._require_scope(address)
        require_access(self._azure.world, method if not found["verb"] else "POST", address, claims)
        call = Call(self._azure, address, query, body, self._base(), claims)
        if not name:
            return self._list(call, scope)
        if found["verb"]:
            return await self._verb(method, found["verb"].lower(), found["id"] or "", call, scope)
        return await self._deployment(method, call, scope)

    def _list(self, call: Call, scope: Scope) -> Response:
        wanted = re.search(r"provisioningState\s+eq\s+'([^']*)'", call.query.get("$filter", ""), re.I)
        shown = [item.shown() for item in self._history.list(scope)]
        if wanted:
            shown = [item for item in shown if item["properties"]["provisioningState"].lower() == wanted[1].lower()]
        return Response(200, page(f"{call.base}{call.address.id}", call.query, shown, PAGE_SIZE))

    async def _deployment(self, method: str, call: Call, scope: Scope) -> Response:
        name = call.address.names[0]
        if method == "HEAD":
            return Response(204 if self._history.find(scope, name) else 404)
        if method == "PUT":
            return self._put(call, scope, name)
        if method == "DELETE":
            return self._delete(call, scope, name)
        if method != "GET":
            raise ArmError(405, "MethodNotAllowed", f"The request method '{method}' is not supported on '{TYPE}'.")
        return Response(200, self._history.get(scope, name).shown())

    async def _verb(self, method: str, verb: str, operation: str, call: Call, scope: Scope) -> Response:
        name = call.address.names[0]
        if verb == "validate" and method == "POST":
            return self._validate(call, scope, name)
        if verb == "whatif" and method == "POST":
            return await self._what_if(call, scope, name)
        deployment = self._history.get(scope, name)
        if verb == "operations" and method == "GET":
            shown = [step.shown(deployment.id) for step in reversed(deployment.steps)]
            if not operation:
                return Response(200, page(f"{call.base}{call.address.id}/operations", call.query, shown, PAGE_SIZE))
            item = next((step for step in shown if step["operationId"].lower() == operation.lower()), None)
            if item is None:
                text = f"Deployment operation '{operation}' could not be found."
                raise ArmError(404, "DeploymentOperationNotFound", text)
            return Response(200, item)
        if verb == "operationstatuses" and method == "GET":
            return _status(call, deployment)
        if verb == "cancel" and method == "POST":
            if not deployment.is_active:
                raise errors.not_cancelable(name, deployment.state)
            _cancel(deployment)
            return Response(204)
        if verb == "exporttemplate" and method == "POST":
            return Response(200, {"template": deployment.template})
        raise ArmError(404, "NotFound", f"{TYPE} has no action '{verb}'.")

    def _put(self, call: Call, scope: Scope, name: str) -> Response:
        known = self._history.find(scope, name)
        location = _location(call, scope, known)
        compiled, properties = self._checked(call, scope, name)
        deployment = Deployment(
            scope, name, location, call.body.get("tags") or {}, str(properties["mode"]).capitalize(),
            properties["template"], compiled,
        )  # fmt: skip
        self._start(deployment, call.caller)
        where = f"{deployment.id}/operationStatuses/{uuid.uuid4().int % 10**20:020}?api-version={call.api_version}"
        headers = {"Azure-AsyncOperation": f"{call.base}{where}", **polls.retry_after(call)}
        return Response(200 if known else 201, deployment.shown(), headers)

    def _start(self, deployment: Deployment, claims: Mapping[str, Any]) -> None:
        self._history.add(deployment)
        start_nested = partial(self._start_nested, claims)
        pause = max(self._azure.seconds / 20, 0.01)
        engine = Engine(deployment, self._send, claims, start_nested, pause, self._azure.tree)
        operation = self._azure.operations.start("Running", engine.run)
        deployment.task = operation.task

    async def _start_nested(
        self, claims: Mapping[str, Any], resource: Planned, properties: Mapping[str, Any], parent: Deployment
    ) -> Deployment:
        assert resource.scope is not None
        self._require_scope(Address(resource.scope.id, "Microsoft.Resources", ("deployments",), (resource.name,)))
        known = self._history.find(resource.scope, resource.name)
        if known and known.is_active:
            raise errors.still_active(known.id)
        try:
            compiled = self._compile_nested(resource, properties, parent.compiled.environment, claims)
        except TemplateError as error:
            raise errors.invalid_template(error) from None
        location = str(resource.evaluator.value(resource.body.get("location")) or parent.location)
        deployment = Deployment(
            resource.scope, resource.name, location, {},
            str(properties.get("mode", "Incremental")).capitalize(), properties["template"], compiled,
        )  # fmt: skip
        deployment.correlation = parent.correlation
        self._start(deployment, claims)
        return deployment

    def _checked(self, call: Call, scope: Scope, name: str) -> tuple[Compiled, Mapping[str, Any]]:
        """The compiled template of a request, after everything that ARM checks before it deploys. Raises ArmError."""
        if not NAME.match(name):
            text = f"The deployment name '{name}' is not valid."  # assumed
            raise ArmError(400, "InvalidDeploymentName", text)
        known = self._history.find(scope, name)
        if known and known.is_active:
            raise errors.still_active(known.id)
        properties = call.body.get("properties") or {}
        mode = str(properties.get("mode") or "")
        if mode.lower() not in MODES:
            text = f"The deployment mode '{mode}' is not valid; expected Incremental or Complete."  # assumed
            raise ArmError(400, "InvalidRequestContent", text)
        if mode.lower() == "complete" and not scope.group:
            raise errors.complete_mode_at_subscription(name)
        try:
            own = {"name": name, "location": call.body.get("location"), "properties": properties}
            compiled = self._compile(scope, own, call.caller)
            problems = self._preflight(compiled, call.caller)
        except TemplateError as error:
            raise errors.invalid_template(error) from None
        if problems:
            raise errors.failed_preflight(name, str(uuid.uuid4()), problems)
        return compiled, properties

    def _compile(
        self,
        scope: Scope,
        own: Mapping[str, Any],
        claims: Mapping[str, Any],
        resource: Planned | None = None,
        outer: Environment | None = None,
    ) -> Compiled:
        """The template of a deployment. own: its name, location and properties; one and outer: for outer scope."""
        properties = own["properties"]
        for key in ("templateLink", "parametersLink"):
            if properties.get(key):
                raise errors.unreachable_link(properties[key])  # the sandbox reaches no other host
        objects = partial(scope_object, self._azure, own, claims)
        secret = partial(read_secret, self._azure)
        given = {} if outer else properties.get("parameters") or {}
        copies = resource.evaluator.copies if resource else {}
        return compile_template(scope, properties.get("template"), given, objects, secret, outer, copies)

    def _compile_nested(
        self, resource: Planned, properties: Mapping[str, Any], outer: Environment, claims: Mapping[str, Any]
    ) -> Compiled:
        assert resource.scope is not None
        if str(properties.get("mode") or "").lower() == "complete":
            raise errors.nested_complete_mode(resource.name)
        inner = str((properties.get("expressionEvaluationOptions") or {}).get("scope", "outer")).lower() == "inner"
        own = {
            "name": resource.name,
            "location": resource.evaluator.value(resource.body.get("location")),
            "properties": properties,
        }
        return self._compile(resource.scope, own, claims, None if inner else resource, None if inner else outer)

    def _preflight(self, compiled: Compiled, claims: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The errors of permissions and policies, of nested deployments too as far as they are known."""
        found: list[dict[str, Any]] = []
        for resource in compiled.active:
            if resource.is_deployment:
                nested = self.nested(compiled, resource, claims)
                found += self._preflight(nested, claims) if nested else []
                continue
            address = _address(resource.id)
            try:
                require_access(self._azure.world, "PUT", address, claims)
            except ArmError as error:
                found.append(_preflight_error(resource, dict(error.body["error"]), claims))
        return found

    def nested(self, compiled: Compiled, resource: Planned, claims: Mapping[str, Any]) -> Compiled | None:
        """A nested deployment as far as it is known before anything is deployed. Raises TemplateError."""
        assert resource.scope is not None
        if resource.scope.group and self._azure.tree.get(resource.scope.id) is None:
            return None
        raw = dict(resource.body.get("properties") or {})
        template = raw.pop("template", None)
        try:
            properties = resource.evaluator.value(raw)
            return self._compile_nested(resource, {**properties, "template": template}, compiled.environment, claims)
        except Deferred:
            return None

    def _validate(self, call: Call, scope: Scope, name: str) -> Response:
        _location(call, scope, self._history.find(scope, name))
        compiled, properties = self._checked(call, scope, name)
        deployment = Deployment(
            scope, name, str(call.body.get("location") or ""), {}, str(properties["mode"]).capitalize(),
            properties["template"], compiled, state="Succeeded", duration="PT0S",
        )  # fmt: skip
        shown = deployment.shown()
        shown["properties"].pop("outputResources", None)
        shown["properties"]["validatedResources"] = [{"id": resource.id} for resource in compiled.active]
        return Response(200, shown)

    async def _what_if(self, call: Call, scope: Scope, name: str) -> Response:
        _location(call, scope, None)
        compiled, properties = self._checked(call, scope, name)
        settings = properties.get("whatIfSettings") or {}
        only_ids = str(settings.get("resultFormat", "")).lower() == "resourceidonly"
        prediction = WhatIf(self._azure.tree, self._send, call.caller, self.nested)
        changes = await prediction.changes(compiled, deletes=str(properties["mode"]).lower() == "complete")
        if only_ids:
            changes = [_id_only(change) for change in changes]
        result: dict[str, Any] = {"changes": changes}
        if prediction.diagnostics:
            result["diagnostics"] = prediction.diagnostics
        return self._later(call, scope, {"status": "Succeeded", "properties": result})

    def _delete(self, call: Call, scope: Scope, name: str) -> Response:
        deployment = self._history.find(scope, name)
        if deployment is None:
            return Response(204)
        require_unlocked(self._azure.tree, "DELETE", call.address)
        if deployment.is_active:
            raise ArmError(409, "DeploymentActive", f"The deployment '{name}' is still active.")  # assumed
        self._history.remove(deployment)
        return self._later(call, scope, None)

    def _later(self, call: Call, scope: Scope, result: Any) -> Response:
        """202 with the URL at which a result is found a moment later."""

        async def wait() -> None:
            await asyncio.sleep(self._azure.seconds / 10)

        operation = self._azure.operations.start("Running", wait)
        self._results[operation.id] = (operation, result)
        where = f"/subscriptions/{scope.subscription}/operationresults/{operation.id}"
        return Response(202, None, {"Location": polls.url(call, operation, where), **polls.retry_after(call)})

    def _result(self, operation_id: str, call: Call) -> Response | None:
        if operation_id not in self._results:
            return None
        operation, result = self._results[operation_id]
        if not operation.done:
            where = f"{call.address.scope}/operationresults/{operation.id}"
            return Response(202, None, {"Location": polls.url(call, operation, where), **polls.retry_after(call)})
        return Response(200, result) if result is not None else Response(204)

    def _is_locked(self, deployment_id: str) -> bool:
        try:
            require_unlocked(self._azure.tree, "DELETE", _address(deployment_id))
        except ArmError:
            return True
        return False


def _address(resource_id: str) -> Address:
    """The address of a resource; that of a resource group is made to look like one."""
    parts = resource_id.split("/")
    subscription = "/".join(parts[:3])
    return parse(resource_id) or Address(subscription, "Microsoft.Resources", ("resourceGroups",), (parts[-1],))


def _location(call: Call, scope: Scope, known: Deployment | None) -> str:
    """The location of a deployment. Raises ArmError where a subscription's has none, or another one than before."""
    location = str(call.body.get("location") or "")
    if scope.group:
        if location:
            text = "The 'location' property is not allowed for a deployment at a resource group."
            raise ArmError(400, "InvalidDeploymentLocation", text)  # assumed wording
        return ""
    if not location:
        raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
    if known and known.location.lower() != location.lower():
        raise errors.wrong_location(known.name, location, known.location)
    return location


def _status(call: Call, deployment: Deployment) -> Response:
    body: dict[str, Any] = {"status": deployment.state}
    if deployment.error:
        body["error"] = deployment.error
    return Response(200, body, {} if not deployment.is_active else polls.retry_after(call))


def _cancel(deployment: Deployment) -> None:
    """Start nothing more, in nested deployments either; what is running in a provider goes on."""
    deployment.end("Canceled")
    for step in deployment.steps:
        if step.state == "Running":
            step.end("Canceled", "Conflict")
    for nested in deployment.nested:
        if nested.is_active:
            _cancel(nested)


def _preflight_error(resource: Planned, error: dict[str, Any], claims: Mapping[str, Any]) -> dict[str, Any]:
    if error["code"] != "AuthorizationFailed":
        return error
    who = claims.get("appid", "")
    text = (
        f"Authorization failed for template resource '{resource.name}' of type '{resource.type}'. The client '{who}' "
        f"with object id '{claims.get('oid', who)}' does not have permission to perform action '{resource.type}/write' "
        f"at scope '{resource.id}'."
    )
    return {"code": "AuthorizationFailed", "message": text}


def _id_only(change: dict[str, Any]) -> dict[str, Any]:
    kind = "Deploy" if change["changeType"] in ("Modify", "NoChange", "Create") else change["changeType"]
    return {"resourceId": change["resourceId"], "changeType": kind}
