"""Runs deployments: writes the resources in the order of their dependencies, and follows their operations."""

from __future__ import annotations

import asyncio
import json
import logging
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sandbox.azure.behaviours import Response
from sandbox.azure.deployments.complete_mode import besides, version_of
from sandbox.azure.deployments.environment import Deferred, Request
from sandbox.azure.deployments.evaluation import Evaluator
from sandbox.azure.deployments.expressions import TemplateError
from sandbox.azure.deployments.planning import GROUPS, Planned
from sandbox.azure.deployments.records import Deployment, OperationRecord
from sandbox.azure.errors import ArmError
from sandbox.azure.tree import Resource, Tree

log = logging.getLogger(__name__)
# method, path, query, body, claims
Send = Callable[[str, str, dict[str, str], dict[str, Any], Mapping[str, Any]], Awaitable[Response]]
# resource of the template, its evaluated properties, deployment above
StartNested = Callable[[Planned, Mapping[str, Any], Deployment], Awaitable[Deployment]]
ERROR_KEYS = ("code", "message", "target", "details", "additionalInfo")
TERMINAL = ("succeeded", "failed", "canceled")
MOST_POLLS = 20  # that fail one after the other
STATUS = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    400: "BadRequest",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
}
FAILED = (
    "At least one resource deployment operation failed. Please list deployment operations for details. Please see "
    "https://aka.ms/arm-deployment-operations for usage details."
)


