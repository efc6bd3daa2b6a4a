"""From a template to the resources of a deployment: loops, conditions, IDs, scopes, dependencies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure.deployments.environment import Deferred, Environment, Scope, interleave
from sandbox.azure.deployments.evaluation import Evaluator
from sandbox.azure.deployments.expressions import TemplateError, calls_in

DEPLOYMENTS = "microsoft.resources/deployments"
GROUPS = "microsoft.resources/resourcegroups"
MAX_RESOURCES = 800
MAX_BYTES = 4 * 1024 * 1024
# What steers the deployment of a resource, and is no part of its body.
META = ("type", "name", "apiversion", "condition", "dependson", "copy", "resources", "comments", "scope", "existing")
NESTED_META = ("subscriptionid", "resourcegroup")


@dataclass
class Planned:
    """A resource to deploy. body: not evaluated yet; depends_on: the IDs of others."""

    id: str
    type: str
    name: str
    api_version: str
    body: Mapping[str, Any]
    evaluator: Evaluator
    symbol: str = ""
    loop: str = ""
    condition: bool = True
    existing: bool = False
    named: list[str] = field(default_factory=list)
    depends_on: list[str] = field(default_factory=list)
    scope: Scope | None = None

    @property
    def is_deployment(self) -> bool:
        """Whether it is a nested deployment."""
        return self.type.lower() == DEPLOYMENTS


def plan_resources(environment: Environment, outer: Environment | None = None) -> list[Planned]:
    """All resources of a template, with their dependencies. outer: knows more names. Raises TemplateError."""
    resources = environment.template.get("resources") or []
    entries = list(resources.items()) if isinstance(resources, dict) else [("", entry) for entry in resources]
    planned: list[Planned] = []
    for symbol, entry in entries:
        planned += _expand(environment, symbol, entry, "", "")
    if len(planned) > MAX_RESOURCES:
        raise TemplateError(
            f"The number of template resources limit exceeded. Limit: '{MAX_RESOURCES}' and actual: "
            f"'{len(planned)}'. Please see https://aka.ms/arm-syntax-resources for usage details."
        )
    index = Index(planned)
    environment.find = lambda name: index.find(name) or (outer.find(name) if outer else [])
    _require_unique(planned)
    for resource in planned:
        _add_dependencies(resource, index)
    _require_acyclic(planned)
    return planned


class Index:
    """Finds resources of a template by what expressions call them."""

    def __init__(self, planned: list[Planned]) -> None:
        self._by_key: dict[str, list[Planned]] = {}
        for resource in planned:
            last = resource.name.rsplit("/", 1)[-1]
            keys = {
                resource.symbol,
                resource.loop,
                resource.id,
                resource.name,
                interleave(resource.type, resource.name.split("/")),
                last,
            }
            if resource.symbol and resource.loop:
                keys |= {f"{resource.symbol}[{resource.evaluator.copies['']}]"}
            for key in {key.lower() for key in keys if key}:
                self._by_key.setdefault(key, []).append(resource)

    def planned(self, name: str) -> list[Planned]:
        """The resources of a name; all of a loop for that of the loop."""
        key = canonical(name).lower()
        return self._by_key.get(key) or []

    def find(self, name: str) -> list[tuple[str, str]]:
        """The IDs and API versions of these resources."""
        return [(resource.id, resource.api_version) for resource in self.planned(name)]


def canonical(resource_id: str) -> str:
    """The ID of a resource group as requests spell it; subscriptionResourceId() makes a longer one."""
    parts = resource_id.split("/")
    if len(parts) == 7 and "/".join(parts[3:6]).lower() == f"providers/{GROUPS}":
        return "/".join([*parts[:3], "resourceGroups", parts[6]])
    return resource_id


def _expand(environment: Environment, symbol: str, entry: Any, above: str, parent: str) -> Iterator[Planned]:
    """The resources of one entry: itself as often as its loop says, and those inside it."""
    if not isinstance(entry, dict):
        raise TemplateError("The template resource is not valid: an object is expected.")
    loop, evaluator = entry.get("copy"), environment.evaluator()
    if not isinstance(loop, dict):
        yield from _expand_single(environment, symbol, entry, evaluator, above, parent)
        return
    name, count = str(loop.get("name") or symbol), evaluator.count(loop.get("count"))
    serial = str(loop.get("mode", "")).lower() == "serial"
    size = int(evaluator.value(loop.get("batchSize", 1))) if serial or "batchSize" in loop else 0
    made: list[list[Planned]] = []
    for index in range(count):
        made.append(list(_expand_single(environment, symbol, entry, evaluator.with_copy(name, index), above, parent)))
        for resource in made[-1]:
            resource.loop = name
        if size and index >= size:
            begin = (index // size - 1) * size
            waits = [resource.id for batch in made[begin : begin + size] for resource in batch]
            for resource in made[-1]:
                resource.depends_on += waits
    yield from (resource for group in made for resource in group)


def _expand_single(
    environment: Environment, symbol: str, entry: Mapping[str, Any], evaluator: Evaluator, above: str, parent: str
) -> Iterator[Planned]:
    keys = {key.lower(): value for key, value in entry.items()}
    try:
        own_type, own_name = (evaluator.text(keys.get(key), key) for key in ("type", "name"))
        condition = evaluator.value(keys.get("condition", True))
        version = evaluator.text(keys.get("apiversion", ""), "apiVersion")
        kind, name = (f"{above}/{own_type}", f"{parent}/{own_name}") if above else (own_type, own_name)
        resource_id, scope = _place(environment, keys, evaluator, kind, name)
        named = [evaluator.text(item, "dependsOn") for item in keys.get("dependson") or ()]
    except Deferred:
        raise TemplateError(
            f"The template resource '{symbol or keys.get('name')}' is not valid: the template function 'reference' is "
            "not expected at this location. Please see https://aka.ms/arm-functions for usage details."
        ) from None
    existing = bool(keys.get("existing"))
    if not version and not existing:
        raise TemplateError(
            f"The template resource '{name}' at line '1' and column '1' is not valid: the required property "
            "'apiVersion' is missing. Please see https://aka.ms/arm-syntax-resources for usage details."
        )
    dropped = (*META, *NESTED_META) if kind.lower() == DEPLOYMENTS else META
    body = {key: value for key, value in entry.items() if key.lower() not in dropped}
    resource = Planned(
        resource_id,
        kind,
        name,
        version,
        body,
        evaluator,
        symbol,
        "",
        condition is not False,
        existing,
        named,
        [],
        scope,
    )
    yield resource
    for child in keys.get("resources") or ():
        for inner in _expand(environment, "", child, kind, name):
            inner.condition = inner.condition and resource.condition
            yield inner


def _place(
    environment: Environment, keys: Mapping[str, Any], evaluator: Evaluator, kind: str, name: str
) -> tuple[str, Scope | None]:
    """The ID of a resource, and the scope of a nested deployment."""
    if "/" not in kind:
        raise TemplateError(f"The template resource '{name}' is not valid: the resource type '{kind}' is not valid.")
    base = environment.scope
    if kind.lower() == DEPLOYMENTS:
        scope = _nested_scope(base, keys, evaluator)
        return f"{scope.id}/providers/{interleave(kind, [name])}", scope
    if kind.lower() == GROUPS:
        return f"/subscriptions/{base.subscription}/resourceGroups/{name}", None
    names, types = name.split("/"), kind.split("/")
    if "providers" in types[1:]:
        # TYPE/providers/TYPE with the namespace in the name: the older form of a resource at another one.
        at = types.index("providers", 1)
        outer = interleave("/".join(types[:at]), names[: at - 1])
        inner_names = names[at - 1 :]
        inner = interleave("/".join([inner_names[0], *types[at + 1 :]]), inner_names[1:])
        return f"{base.id}/providers/{outer}/providers/{inner}", None
    if kind.count("/") != len(names):
        raise TemplateError(
            f"The template resource '{name}' for type '{kind}' at line '1' and column '1' has incorrect segment "
            "lengths. A nested resource type must have identical number of segments as its resource name. A root "
            "resource type must have segment length one greater than its resource name. Please see "
            "https://aka.ms/arm-syntax-resources for usage details."
        )
    at_scope = evaluator.text(keys["scope"], "scope") if "scope" in keys else ""
    if at_scope and not at_scope.startswith("/"):
        at_scope = f"{base.id}/providers/{at_scope}"
    where = "" if at_scope == "/" else at_scope or base.id
    return f"{where}/providers/{interleave(kind, names)}", None


def _nested_scope(base: Scope, keys: Mapping[str, Any], evaluator: Evaluator) -> Scope:
    subscription = evaluator.text(keys.get("subscriptionid", base.subscription), "subscriptionId")
    group = base.group if subscription.lower() == base.subscription.lower() else ""
    if "resourcegroup" in keys:
        group = evaluator.text(keys["resourcegroup"], "resourceGroup")
    elif "subscriptionid" in keys and "location" in keys:
        group = ""
    if "scope" in keys:
        parts = evaluator.text(keys["scope"], "scope").strip("/").split("/")
        subscription = parts[1] if len(parts) > 1 and parts[0].lower() == "subscriptions" else subscription
        group = parts[3] if len(parts) > 3 else ""
    return Scope(subscription, group)


def _require_unique(planned: list[Planned]) -> None:
    seen: set[str] = set()
    for resource in planned:
        if resource.existing or not resource.condition:
            continue
        if resource.id.lower() in seen:
            raise TemplateError(
                f"The resource '{resource.name}' at line '1' and column '1' is defined multiple times in a template. "
                "Please see https://aka.ms/arm-syntax-resources for usage details."
            )
        seen.add(resource.id.lower())


def _add_dependencies(resource: Planned, index: Index) -> None:
    """Those that dependsOn names, and those that reference() and list functions refer to."""
    found: list[Planned] = []
    for name in resource.named:
        match = [other for other in index.planned(name) if other is not resource]
        if not match:
            raise TemplateError(
                f"The resource '{name}' is not defined in the template. Please see https://aka.ms/arm-syntax for usage "
                "details."
            )
        found += match
    for call in calls_in({key: value for key, value in resource.body.items() if key.lower() != "template"}):
        name = call.name.lower()
        if not call.arguments or not (
            name in ("reference", "references") or (name.startswith("list") and name != "list")
        ):
            continue
        try:
            target = str(resource.evaluator.node(call.arguments[0]))
        except (Deferred, TemplateError):
            continue
        if not target.startswith("/") or len(call.arguments) == 1:
            found += [other for other in index.planned(target) if other is not resource]
    resource.depends_on += [other.id for other in found if other.condition and not other.existing]
    resource.depends_on = list(dict.fromkeys(resource.depends_on))


def _require_acyclic(planned: list[Planned]) -> None:
    left = {resource.id: set(resource.depends_on) for resource in planned}
    while left:
        ready = [key for key, waits in left.items() if not waits & left.keys()]
        if not ready:
            raise TemplateError(
                f"Circular dependency detected on resource: '{next(iter(left))}'. Please see "
                "https://aka.ms/arm-syntax-resources for usage details."
            )
        for key in ready:
            del left[key]
