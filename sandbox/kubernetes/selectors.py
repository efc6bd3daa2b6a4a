"""Label and field selectors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.kubernetes.status import bad_request

SET = re.compile(r"^(\S+)\s+(in|notin)\s+\(([^)]*)\)$")
COMMA = re.compile(r",(?![^(]*\))")

SELECTABLE = ("metadata.name", "metadata.namespace")
SELECTABLE_OF = {
    "Event": ("involvedObject.kind", "involvedObject.name", "involvedObject.namespace", "involvedObject.uid")
    + ("reason", "reportingComponent", "source", "type"),
    "Namespace": ("status.phase",),
    "Node": ("spec.unschedulable",),
    "Pod": ("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName")
    + ("status.phase", "status.podIP", "status.nominatedNodeName"),
    "Secret": ("type",),
}
# Kinds whose error names the selectable fields; others have their own selectors.
GENERAL = ("ConfigMap", "ServiceAccount", "PersistentVolumeClaim", "Lease", "ClusterRole", "ClusterRoleBinding")


def labels(text: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether an object meets a label selector: =, ==, !=, in, notin, key, !key."""
    tests = [_label(term.strip()) for term in COMMA.split(text) if term.strip()]
    return lambda obj: all(test((obj.get("metadata") or {}).get("labels") or {}) for test in tests)


def fields(text: str, kind: str = "") -> Callable[[Mapping[str, Any]], bool]:
    """Whether an object meets a field selector of dotted paths: =, ==, !=. Raises ApiError 400 for other fields."""
    tests = []
    for term in filter(None, text.split(",")):
        found = re.match(r"^([\w.\[\]/-]+?)\s*(==|!=|=)\s*(.*)$", term)
        if not found:
            raise bad_request(f"invalid field selector {term!r}")
        path, sign, value = found.groups()
        if path not in SELECTABLE and path not in SELECTABLE_OF.get(kind, ()):
            raise bad_request(_unknown(path, kind))
        tests.append((path, sign == "!=", value))
    return lambda obj: all((_text(dig(obj, path), path) == value) is not negated for path, negated, value in tests)


def _unknown(path: str, kind: str) -> str:
    if kind in GENERAL:
        return f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'
    return f"field label not supported: {path}"


def dig(obj: Any, path: str) -> Any:
    """The value at a dotted path, or None."""
    for word in path.split("."):
        obj = obj.get(word) if isinstance(obj, Mapping) else None
    return obj


def _text(value: Any, path: str) -> str:
    if path == "spec.unschedulable":
        return str(bool(value)).lower()
    return str(value or "")


def _label(term: str) -> Callable[[Mapping[str, str]], bool]:
    if found := SET.match(term):
        key, word, listed = found.groups()
        values = {value.strip() for value in listed.split(",")}
        return lambda held: (held.get(key) in values) if word == "in" else held.get(key) not in values
    if "!=" in term:
        key, value = (part.strip() for part in term.split("!=", 1))
        return lambda held: held.get(key) != value
    if "=" in term:
        key, value = (part.strip(" =") for part in term.split("=", 1))
        if not key:
            found_sign = "==" if term.startswith("==") else "="
            raise bad_request(f"found '{found_sign}', expected: !, identifier, or 'end of string'")
        return lambda held: held.get(key) == value
    if term.startswith("!"):
        return lambda held: term[1:].strip() not in held
    return lambda held: term in held


def label_selector(selector: Mapping[str, Any], held: Mapping[str, str]) -> bool:
    """Whether labels meet a LabelSelector object: matchLabels and matchExpressions."""
    wanted = selector.get("matchLabels") or {}
    if any(held.get(key) != value for key, value in wanted.items()):
        return False
    return all(_meets(expression, held) for expression in selector.get("matchExpressions") or ())


def _meets(expression: Mapping[str, Any], held: Mapping[str, str]) -> bool:
    key, operator, values = expression["key"], expression["operator"], expression.get("values") or ()
    if operator == "In":
        return held.get(key) in values
    if operator == "NotIn":
        return held.get(key) not in values
    return (key in held) is (operator == "Exists")
