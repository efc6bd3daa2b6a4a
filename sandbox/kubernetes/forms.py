"""Representations of objects: whole, as a table, metadata only."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from sandbox.kubernetes import status
from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.requests import Request
from sandbox.kubernetes.table import table

META = "meta.k8s.io/v1"
SERVED = ("application/json", "application/yaml", "application/*", "*/*", "application/vnd.kubernetes.protobuf")


def as_json(value: Any, code: int = 200) -> web.Response:
    """JSON as an API server sends it: some clients require the exact content type."""
    return web.Response(body=json.dumps(value).encode(), status=code, content_type="application/json")


def require_acceptable(request: Request) -> None:
    """Raise ApiError 406 where the request accepts nothing that is served here."""
    accepted = [word.split(";")[0].strip() for word in request.headers.get("Accept", "*/*").split(",")]
    if not any(word in SERVED for word in accepted):
        raise status.ApiError(406, "NotAcceptable", "406: Not Acceptable")


def single_object(request: Request, kind: Kind, obj: dict[str, Any]) -> dict[str, Any]:
    """An object in the requested representation."""
    form = _form(request)
    if form == "Table":
        return table(kind, [obj], obj["metadata"].get("resourceVersion", ""), _include(request))
    return _metadata_alone(obj) if form == "PartialObjectMetadata" else obj


def many(request: Request, kind: Kind, found: list[dict[str, Any]], meta: dict[str, Any]) -> dict[str, Any]:
    """A list in the requested representation; items of built-in kinds have no kind and apiVersion."""
    form = _form(request)
    if form == "Table":
        return {**table(kind, found, meta.get("resourceVersion", ""), _include(request)), "metadata": meta}
    if form.startswith("PartialObjectMetadata"):
        items = [_metadata_alone(obj) for obj in found]
        return {"kind": "PartialObjectMetadataList", "apiVersion": META, "metadata": meta, "items": items}
    if not kind.custom:
        found = [{key: value for key, value in obj.items() if key not in ("apiVersion", "kind")} for obj in found]
    return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": meta, "items": found}


def _form(request: Request) -> str:
    for word in request.headers.get("Accept", "").split(",")[0].split(";")[1:]:
        key, _, value = word.strip().partition("=")
        if key == "as":
            return value
    return ""


def _include(request: Request) -> str:
    return request.query.get("includeObject", "Metadata")


def _metadata_alone(obj: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "PartialObjectMetadata", "apiVersion": META, "metadata": obj["metadata"]}
