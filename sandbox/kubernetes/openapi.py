"""The part of OpenAPI that kubectl reads before it applies: the kinds, and fieldValidation of patches."""

from __future__ import annotations

from typing import Any

from sandbox.kubernetes.kinds import Kind

FIELD_VALIDATION = [{"name": "fieldValidation", "in": "query", "schema": {"type": "string", "uniqueItems": True}}]


def index(kinds: list[Kind]) -> dict[str, Any]:
    """/openapi/v3"""
    return {"paths": {kind.root: {"serverRelativeURL": f"/openapi/v3/{kind.root}?hash=sandbox"} for kind in kinds}}


def document(kinds: list[Kind], root: str) -> dict[str, Any]:
    """/openapi/v3/{root} of one group and version."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for kind in (kind for kind in kinds if kind.root == root):
        gvk = {"group": kind.group, "version": kind.version, "kind": kind.kind}
        scope = "namespaces/{namespace}/" if kind.namespaced else ""
        paths[f"/{root}/{scope}{kind.plural}/{{name}}"] = {
            "patch": {
                "parameters": FIELD_VALIDATION,
                "x-kubernetes-action": "patch",
                "x-kubernetes-group-version-kind": gvk,
                "responses": {"200": {"description": "OK"}},
            }
        }
        name = ".".join((*reversed(kind.group.split(".")), kind.version, kind.kind)).lstrip(".")
        schemas[name] = {**(kind.schema or {"type": "object"}), "x-kubernetes-group-version-kind": [gvk]}
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.30.9"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def version_2() -> bytes:
    """/openapi/v2 as the protobuf that kubectl reads: it names no kind, so that kubectl leaves them to the server.

    kubectl comes here for kinds that the third version does not have, such as a list that exists in files only.
    """
    title, number, swagger = (_field(at, word) for at, word in ((1, b"Kubernetes"), (2, b"v1.30.9"), (1, b"2.0")))
    return swagger + _field(2, title + number) + _field(8, b"")


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content
