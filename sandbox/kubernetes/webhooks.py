"""Admission webhooks: which requests a configuration matches, and what comes of the call.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/

A webhook with a URL is called. One with a service cannot be reached from here: it fails where the service does not
exist or has no ready pod, and admits otherwise. Two annotations of the configuration stand in for such a service:
`sandbox/denies` (the message of a denial) and `sandbox/fails` (the error of the call).
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from sandbox.kubernetes import patch, selectors, status
from sandbox.kubernetes.json_copy import copied
from sandbox.kubernetes.kinds import Kind

Object = dict[str, Any]
DENIES, FAILS = "sandbox/denies", "sandbox/fails"


@dataclass(frozen=True)
class Request:
    """A write that webhooks are asked about; namespace_labels are those of the object's namespace."""

    kind: Kind
    operation: str
    obj: Object
    old: Object | None
    namespace: str
    namespace_labels: Mapping[str, str]
    dry_run: bool


@dataclass(frozen=True)
class Backends:
    """What the service of a webhook is looked up in."""

    services: tuple[Object, ...]
    pods: tuple[Object, ...]

    def problem(self, service: Mapping[str, Any]) -> str:
        """Why a service cannot be reached, empty if it can."""
        name, namespace = service.get("name"), service.get("namespace")
        found = [known_service for known_service in self.services if _is_at(known_service, name, namespace)]
        if not found:
            return f'service "{name}" not found'
        selector = (found[0].get("spec") or {}).get("selector") or {}
        ready = [
            pod
            for pod in self.pods
            if pod["metadata"].get("namespace") == namespace
            and selector
            and selector.items() <= (pod["metadata"].get("labels") or {}).items()
            and (pod.get("status") or {}).get("phase") == "Running"
        ]
        return "" if ready else f'no endpoints available for service "{name}"'


async def call_webhooks(configurations: Iterable[Object], request: Request, backends: Backends) -> Object:
    """Call the webhooks that match, in order of their configurations; returns the object with their patches.

    Raises ApiError 400 for a webhook that does not support dry run, 403 or the webhook's own code for a denial, 500 for
    a call that failed.
    """
    obj = request.obj
    for configuration in configurations:
        for webhook in configuration.get("webhooks") or ():
            if not _matches(webhook, request):
                continue
            if request.dry_run and webhook.get("sideEffects") not in ("None", "NoneOnDryRun"):
                raise status.bad_request(f'admission webhook "{webhook["name"]}" does not support dry run')
            annotations = configuration["metadata"].get("annotations") or {}
            obj = await _call(webhook, annotations, request, obj, backends)
    return obj


async def _call(
    webhook: Mapping[str, Any], annotations: Mapping[str, str], request: Request, obj: Object, backends: Backends
) -> Object:
    name, client = webhook["name"], webhook.get("clientConfig") or {}
    service, timeout = client.get("service") or {}, webhook.get("timeoutSeconds", 10)
    try:
        if text := annotations.get(FAILS):
            raise _CallFailed(text)
        if text := annotations.get(DENIES):
            raise status.ApiError(403, "Forbidden", f'admission webhook "{name}" denied the request: {text}')
        if url := client.get("url"):
            return await _post(name, url, client.get("caBundle"), timeout, request, obj)
        if problem := backends.problem(service):
            raise _CallFailed(problem)
    except _CallFailed as failure:
        if webhook.get("failurePolicy", "Fail") == "Ignore":
            return obj
        host = f"{service.get('name')}.{service.get('namespace')}.svc:{service.get('port', 443)}"
        url = client.get("url") or f"https://{host}{service.get('path', '/')}"
        call = f'failed to call webhook: Post "{url}?timeout={timeout}s": {failure}'
        text = f'Internal error occurred: failed calling webhook "{name}": {call}'
        raise status.ApiError(500, "InternalError", text) from failure
    return obj


class _CallFailed(Exception):
    pass


async def _post(name: str, url: str, ca_bundle: str | None, timeout: float, request: Request, obj: Object) -> Object:
    kind = {"group": request.kind.group, "version": request.kind.version, "kind": request.kind.kind}
    resource = {"group": request.kind.group, "version": request.kind.version, "resource": request.kind.plural}
    review = {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": str(uuid.uuid4()),
            "kind": kind,
            "resource": resource,
            "requestKind": kind,
            "requestResource": resource,
            "name": obj["metadata"].get("name", ""),
            "namespace": request.namespace,
            "operation": request.operation,
            "userInfo": {"username": "user", "groups": ["system:authenticated"]},
            "object": None if request.operation == "DELETE" else obj,
            "oldObject": request.old,
            "dryRun": request.dry_run,
        },
    }
    authority = base64.b64decode(ca_bundle).decode() if ca_bundle else None
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cadata=authority))
    limit = aiohttp.ClientTimeout(total=timeout)
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=limit) as session,
            session.post(url, params={"timeout": f"{timeout}s"}, json=review) as reply,
        ):
            response = json.loads(await reply.text())["response"]
    except (TimeoutError, asyncio.TimeoutError) as error:
        raise _CallFailed("context deadline exceeded") from error
    except (aiohttp.ClientError, ValueError, KeyError, TypeError) as error:
        raise _CallFailed(str(error)) from error
    if not response.get("allowed"):
        result = response.get("status") or {}
        text = f": {result['message']}" if result.get("message") else " without explanation"
        code = max(int(result.get("code") or 400), 400)
        message = f'admission webhook "{name}" denied the request{text}'
        raise status.ApiError(code, result.get("reason") or "", message)
    if response.get("patch"):
        patched: Object = patch.json_patch(copied(obj), json.loads(base64.b64decode(response["patch"])))
        return patched
    return obj


def _matches(webhook: Mapping[str, Any], request: Request) -> bool:
    labels = request.obj["metadata"].get("labels") or {}
    namespaced = labels if request.kind.kind == "Namespace" else request.namespace_labels
    in_namespace = bool(request.namespace) or request.kind.kind == "Namespace"
    return (
        any(_rule_matches(rule, request) for rule in webhook.get("rules") or ())
        and (not in_namespace or _selects(webhook, "namespaceSelector", namespaced))
        and _selects(webhook, "objectSelector", labels)
    )


def _rule_matches(rule: Mapping[str, Any], request: Request) -> bool:
    scope = rule.get("scope", "*")
    return (
        _includes(rule.get("operations"), request.operation)
        and _includes(rule.get("apiGroups"), request.kind.group)
        and _includes(rule.get("apiVersions"), request.kind.version)
        and (_includes(rule.get("resources"), request.kind.plural) or "*/*" in (rule.get("resources") or ()))
        and scope in ("*", "Namespaced" if request.kind.namespaced else "Cluster")
    )


def _includes(values: Iterable[str] | None, value: str) -> bool:
    return any(listed in ("*", value) for listed in values or ())


def _selects(webhook: Mapping[str, Any], key: str, labels: Mapping[str, str]) -> bool:
    selector: Mapping[str, Any] = webhook.get(key) or {}
    return selectors.label_selector(selector, labels)


def _is_at(obj: Object, name: Any, namespace: Any) -> bool:
    metadata = obj["metadata"]
    return (metadata["name"], metadata.get("namespace")) == (name, namespace)
