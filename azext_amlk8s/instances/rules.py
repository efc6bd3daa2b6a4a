"""Rules over one instance type (field guide compute-and-instance-types 3.3; seed page, custom instance types)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from azext_amlk8s.findings import Finding, Severity
from azext_amlk8s.instances.model import GPU, InstanceType

GUIDE = "https://learn.microsoft.com/azure/machine-learning/how-to-manage-kubernetes-instance-types"
NAME = re.compile(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
SPEC_KEYS, RESOURCE_KEYS = ("nodeSelector", "resources"), ("requests", "limits")
DOCUMENTED = ("cpu", "memory", GPU)


def judge_object(obj: Mapping[str, Any], where: str) -> tuple[InstanceType | None, list[Finding]]:
    """The instance type that an object describes, or None when an error stands against it, and all findings."""
    findings: list[Finding] = []
    metadata = obj.get("metadata") if isinstance(obj.get("metadata"), Mapping) else {}
    spec = obj.get("spec") if isinstance(obj.get("spec"), Mapping) else {}
    assert isinstance(metadata, Mapping) and isinstance(spec, Mapping)
    name = str(metadata.get("name") or "")
    place = f"{where} ({name})" if name else where
    if not NAME.match(name) or len(name) > 253:
        findings.append(
            _error("I110", place, f"{place}: metadata.name must be of lower-case letters, digits, - and dots.")
        )
    if metadata.get("namespace"):
        findings.append(
            _warning(
                "I111", place, f"{place}: metadata.namespace is left out; an instance type belongs to the cluster."
            )
        )
    findings += _unknown(spec, SPEC_KEYS, f"{place}: spec")
    resources = spec.get("resources") if isinstance(spec.get("resources"), Mapping) else {}
    assert isinstance(resources, Mapping)
    findings += _unknown(resources, RESOURCE_KEYS, f"{place}: spec.resources")
    selector = _selector(spec.get("nodeSelector"), place, findings)
    requests, limits = (_quantities(resources.get(part), f"{place}: {part}", findings) for part in RESOURCE_KEYS)
    _judge_gpu(requests, limits, selector, place, findings)
    _compare(requests, limits, place, findings)
    made = InstanceType(name, selector, requests, limits)
    return (None if any(one.severity is Severity.ERROR for one in findings) else made), findings


def from_flags(
    name: str,
    *,
    cpu_request: str | None = None,
    memory_request: str | None = None,
    cpu_limit: str | None = None,
    memory_limit: str | None = None,
    gpu: int | None = None,
    node_selector: Iterable[str] | None = None,
) -> tuple[InstanceType | None, tuple[Finding, ...]]:
    """The instance type that flags describe; a request that is not given is the limit, and the other way round."""
    findings: list[Finding] = []
    selector: dict[str, str] = {}
    for word in node_selector or ():
        key, sign, value = word.partition("=")
        if not sign or not key:
            findings.append(
                _error(
                    "I116",
                    "--node-selector",
                    f"{word} in --node-selector is not of the form key=value.",
                    fix=f"--node-selector {key or 'key'}=VALUE",
                )
            )
        selector[key] = value
    requests = {"cpu": cpu_request or cpu_limit, "memory": memory_request or memory_limit}
    limits: dict[str, Any] = {"cpu": cpu_limit or cpu_request, "memory": memory_limit or memory_request}
    if gpu is not None:
        limits[GPU] = gpu
    spec: dict[str, Any] = {"resources": {"requests": requests, "limits": limits}}
    made, found = judge_object(
        {"metadata": {"name": name}, "spec": {**spec, **({"nodeSelector": selector} if selector else {})}},
        "the instance type",
    )
    findings += found
    return (None if any(one.severity is Severity.ERROR for one in findings) else made), tuple(findings)


def amount(value: Any) -> Decimal | None:
    """A quantity as a number in its base unit, or None when Kubernetes would not take it."""
    from lightkube.utils.quantity import parse_quantity

    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        return parse_quantity(str(value))
    except (ValueError, ArithmeticError):
        return None


def _quantities(told: Any, place: str, findings: list[Finding]) -> dict[str, Any]:
    if not isinstance(told, Mapping):
        findings.append(_error("I112", place, f"{place} must name cpu and memory.", fix='cpu: "1"\nmemory: 2Gi'))
        return {}
    made: dict[str, Any] = {}
    for key in ("cpu", "memory"):
        if told.get(key) in (None, ""):
            findings.append(
                _error("I112", place, f"{place} lacks {key}.", fix=f'{key}: "{"1" if key == "cpu" else "2Gi"}"')
            )
    for key, value in told.items():
        if key == GPU:
            made[key] = value
            continue
        if value in (None, ""):
            continue
        number = amount(value)
        if number is None or number <= 0:
            findings.append(
                _error(
                    "I113",
                    place,
                    f"{place}.{key}: {value} is not a quantity above zero that Kubernetes takes.",
                    fix=_corrected(key, str(value)),
                )
            )
        if not isinstance(value, str):
            findings.append(_warning("I114", place, f'{place}.{key}: {value} is written as the string "{value}".'))
        if key not in DOCUMENTED:
            findings.append(
                _warning("I115", place, f"{place}.{key} is passed on; only cpu, memory and {GPU} are documented.")
            )
        made[key] = str(value)
    return made


def _corrected(key: str, value: str) -> str:
    found = re.match(r"^([0-9.]+)\s*([kmgt])(i?)b?$", value, re.IGNORECASE)
    return (
        f'{key}: "{found.group(1)}{found.group(2).upper()}{found.group(3).lower() or "i"}"'
        if found and key == "memory"
        else ""
    )


def _judge_gpu(
    requests: dict[str, Any], limits: dict[str, Any], selector: Mapping[str, str], place: str, findings: list[Finding]
) -> None:
    for part, told in (("requests", requests), ("limits", limits)):
        value = told.get(GPU)
        if isinstance(value, str) and value.isdigit():
            value = told[GPU] = int(value)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            findings.append(
                _error(
                    "I117", place, f"{place}: {part} of {GPU} is {value}, and must be a whole number.", fix=f"{GPU}: 1"
                )
            )
    if GPU in requests:
        if requests[GPU] != limits.get(GPU):
            findings.append(
                _error("I118", place, f"{place}: {GPU} belongs into limits alone.", fix=f"limits: {{{GPU}: 1}}")
            )
        else:
            findings.append(
                _warning("I118", place, f"{place}: {GPU} belongs into limits alone; the request is left out.")
            )
            del requests[GPU]
    if limits.get(GPU) and not selector:
        findings.append(_warning("I119", place, f"{place}: without a nodeSelector it runs on any node that has a GPU."))


def _compare(requests: Mapping[str, Any], limits: Mapping[str, Any], place: str, findings: list[Finding]) -> None:
    for key, value in requests.items():
        low, high = amount(value), amount(limits.get(key))
        if low is not None and high is not None and low > high:
            findings.append(
                _error(
                    "I120",
                    place,
                    f"{place}: the request of {key}, {value}, is above its limit, {limits[key]}.",
                    fix=f'requests: {{{key}: "{limits[key]}"}}',
                )
            )


def _selector(told: Any, place: str, findings: list[Finding]) -> dict[str, str]:
    if told is None:
        return {}
    if not isinstance(told, Mapping):
        findings.append(_error("I116", place, f"{place}: nodeSelector must be labels with their values."))
        return {}
    for key, value in told.items():
        if not isinstance(value, str):
            word = str(value).lower() if isinstance(value, bool) else value
            findings.append(
                _error("I116", place, f"{place}: nodeSelector.{key} must be a string.", fix=f'{key}: "{word}"')
            )
        elif value.startswith("<") and value.endswith(">"):
            findings.append(_error("I121", place, f"{place}: nodeSelector.{key} is still the placeholder {value}."))
    return {str(key): str(value) for key, value in told.items()}


def _unknown(told: Mapping[str, Any], known: tuple[str, ...], place: str) -> list[Finding]:
    findings = []
    for key in told:
        if key in known:
            continue
        if key == "tolerations":
            findings.append(
                _warning(
                    "I122",
                    place,
                    f"{place}.tolerations is no part of an instance type and is left out; see the "
                    "extension's setting workLoadToleration[0].key.",
                )
            )
            continue
        close = difflib.get_close_matches(key.replace("_", "").lower(), [one.lower() for one in known], n=1, cutoff=0.6)
        right = next((one for one in known if close and one.lower() == close[0]), "")
        hint = f" Did you mean {right}?" if right else ""
        findings.append(_error("I123", place, f"{place}.{key} is not known.{hint}", fix=f"{right}:" if right else ""))
    return findings


def _error(rule: str, subject: str, message: str, *, fix: str = "") -> Finding:
    return Finding(rule, Severity.ERROR, subject, message, fix=fix, source=GUIDE)


def _warning(rule: str, subject: str, message: str) -> Finding:
    return Finding(rule, Severity.WARNING, subject, message, source=GUIDE)
