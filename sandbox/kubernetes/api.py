"""The Kubernetes API over HTTP: discovery, objects, patches, tables, watches."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from aiohttp import web

from sandbox.faults import ConnectionReset, Fault, FaultCounter, alter_response
from sandbox.http_faults import reset, send
from sandbox.kubernetes import admission, apply, bodies, forms, openapi, patch, protobuf, schema, selectors, status
from sandbox.kubernetes.admission_control import AdmissionControl
from sandbox.kubernetes.bodies import Target
from sandbox.kubernetes.fault_injection import rejection
from sandbox.kubernetes.forms import as_json
from sandbox.kubernetes.json_copy import copied, unpacked
from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.requests import AGENT, LocalRequest, Request
from sandbox.kubernetes.store import Store

LOG = "sandbox/log"
PATCHES = {
    "application/merge-patch+json": patch.merge,
    "application/strategic-merge-patch+json": patch.strategic,
    "application/json-patch+json": patch.json_patch,
}


class Api:
    """One cluster's API server."""

    def __init__(
        self,
        store: Store,
        token: str,
        version: str,
        on_request: Callable[[dict[str, Any]], None] | None,
        who: str,
        user: str = "",
        forbidden_kinds: tuple[str, ...] = (),
        faults: tuple[Fault, ...] = (),
    ) -> None:
        self._store, self._version, self._on_request, self._who = store, version, on_request, who
        self._admin, self._tokens, self._forbidden_kinds = token, {token, user} - {""}, forbidden_kinds
        self._faults = FaultCounter(faults)
        self._admission = AdmissionControl(store)

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._respond)
        return app

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        sandbox = request.headers.get("User-Agent", "") == AGENT
        faults = [] if sandbox else self._faults.active(request.method, request.path)
        try:
            response = await self._answer(request, faults)
            if not isinstance(response, web.Response):
                return response
            for fault in faults:
                response = alter_response(fault, response, str(request.url))
        except ConnectionReset:
            return reset(request)
        return await send(request, response, faults)

    async def call(
        self, method: str, path: str, query: Mapping[str, str], body: str, content_type: str
    ) -> tuple[int, str]:
        """Status and body of the response to a request of the sandbox itself, which needs no connection."""
        headers = {"Authorization": f"Bearer {self._admin}", "User-Agent": AGENT}
        response = await self._answer(LocalRequest(method, path, query, headers, body, content_type), ())
        assert isinstance(response, web.Response)
        return response.status, response.text or ""

    async def _answer(self, request: Request, faults: Iterable[Fault]) -> web.StreamResponse:
        """The response, which is also logged. Raises ConnectionReset where a fault says so."""
        try:
            if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self._tokens:
                raise status.ApiError(401, "Unauthorized", "Unauthorized")
            response = next((reason for reason in map(rejection, faults) if reason), None) or await self._route(request)
        except status.ApiError as error:
            response = as_json(error.body, error.code)
        except status.NoSuchPath:
            response = web.Response(text="404 page not found\n", status=404)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            response = as_json(status.bad_request(f"the request cannot be read: {error}").body, 400)
        if self._on_request:
            self._on_request(
                {
                    "method": request.method,
                    "path": request.path,
                    "query": dict(request.query),
                    "status": response.status,
                    "who": self._who,
                    "agent": request.headers.get("User-Agent", ""),
                }
            )
        return response

    async def _route(self, request: Request) -> web.StreamResponse:
        parts = [part for part in request.path.split("/") if part]
        if parts and parts[0] in ("readyz", "livez", "healthz"):
            return web.Response(text="ok")
        if parts == ["version"]:
            return as_json(_version(self._version))
        if parts[:2] == ["openapi", "v3"]:
            kinds = self._store.kinds()
            return as_json(openapi.document(kinds, "/".join(parts[2:])) if parts[2:] else openapi.index(kinds))
        if parts == ["openapi", "v2"]:
            return web.Response(
                body=openapi.version_2(), content_type="application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
            )
        if parts[-1:] == ["selfsubjectaccessreviews"] and request.method == "POST":
            is_protobuf = request.content_type == protobuf.MEDIA_TYPE
            review = protobuf.access_review(await request.read()) if is_protobuf else await request.json()
            return as_json({**review, "status": {"allowed": True}}, 201)
        if parts[:1] not in (["api"], ["apis"]):
            return as_json({"paths": ["/api", "/api/v1", "/apis", "/openapi/v2", "/openapi/v3", "/version"]}, 404)
        if (discovered := self._discover(parts)) is not None:
            return as_json(discovered)
        return await self._object(request, self._target(parts))

    def _discover(self, parts: list[str]) -> dict[str, Any] | None:
        if parts == ["api"]:
            return {
                "kind": "APIVersions",
                "versions": ["v1"],
                "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}],
            }
        kinds = self._store.kinds()
        if parts == ["apis"]:
            names = list(dict.fromkeys(kind.group for kind in kinds if kind.group))
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name, kinds) for name in names]}
        if len(parts) == 2 and parts[0] == "apis":
            if not any(kind.group == parts[1] for kind in kinds):
                raise status.NoSuchPath
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1], kinds)}
        if parts in (["api", "v1"],) or (len(parts) == 3 and parts[0] == "apis"):
            served = [kind for kind in kinds if kind.root == "/".join(parts)]
            if not served:
                raise status.NoSuchPath
            return {
                "kind": "APIResourceList",
                "apiVersion": "v1",
                "groupVersion": served[0].api_version,
                "resources": [entry for kind in served for entry in kind.discovery()],
            }
        return None

    def _target(self, parts: list[str]) -> Target:
        if len(parts) > 2 and parts[:2] == ["api", "v1"]:
            group, version, rest = "", "v1", parts[2:]
        elif len(parts) > 3 and parts[0] == "apis":
            group, version, rest = parts[1], parts[2], parts[3:]
        else:
            raise status.NoSuchPath
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
            namespace, rest = rest[1], rest[2:]
        rest = [*rest, "", ""]
        return Target(self._store.find_kind(group, version, rest[0]), namespace, rest[1], rest[2])

    async def _object(self, request: Request, target: Target) -> web.StreamResponse:
        dry_run = request.query.get("dryRun") == "All"
        if target.kind.plural in self._forbidden_kinds and request.headers["Authorization"] != f"Bearer {self._admin}":
            raise status.forbidden(target.kind, request.method)
        forms.require_acceptable(request)
        if target.subresource not in ("", "status", "log"):
            raise status.NoSuchPath
        if request.method == "GET":
            if target.subresource == "log":
                return web.Response(text=self._log(target))
            if request.query.get("watch", "") in ("1", "true"):
                return await self._watch(request, target)
            return self._shown(request, target)
        if request.method == "POST" and not target.name:
            return await self._create(request, target, dry_run)
        if request.method == "DELETE":
            return await self._delete(request, target, dry_run)
        if request.method in ("PUT", "PATCH") and target.name:
            return await (self._put if request.method == "PUT" else self._patch)(request, target, dry_run)
        raise status.ApiError(
            405, "MethodNotAllowed", "the server does not allow this method on the requested resource"
        )

    def _log(self, target: Target) -> str:
        """The log of a pod: the value of its annotation sandbox/log."""
        pod = self._store.get(target.kind, target.namespace, target.name)
        return str((pod["metadata"].get("annotations") or {}).get(LOG, ""))

    def _shown(self, request: Request, target: Target) -> web.Response:
        if target.name:
            return self._respond_with(request, target, self._store.get(target.kind, target.namespace, target.name))
        found = self._selected(request, target)
        version = str(self._store.version)
        meta: dict[str, Any] = {"resourceVersion": version}
        limit, start = int(request.query.get("limit") or 0), _offset(request.query.get("continue"))
        if limit and len(found) > start + limit:
            meta["continue"] = base64.b64encode(json.dumps({"start": start + limit}).encode()).decode()
            meta["remainingItemCount"] = len(found) - start - limit
        page = found[start : start + limit] if limit else found[start:]
        return as_json(forms.many(request, target.kind, page, meta))

    def _selected(self, request: Request, target: Target) -> list[dict[str, Any]]:
        by_label = selectors.labels(request.query.get("labelSelector", ""))
        by_field = selectors.fields(request.query.get("fieldSelector", ""), target.kind.kind)
        found = [obj for obj in self._store.list(target.kind, target.namespace) if by_label(obj) and by_field(obj)]
        return [self._admission.with_usage(obj) for obj in found] if target.kind.kind == "ResourceQuota" else found

    def _respond_with(self, request: Request, target: Target, obj: dict[str, Any], code: int = 200) -> web.Response:
        if target.kind.kind == "ResourceQuota":
            obj = self._admission.with_usage(obj)
        return as_json(forms.single_object(request, target.kind, obj), code)

    async def _create(self, request: Request, target: Target, dry_run: bool) -> web.Response:
        obj = await self._read(request, target)
        apply.note_update(None, obj, _manager(request))
        return self._respond_with(request, target, await self._add(target, obj, dry_run), 201)

    async def _add(self, target: Target, obj: dict[str, Any], dry_run: bool) -> dict[str, Any]:
        self._store.require_namespace(target.kind, target.namespace)
        obj = await self._admission.admit(target.kind, target.namespace, obj, "CREATE", dry_run=dry_run)
        return await self._store.create(target.kind, target.namespace, obj, dry_run)

    async def _replace(
        self, target: Target, existing: dict[str, Any], obj: dict[str, Any], dry_run: bool
    ) -> dict[str, Any]:
        if not target.subresource:
            obj = await self._admission.admit(
                target.kind, target.namespace, obj, "UPDATE", old=existing, dry_run=dry_run
            )
        return await self._store.update(target.kind, target.namespace, obj, dry_run)

    async def _put(self, request: Request, target: Target, dry_run: bool) -> web.Response:
        existing = self._store.get(target.kind, target.namespace, target.name)
        obj = bodies.only(target, existing, await self._read(request, target))
        if target.kind.custom and not obj["metadata"].get("resourceVersion"):
            raise status.no_version(target.kind, target.name)
        apply.note_update(existing, obj, _manager(request), target.subresource)
        return self._respond_with(request, target, await self._replace(target, existing, obj, dry_run))

    async def _patch(self, request: Request, target: Target, dry_run: bool) -> web.Response:
        kind_of_patch = request.content_type
        text = await request.text()
        if kind_of_patch == "application/apply-patch+yaml":
            return await self._apply(request, target, bodies.patch_of(target, text), dry_run)
        if kind_of_patch not in PATCHES:
            raise status.ApiError(415, "UnsupportedMediaType", "415: Unsupported Media Type")
        if kind_of_patch.startswith("application/strategic") and target.kind.custom:
            raise status.ApiError(
                415,
                "UnsupportedMediaType",
                "the body of the request was in an unknown format - accepted media types include: "
                "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
            )
        existing = self._store.get(target.kind, target.namespace, target.name)
        patched = PATCHES[kind_of_patch](copied(existing), json.loads(text))
        obj = bodies.only(target, existing, admission.convert(target.kind, patched))
        schema.validate(target.kind, obj, request.query.get("fieldValidation") == "Strict")
        apply.note_update(existing, obj, _manager(request), target.subresource)
        return self._respond_with(request, target, await self._replace(target, existing, obj, dry_run))

    async def _apply(self, request: Request, target: Target, wanted: dict[str, Any], dry_run: bool) -> web.Response:
        manager = request.query.get("fieldManager")
        if not manager:
            raise status.no_manager()
        schema.validate(target.kind, wanted, request.query.get("fieldValidation") == "Strict")
        try:
            existing = self._store.get(target.kind, target.namespace, target.name)
        except status.ApiError:
            existing = None
        obj = apply.apply(existing, wanted, manager, request.query.get("force") == "true", target.kind.resource)
        if existing is None:
            return self._respond_with(request, target, await self._add(target, obj, dry_run), 201)
        return self._respond_with(request, target, await self._replace(target, existing, obj, dry_run))

    async def _delete(self, request: Request, target: Target, dry_run: bool) -> web.Response:
        if not target.name:
            gone = [
                await self._store.delete(
                    target.kind, selected["metadata"].get("namespace", ""), selected["metadata"]["name"], dry_run
                )
                for selected in self._selected(request, target)
            ]
            return as_json(forms.many(request, target.kind, gone, {}))
        existing = self._store.get(target.kind, target.namespace, target.name)
        bodies.check_preconditions(target, existing, await request.text())
        await self._admission.admit(target.kind, target.namespace, existing, "DELETE", old=existing, dry_run=dry_run)
        obj = await self._store.delete(target.kind, target.namespace, target.name, dry_run)
        group = {"group": target.kind.group} if target.kind.group else {}
        details = {"name": target.name, **group, "kind": target.kind.plural, "uid": obj["metadata"]["uid"]}
        return as_json({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})

    async def _read(self, request: Request, target: Target) -> dict[str, Any]:
        text = await request.text()
        obj = bodies.read_yaml(text) if "yaml" in request.content_type else json.loads(text)
        if not isinstance(obj, dict):
            raise status.bad_request("the body of the request is not an object")
        if (
            obj.get("kind", target.kind.kind) != target.kind.kind
            or obj.get("apiVersion", target.kind.api_version) != target.kind.api_version
        ):
            raise status.other_kind(target.kind, str(obj.get("apiVersion")), str(obj.get("kind")))
        bodies.same_place(target, obj.get("metadata") or {})
        schema.validate(target.kind, obj, request.query.get("fieldValidation") == "Strict")
        return admission.convert(target.kind, obj)

    async def _watch(self, request: Request, target: Target) -> web.StreamResponse:
        if not isinstance(request, web.Request):
            raise status.bad_request("a watch needs a connection")
        version = request.query.get("resourceVersion", "")
        if version and not version.isdigit():
            raise status.no_number(version)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        deadline = time.monotonic() + float(request.query.get("timeoutSeconds") or 1800)
        start = int(version) if version not in ("", "0") else self._store.version
        if version in ("", "0"):
            for obj in self._selected(request, target):
                await self._send(request, response, target, "ADDED", obj)
        by_label = selectors.labels(request.query.get("labelSelector", ""))
        by_field = selectors.fields(request.query.get("fieldSelector", ""), target.kind.kind)
        while (left := deadline - time.monotonic()) > 0:
            for event in [event for event in self._store.events if event.version > start]:
                start = event.version
                if event.group_kind != (target.kind.group, target.kind.kind):
                    continue
                obj = unpacked(event.content)
                meta = obj["metadata"]
                if (
                    by_label(obj)
                    and by_field(obj)
                    and target.namespace in ("", meta.get("namespace"))
                    and target.name in ("", meta["name"])
                ):
                    await self._send(request, response, target, event.type, obj)
            async with self._store.changed:
                try:
                    await asyncio.wait_for(self._store.changed.wait_for(partial(self._store.newer_than, start)), left)
                except (TimeoutError, asyncio.TimeoutError):
                    break
        return response

    @staticmethod
    async def _send(
        request: Request, response: web.StreamResponse, target: Target, event: str, obj: dict[str, Any]
    ) -> None:
        line = {"type": event, "object": forms.single_object(request, target.kind, obj)}
        await response.write(json.dumps(line).encode() + b"\n")


def _version(version: str) -> dict[str, str]:
    major, minor = version.lstrip("v").split(".")[:2]
    return {
        "major": major,
        "minor": minor,
        "gitVersion": version,
        "gitCommit": "0" * 40,
        "gitTreeState": "clean",
        "buildDate": "2025-01-15T00:00:00Z",
        "goVersion": "go1.22.10",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def _group(name: str, kinds: list[Kind]) -> dict[str, Any]:
    versions = list(dict.fromkeys(kind.version for kind in kinds if kind.group == name))
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _offset(token: str | None) -> int:
    return int(json.loads(base64.b64decode(token))["start"]) if token else 0


def _manager(request: Request) -> str:
    return request.query.get("fieldManager") or request.headers.get("User-Agent", "unknown").split("/")[0]
