"""The ARM endpoint: routes requests to the behaviour of their resource type."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from sandbox.azure import entra, messaging, polls
from sandbox.azure.access import require_access, require_provider_access
from sandbox.azure.authorization.locks import require_unlocked
from sandbox.azure.behaviours import Azure, Behaviour, Call, Response, now
from sandbox.azure.deployments.requests import read_json
from sandbox.azure.deployments.service import Deployments
from sandbox.azure.errors import (
    ArmError,
    group_not_found,
    missing_api_version,
    not_registered,
    parent_not_found,
    resource_not_found,
    type_not_found,
    wrong_audience,
)
from sandbox.azure.fault_injection import expired_token, raise_rejection
from sandbox.azure.machine_learning_services import computes
from sandbox.azure.policy.remediations import Remediations
from sandbox.azure.record import Recorder
from sandbox.azure.registry import BEHAVIOURS
from sandbox.azure.resources import Subscription
from sandbox.azure.throttling import Throttle
from sandbox.azure.tree import Address, parse
from sandbox.faults import ConnectionReset, Fault, FaultCounter, alter_response, interception
from sandbox.http_faults import reset, send
from sandbox.key_vault.entries import AUDIENCE

log = logging.getLogger(__name__)
OPERATIONS = ("operations", "computeoperationsstatus", "mfeoperationsstatus", "operationresults", "operationstatuses")
RECORDED = ("/subscriptions", "/providers")


class ArmApp:
    """Azure for az, the SDKs and our client."""

    def __init__(
        self,
        azure: Azure,
        base: Callable[[], str],
        on_request: Callable[[dict[str, Any]], None],
        recorder: Recorder | None = None,
    ) -> None:
        self._azure, self._base, self._on_request, self._recorder = azure, base, on_request, recorder
        self._subscription = Subscription(azure, base)
        self._deployments = Deployments(azure, base, self._as_engine, self._subscription.require)
        self._remediations = Remediations(azure, self._as_engine, self._subscription.is_registered)
        self._faults = FaultCounter(tuple(fault for fault in azure.world.faults if not fault.cluster))
        self._throttle = Throttle(azure.world.throttling)
        self._rejected_tokens: set[str] = set()

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._respond)
        return app

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        claims = entra.claims_of(request.headers.get("Authorization", ""))
        faults: list[Fault] = []
        limits: dict[str, str] = {}
        try:
            response = await self._route(request, claims, faults, limits)
        except ArmError as error:
            response = self._error_response(request, error)
        except ConnectionReset:
            return reset(request)
        except Exception:
            log.exception("%s %s", request.method, request.path)
            response = web.json_response(
                {"error": {"code": "InternalServerError", "message": "The sandbox failed."}}, status=500
            )
        self._add_headers(request, response)
        response.headers.update(limits)
        return await self._finish(request, response, claims, faults)

    def _error_response(self, request: web.Request, error: ArmError) -> web.Response:
        response = web.json_response(error.body, status=error.status)
        if error.cause:
            response.headers["x-ms-failure-cause"] = error.cause
        if error.status == 401:
            challenge = f'Bearer authorization_uri="{self._base()}/{self._azure.world.tenant}"'
            response.headers["WWW-Authenticate"] = challenge
            # Azure rejects a token for good: the next request needs another one.
            self._rejected_tokens.add(request.headers.get("Authorization", ""))
        response.headers.update(error.headers)
        return response

    @staticmethod
    def _add_headers(request: web.Request, response: web.Response) -> None:
        correlation = str(uuid.uuid4())
        response.headers.update(
            {
                "x-ms-request-id": correlation,
                "x-ms-correlation-request-id": correlation,
                "x-ms-routing-request-id": f"EASTUS:{now()[:19].replace('-', '').replace(':', '')}Z:{correlation}",
                "Cache-Control": "no-cache",
                "Pragma": "no-cache",
                "Expires": "-1",
                "X-Content-Type-Options": "nosniff",
                "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
            }
        )
        if client_id := request.headers.get("x-ms-client-request-id"):
            response.headers["x-ms-client-request-id"] = client_id

    async def _finish(
        self, request: web.Request, response: web.Response, claims: dict[str, Any] | None, faults: list[Fault]
    ) -> web.StreamResponse:
        """Log and record the exchange, then send it with the faults of the world."""
        self._on_request(
            {
                "method": request.method,
                "path": request.path,
                "query": _logged(request.query),
                "status": response.status,
                "who": f"azure:{(claims or {}).get('appid', 'anonymous')}",
            }
        )
        if self._recorder and request.path.lower().startswith(RECORDED):
            self._recorder.exchange(
                request.method,
                str(request.rel_url),
                request.headers,
                _json(await request.text()),
                response.status,
                response.headers,
                _json(response.text or ""),
            )
        try:
            for fault in faults:
                response = alter_response(fault, response, f"{self._base()}{request.rel_url}")
        except ConnectionReset:
            return reset(request)
        return await send(request, response, faults)

    async def _route(
        self, request: web.Request, claims: dict[str, Any] | None, faults: list[Fault], limits: dict[str, str]
    ) -> web.Response:
        """The response to a request. Its faults and the headers of its limits are added to the arguments."""
        parts = [part for part in request.path.lower().split("/") if part]
        if parts == ["metadata", "endpoints"]:
            return web.json_response(entra.metadata(self._base(), self._azure.world.suffixes))
        if parts[-1:] == ["openid-configuration"]:
            return web.json_response(entra.openid(self._base(), parts[0]))
        if parts[-1:] == ["token"] and "oauth2" in parts:
            return await entra.token(request, parts[0] if parts[0] != "common" else self._azure.world.tenant)
        if claims is None:
            raise ArmError(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        if str(claims.get("aud", "")).rstrip("/") == AUDIENCE:
            raise wrong_audience(claims["aud"], self._base())
        if parts[-1:] == ["getbyids"]:
            return web.json_response({"value": []})  # Graph: the directory is empty
        query = {key: value for key, value in request.query.items() if key.lower() != "api-version"}
        if version := next((value for key, value in request.query.items() if key.lower() == "api-version"), None):
            query["api-version"] = version
        else:
            raise missing_api_version()
        if request.headers.get("Authorization", "") in self._rejected_tokens:
            raise expired_token(self._azure.world)
        limits.update(self._throttle.admit(request.method, request.path, claims))
        for fault in self._faults.active(request.method, request.path):
            faults.append(fault)
            if response := interception(fault, str(request.rel_url)):
                return response
            raise_rejection(fault, self._azure.world, claims)
        body = await _body(request)
        return _response(await self._resource(request.method, request.path, query, body, claims))

    async def _resource(
        self, method: str, path: str, query: dict[str, str], body: dict[str, Any], claims: Mapping[str, Any]
    ) -> Response:
        require_provider_access(self._azure.world, method, path, claims)
        if (response := self._subscription.respond(method, path, query, body)) is not None:
            return response
        if (response := await self._deployments.respond(method, path, query, body, claims)) is not None:
            return response
        address = parse(path)
        if address is None:
            raise ArmError(404, "NotFound", f"The path '{path}' is not known.")
        call = Call(self._azure, address, query, body, self._base(), claims)
        if len(address.types) > 1 and address.types[-1].lower() in OPERATIONS and not address.is_collection:
            return self._operation(call)
        self._subscription.require(address)
        require_access(self._azure.world, method, address, claims)
        if (response := self._remediations.respond(method, path, query, body)) is not None:
            return response
        return await self._dispatch(method, call)

    async def _as_engine(
        self, method: str, path: str, query: dict[str, str], body: dict[str, Any], claims: Mapping[str, Any]
    ) -> Response:
        """The response to a request of a deployment, which meets the errors of the world as any other."""
        for fault in self._faults.active(method, path):
            if fault.kind == "error":
                raise_rejection(fault, self._azure.world, claims)
        return await self._resource(method, path, query, body, claims)

    def _operation(self, call: Call) -> Response:
        operation = self._azure.operations.get(call.address.names[-1])
        kind = call.address.types[-1].lower()
        if kind == "operationresults":
            found = polls.poll_response(call, operation, None)
            here = polls.url(call, operation, call.address.id)
            return found if operation.done else Response(202, None, {**(found.headers or {}), "Location": here})
        minimal = kind in ("computeoperationsstatus", "mfeoperationsstatus")
        body = computes.status_body(operation) if minimal else polls.envelope(call, operation)
        return polls.poll_response(call, operation, body)

    async def _dispatch(self, method: str, call: Call) -> Response:
        address, tree = call.address, self._azure.tree
        require_unlocked(tree, method, address)
        if method == "POST" and address.is_collection and len(address.types) > 1:
            owner = tree.get(address.parent)
            owner_address = parse(address.parent)
            if owner is None or owner_address is None:
                raise self._absent(call, owner_address or address)
            return await self._behaviour(owner_address, call).action(call, owner, address.types[-1])
        if method == "POST" and address.types[-1].lower() == "checknameavailability":
            return messaging.check_name(call)
        if method not in ("GET", "HEAD"):
            self._require_registered(address)
        behaviour = self._behaviour(address, call)
        if behaviour.needs_parent and address.parent.count("/") > 4 and tree.get(address.parent) is None:
            if method == "PUT":
                raise parent_not_found(address.type, address.parent)
            raise self._absent(call, parse(address.parent) or address)
        if address.is_collection:
            if method != "GET":
                raise _not_allowed(method, address)
            return Response(200, await behaviour.list(call, tree.children(address.id, address.type)))
        if behaviour.read_only and method not in ("GET", "HEAD"):
            raise _not_allowed(method, address)
        existing = behaviour.find(call)
        if method == "PUT":
            return await behaviour.put(call, existing)
        if method == "DELETE":
            return await behaviour.delete(call, existing)
        if existing is None:
            raise behaviour.absent(call) or self._absent(call, address)
        if method == "PATCH":
            return await behaviour.patch(call, existing)
        return Response(200, await behaviour.read(call, existing))

    def _behaviour(self, address: Address, call: Call) -> Behaviour:
        behaviour = BEHAVIOURS.get(address.type.lower())
        if behaviour is None:
            if not any(True for _ in self._azure.tree.within("", address.type)):
                raise type_not_found(address.namespace, call.api_version)
            return Behaviour()
        if behaviour.api_versions and call.api_version not in behaviour.api_versions:
            raise type_not_found(address.namespace, call.api_version)
        return behaviour

    def _absent(self, call: Call, address: Address) -> ArmError:
        if (
            address.group
            and self._azure.tree.get(f"/subscriptions/{address.scope.split('/')[2]}/resourceGroups/{address.group}")
            is None
        ):
            return group_not_found(address.group)
        names = "/".join(word for pair in zip(address.types, address.names, strict=False) for word in pair)
        return resource_not_found(address.type, names, address.group)

    def _require_registered(self, address: Address) -> None:
        if not self._subscription.is_registered(address.namespace):
            raise not_registered(address.namespace)


def _not_allowed(method: str, address: Address) -> ArmError:
    text = f"The request method '{method}' is not supported on '{address.type}'."
    return ArmError(405, "MethodNotAllowed", text)


def _json(text: str) -> Any:
    try:
        return read_json(text) if text else None
    except ValueError:
        return text


async def _body(request: web.Request) -> dict[str, Any]:
    text = await request.text()
    if not text:
        return {}
    try:
        body = read_json(text)
    except ValueError as error:
        raise ArmError(
            400, "InvalidRequestContent", f"The request content was invalid and could not be deserialized: {error}."
        ) from error
    return body if isinstance(body, dict) else {}


def _response(answer: Response) -> web.Response:
    if answer.body is None:
        return web.Response(status=answer.status, headers=answer.headers)
    return web.json_response(answer.body, status=answer.status, headers=answer.headers)


def _logged(query: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in query.items() if key not in ("t", "c", "s", "h")}
