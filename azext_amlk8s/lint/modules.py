"""Azure Verified Modules into the resources that they deploy.

https://azure.github.io/Azure-Verified-Modules/
"""

from __future__ import annotations

from azext_amlk8s.knowledge import load
from azext_amlk8s.lint.model import COMPUTES, EXTENSIONS, RELAY_NAMESPACES, Resource
from azext_amlk8s.lint.values import Mark, Value, literal, unknown

CLUSTERS = {
    "managedcluster": "Microsoft.ContainerService/managedClusters",
    "connectedcluster": "Microsoft.Kubernetes/connectedClusters",
}
EXTENSION_PROPERTIES = (
    "extensionType", "configurationSettings", "configurationProtectedSettings", "releaseTrain", "version",
)  # fmt: skip


def module_kind(path: str) -> str:
    """extension, compute, workspace or relay by the path of a verified module; empty for any other module."""
    text = path.lower().partition("@")[0]
    name = text.removeprefix("br/public:").removeprefix("br:").partition(":")[0]
    kinds: dict[str, str] = load("lint")["modules"]
    return next((kind for known, kind in kinds.items() if name == known or name.endswith(f"/{known}")), "")


def module_resources(language: str, path: str, mark: Mark, parameters: Value, has_condition: bool) -> list[Resource]:
    """The resources that a verified module deploys with these parameters."""
    kind = module_kind(path)
    if kind == "extension":
        return [_extension(language, mark, parameters, has_condition)]
    if kind == "compute":
        return [_compute(language, mark, parameters, has_condition)]
    if kind == "workspace":
        computes = parameters.get("computes")
        return [
            _compute(language, item.mark, item, has_condition)
            for item in (computes.elements() if computes is not None else ())
        ]
    return [_relay(language, mark, parameters, has_condition)] if kind == "relay" else []


def _extension(language: str, mark: Mark, parameters: Value, has_condition: bool) -> Resource:
    properties = _pick(parameters, *EXTENSION_PROPERTIES)
    namespace, target = parameters.get("releaseNamespace"), parameters.get("targetNamespace")
    scope: dict[str, Value] = {}
    if namespace is not None and namespace.data != "":
        scope["cluster"] = Value({"releaseNamespace": namespace}, mark, keys=parameters.keys)
    if target is not None and target.data != "":
        scope["namespace"] = Value({"targetNamespace": target}, mark, keys=parameters.keys)
    content = {**dict(properties.items()), "scope": Value(scope, mark)}
    kind = parameters.get("clusterType")
    text = kind.text.lower() if kind is not None else "managedcluster" if parameters.known else ""
    scope_value = literal(CLUSTERS[text], mark) if text in CLUSTERS else unknown(mark, "the type of the cluster")
    own = {"properties": Value(content, mark, keys=parameters.keys), **dict(_pick(parameters, "clusterName").items())}
    body = Value(own, mark, is_open=parameters.is_open)
    return Resource(
        language,
        "module",
        EXTENSIONS,
        mark,
        body,
        parameters.get("name"),
        scope_value,
        has_condition,
        label="extension",
    )


def _compute(language: str, mark: Mark, parameters: Value, has_condition: bool) -> Resource:
    guard = parameters.get("deployCompute")
    properties = _pick(parameters, "computeType", "resourceId", "properties", "description")
    body = {"properties": properties, **dict(_pick(parameters, "location", "managedIdentities", "tags").items())}
    return Resource(
        language,
        "module",
        COMPUTES,
        mark,
        Value(body, mark, keys=parameters.keys, is_open=parameters.is_open),
        parameters.get("name"),
        None,
        has_condition or guard is not None,
        label="compute",
    )


def _relay(language: str, mark: Mark, parameters: Value, has_condition: bool) -> Resource:
    return Resource(
        language,
        "module",
        RELAY_NAMESPACES,
        mark,
        parameters,
        parameters.get("name"),
        None,
        has_condition,
        label="relay",
    )


def _pick(parameters: Value, *names: str) -> Value:
    data = {name: value for name in names if (value := parameters.get(name)) is not None and _is_given(value)}
    return Value(data, parameters.mark, keys=parameters.keys)


def _is_given(value: Value) -> bool:
    return not (value.known and value.data is None)
