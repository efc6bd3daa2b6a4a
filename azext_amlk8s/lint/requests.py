"""Requests of `az rest` as the resources that they deploy."""

from __future__ import annotations

import re

from azext_amlk8s.lint.commands import Arguments
from azext_amlk8s.lint.model import COMPUTES, EXTENSIONS, Resource
from azext_amlk8s.lint.values import Value, literal

# The last resource type of a URL, with what is before it; names may be unknown.
TARGET = re.compile(
    r"(?P<scope>.*)/providers/(?P<type>microsoft\.kubernetesconfiguration/extensions|"
    r"microsoft\.machinelearningservices/workspaces/[^/]+/computes)/(?P<name>[^/?]+)(?:\?|$)",
    re.IGNORECASE,
)


def is_request(arguments: Arguments) -> bool:
    """Whether a command sends a PUT or a PATCH."""
    return arguments.starts_with("rest") and _method(arguments) in ("put", "patch")


def request_resource(arguments: Arguments, body: Value) -> Resource | None:
    """The extension or the compute that a request of `az rest` writes; None for any other request.

    A request that is sent again is what a script decides, so that the resource counts as guarded.
    """
    url = arguments.value("--url")
    found = TARGET.match(url.description) if url is not None else None
    if found is None or url is None:
        return None
    is_extension = found["type"].lower() == EXTENSIONS
    scope = literal(found["scope"], url.mark) if is_extension else None
    form = "azapi_update" if _method(arguments) == "patch" else "resource"
    kind = EXTENSIONS if is_extension else COMPUTES
    name = literal(found["name"], url.mark)
    return Resource("arm", form, kind, arguments.mark, body, name, scope, has_condition=True)


def _method(arguments: Arguments) -> str:
    return (arguments.text("--method") or "get").lower()