class _Failure(Exception):
    """A step has failed with this error, which its operation and the deployment show."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        super().__init__(error.get("message"))
        self.status, self.error = status, error


class Engine:
    """Runs one deployment."""

    def __init__(
        self,
        deployment: Deployment,
        send: Send,
        claims: Mapping[str, Any],
        start_nested: StartNested,
        pause: float,
        tree: Tree,
    ) -> None:
        self._deployment, self._send, self._claims, self._tree = deployment, send, claims, tree
        self._start_nested, self._pause = start_nested, pause
        self._failures: list[dict[str, Any]] = []

    async def run(self) -> None:
        """Run to the end; nothing is raised."""
        deployment = self._deployment
        deployment.state = "Running"
        try:
            await self._register_providers()
            await self._write_all()
            if deployment.state == "Canceled":
                return
            if deployment.mode == "Complete" and not self._failures:
                await self._delete_others()
            if not self._failures:
                deployment.outputs = await self._evaluate_outputs()
        except _Failure as failure:
            self._failures.append(failure.error)
        except asyncio.CancelledError:
            raise
        except Exception as raised:
            log.exception("deployment %s", deployment.id)
            self._failures.append({"code": "InternalServerError", "message": f"{type(raised).__name__}: {raised}"})
        if self._failures:
            error_body = {"code": "DeploymentFailed", "target": deployment.id, "message": FAILED}
            deployment.end("Failed", {**error_body, "details": self._failures})
        else:
            deployment.end("Succeeded")

    async def _register_providers(self) -> None:
        """Register the resource providers of the template, as ARM does for the caller."""
        for namespace in sorted({resource.type.split("/")[0] for resource in self._deployment.compiled.active}):
            path = f"/subscriptions/{self._deployment.scope.subscription}/providers/{namespace}"
            query = {"api-version": "2022-09-01"}
            try:
                state = (await self._send("GET", path, query, {}, self._claims)).body["registrationState"]
                if state != "Registered":
                    await self._send("POST", f"{path}/register", query, {}, self._claims)
                    await self._send("GET", path, query, {}, self._claims)
                    await self._send("GET", path, query, {}, self._claims)
            except ArmError:
                continue  # its resources say what is wrong

    async def _write_all(self) -> None:
        """Write each resource once its dependencies have succeeded.

        assumed: resources that do not depend on a failed one are still deployed.
        """
        active = self._deployment.compiled.active
        done: dict[str, asyncio.Task[bool]] = {}

        async def step(resource: Planned) -> bool:
            results = [await done[other] for other in resource.depends_on if other in done]
            if not all(results) or self._deployment.state == "Canceled":
                return False
            return await self._write_noted(resource)

        # Every task waits for a turn of the loop first, so that all of them are known to each other.
        for resource in active:
            done[resource.id] = asyncio.get_running_loop().create_task(step(resource))
        try:
            await asyncio.gather(*done.values())
        finally:
            for task in done.values():
                task.cancel()

    async def _write_noted(self, resource: Planned) -> bool:
        record = OperationRecord(resource)
        self._deployment.steps.append(record)
        try:
            status = await (self._nested(resource) if resource.is_deployment else self._write(resource))
        except _Failure as failure:
            record.end("Failed", STATUS.get(failure.status, "Conflict"), failure.error)
            self._failures.append(failure.error)
            return False
        record.end("Succeeded", STATUS.get(status, "OK"))
        return True

    async def _delete_others(self) -> None:
        """Delete what the template does not have. assumed: after everything has been written."""
        kept = {resource_id.lower() for resource_id in self._deployment.resource_ids()}
        for resource in list(besides(self._tree, self._deployment.scope, kept)):
            record = OperationRecord(_deleted(resource), "Delete")
            self._deployment.steps.append(record)
            try:
                status = await self._delete(resource)
            except _Failure as failure:
                record.end("Failed", STATUS.get(failure.status, "Conflict"), failure.error)
                self._failures.append(failure.error)
            else:
                record.end("Succeeded", STATUS.get(status, "OK"))

    async def _delete(self, resource: Resource) -> int:
        query = {"api-version": version_of(resource)}
        try:
            response = await self._send("DELETE", resource["id"], query, {}, self._claims)
        except ArmError as rejection:
            raise _rejected(rejection) from None
        while self._tree.get(resource["id"]) is not None:
            await asyncio.sleep(self._pause)
        return response.status

    async def _write(self, resource: Planned) -> int:
        body = await self.evaluated(resource, resource.body)
        path, query = resource.id, {"api-version": resource.api_version}
        try:
            response = await self._send("PUT", path, query, body, self._claims)
        except ArmError as rejection:
            raise _rejected(rejection) from None
        if resource.type.lower() == GROUPS:
            return response.status
        if error := await self._operation_error(resource, response):
            raise _Failure(409, _terminal(resource, error))
        return response.status

    async def _operation_error(self, resource: Planned, response: Response) -> dict[str, Any] | None:
        """Follow the operation of a write to its end; its error, if any."""
        operation = (response.headers or {}).get("Azure-AsyncOperation")
        while operation:
            url = urllib.parse.urlsplit(operation)
            query = {key: values[0] for key, values in urllib.parse.parse_qs(url.query).items()}
            query["api-version"] = next(value for key, value in query.items() if key.lower() == "api-version")
            body = (await self._poll(url.path, query)).body or {}
            if str(body.get("status", "")).lower() in TERMINAL:
                if str(body["status"]).lower() == "succeeded":
                    return None
                return dict(body.get("error") or {"code": "ResourceOperationFailure", "message": "Failed."})
            await asyncio.sleep(self._pause)
        return await self._state_error(resource, response.body or {})

    async def _state_error(self, resource: Planned, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """Read a resource until its provisioning state is terminal; the error where it is not Succeeded."""
        while True:
            state = str((body.get("properties") or {}).get("provisioningState") or "Succeeded")
            if state.lower() == "succeeded":
                return None
            if state.lower() in TERMINAL:
                return {"code": "ResourceOperationFailure", "message": f"The resource ended in the state '{state}'."}
            await asyncio.sleep(self._pause)
            query = {"api-version": resource.api_version}
            body = (await self._poll(resource.id, query)).body or {}

    async def _poll(self, path: str, query: dict[str, str]) -> Response:
        """The response to a poll, which is repeated where a provider is busy or fails."""
        for _ in range(MOST_POLLS):
            try:
                return await self._send("GET", path, query, {}, self._claims)
            except ArmError as error:
                if error.status != 429 and error.status < 500:
                    raise _rejected(error) from None
                rejection = error
            await asyncio.sleep(self._pause)
        raise _rejected(rejection)

    async def _nested(self, resource: Planned) -> int:
        raw = dict(resource.body.get("properties") or {})
        template = raw.pop("template", None)
        properties = await self.evaluated(resource, raw)
        try:
            nested = await self._start_nested(resource, {**properties, "template": template}, self._deployment)
        except ArmError as rejection:
            raise _rejected(rejection) from None
        self._deployment.nested.append(nested)
        if nested.task:
            await asyncio.wait([nested.task])
        if nested.state != "Succeeded":
            error_body = nested.error or {"code": "DeploymentCanceled", "message": "The deployment was canceled."}
            raise _Failure(409, _terminal(resource, error_body, nested.state))
        return 200

    async def evaluated(self, resource: Planned, value: Any) -> Any:
        """A value with its expressions evaluated, reading what they refer to. Raises _Failure."""
        try:
            return await self._with_responses(lambda: resource.evaluator.value(value))
        except TemplateError as error:
            text = (
                f"Unable to process template language expressions for resource '{resource.id}' at line '1' and column "
                f"'1'. '{error.message}'"
            )
            failure = {"code": "InvalidTemplate", "target": resource.id, "message": text}
            raise _Failure(400, failure) from None

    async def _evaluate_outputs(self) -> Mapping[str, Any]:
        record = OperationRecord(None, "EvaluateDeploymentOutput")
        self._deployment.steps.append(record)
        try:
            outputs = await self._with_responses(self._deployment.compiled.outputs)
        except TemplateError as error:
            text = (
                "The template output is not valid: "
                f"{error.message} Please see https://aka.ms/arm-syntax-outputs for usage details."
            )
            failure = {"code": "DeploymentOutputEvaluationFailed", "message": text}
            record.end("Failed", "BadRequest", failure)
            raise _Failure(400, failure) from None
        record.end("Succeeded", "OK")
        return dict(outputs)

    async def _with_responses(self, evaluate: Callable[[], Any]) -> Any:
        """Evaluate, and as long as a response is missing, get it and evaluate again."""
        environment, responses = self._deployment.compiled.environment, dict[Request, Any]()
        while True:
            environment.responses = responses  # other steps evaluate in between
            try:
                return evaluate()
            except Deferred as deferred:
                responses[deferred.request] = await self._ask(deferred.request)

    async def _ask(self, request: Request) -> Any:
        query = {"api-version": request.api_version}
        path = f"{request.id}/{request.action}" if request.action else request.id
        try:
            return (await self._send(request.method, path, query, json.loads(request.body), self._claims)).body
        except ArmError as rejection:
            raise _rejected(rejection) from None


def _deleted(resource: Resource) -> Planned:
    """A resource to delete, as the operation of a deployment names it."""
    nothing = Evaluator({})
    return Planned(resource["id"], resource["type"], resource["name"], version_of(resource), {}, nothing)


def _rejected(error: ArmError) -> _Failure:
    inner = {key: value for key, value in error.body["error"].items() if key in ERROR_KEYS and value}
    return _Failure(error.status, inner)


def _terminal(resource: Planned, error: dict[str, Any], state: str = "Failed") -> dict[str, Any]:
    """The error of a resource that ended in a state."""
    text = (
        "The resource write operation failed to complete successfully, because it reached terminal provisioning state "
        f"'{state}'."
    )
    return {"code": "ResourceDeploymentFailure", "target": resource.id, "message": text, "details": [error]}
