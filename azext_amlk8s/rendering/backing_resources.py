"""The Azure resources beneath the extension (relay, Log Analytics, Service Bus) as resources of a template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s import knowledge
from azext_amlk8s.rendering.cluster_fields import BACKING_NAMES
from azext_amlk8s.rendering.declarations import api_version
from azext_amlk8s.rendering.expressions import Expression, Keys, Parameter, Property, ResourceId, ResourceProperties
from azext_amlk8s.rendering.template_model import Resource
from azext_amlk8s.settings import Dependency
from azext_amlk8s.settings.dependencies import TAGS

SYMBOLS = {
    "hybridConnections": "hybridConnection",
    "authorizationRules": "AuthorizationRule",
    "topics": "Topic",
    "subscriptions": "Subscription",
}
# Types of which there are several; the first word of the name tells them apart.
SEVERAL = ("topics", "subscriptions")
PLACEHOLDER = re.compile(r"^{properties\.(\w+)}$")
COMMENTS = {
    "relay": "Requests and results pass through this relay, since the cluster accepts no inbound connections.",
    "logAnalytics": "Logs of the extension.",
    "serviceBus": "States of computes and jobs.",
}


@dataclass(frozen=True)
class Backing:
    """The resources of one kind, and the settings of the extension that are made of them."""

    resources: tuple[Resource, ...]
    config: Mapping[str, Any]
    protected: Mapping[str, Any]


def backing_of(need: Dependency) -> Backing:
    """The resources that a dependency declares, named by parameters of the module."""
    declared = knowledge.load("dependencies")[need.kind]
    body = {**declared["body"], "tags": TAGS}
    root = _resource(need.kind, declared["type"], Parameter(BACKING_NAMES[need.kind]), body)
    resources = {"": root}
    for part in declared["parts"]:
        _add_part(resources, part["path"], part["body"])
    keys = declared["keys"].removesuffix("/listKeys").removeprefix("{id}").removeprefix("{pointer}").strip("/")
    if keys.startswith("authorizationRules") and not any(path.endswith(keys) for path in resources):
        _add_part(resources, keys, {}, existing=True)
    return Backing(tuple(resources.values()), _config(declared, resources), _protected(declared, resources))


def is_reported(value: Any) -> bool:
    """Whether a value is known only when the resource exists; variables of a template cannot have it."""
    return isinstance(value, Property) and isinstance(value.base, ResourceProperties)


def _add_part(resources: dict[str, Resource], path: str, body: Mapping[str, Any], *, existing: bool = False) -> None:
    """Add a resource below those that are there; the path alternates types and names below the first one."""
    above, _, name = path.rpartition("/")
    parent_path, _, kind = above.rpartition("/")
    symbol = SYMBOLS[kind]
    if kind in SEVERAL:
        symbol = path.split("/")[1].split("-")[0] + symbol
    elif kind == "authorizationRules":
        symbol = resources[""].symbol + symbol
    value = Parameter("clusterName") if name == "{cluster}" else name
    resources[path] = _resource(symbol, kind, value, body, resources[parent_path], existing=existing)


def _resource(
    symbol: str,
    kind: str,
    name: Any,
    body: Mapping[str, Any],
    parent: Resource | None = None,
    *,
    existing: bool = False,
) -> Resource:
    """A resource; kind is its type below its parent."""
    resource_type = f"{parent.type}/{kind}" if parent else kind
    located = dict(body) if parent else {"location": Parameter("location"), **body}
    comment = COMMENTS.get(symbol, "")
    return Resource(
        symbol, resource_type, api_version(resource_type), name, located, parent, existing=existing, comment=comment
    )


def _config(declared: Mapping[str, Any], resources: Mapping[str, Resource]) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for key, value in declared["config"].items():
        found = PLACEHOLDER.match(value)
        if found:
            config[key] = Property(ResourceProperties(resources[""]), found[1])
        elif value.startswith("{id}"):
            config[key] = ResourceId(resources[value.removeprefix("{id}").strip("/")])
        else:
            config[key] = Parameter("clusterName") if value == "{cluster}" else value
    return config


def _protected(declared: Mapping[str, Any], resources: Mapping[str, Resource]) -> dict[str, Expression]:
    """The secrets: keys of the resource, or of its authorization rule."""
    rule = next((resource for path, resource in resources.items() if "authorizationRules" in path), resources[""])
    key = Property(Keys(rule), declared["key"])
    return dict.fromkeys(declared["protected"], key)
