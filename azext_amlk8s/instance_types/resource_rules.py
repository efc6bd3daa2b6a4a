"""The requests and limits of an instance type: what must be there, what is no quantity, what contradicts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from azext_amlk8s.instance_types import catalogue as rule
from azext_amlk8s.instance_types.finding_helpers import PLACEHOLDER, said
from azext_amlk8s.instance_types.model import GPU
from azext_amlk8s.instance_types.yamltext import Document
from azext_amlk8s.rules import Finding
from azext_amlk8s.rules.legacy import LegacyRule as Rule
from azext_amlk8s.scheduling.quantities import amount

PARTS = ("requests", "limits")
DOCUMENTED = ("cpu", "memory", GPU)
EXAMPLE = {"cpu": '"1"', "memory": '"2Gi"'}
BYTES = re.compile(r"^([0-9.]+)\s*([kmgtpe])(i?)b?$", re.IGNORECASE)
Amounts = dict[str, Any]


def judge_amounts(document: Document, resources: Mapping[str, Any], findings: list[Finding]) -> tuple[Amounts, Amounts]:
    """Requests and limits as they are written to the cluster: cpu and memory as strings, GPUs as whole numbers."""
    requests, limits = (_amounts(document, part, resources.get(part), findings) for part in PARTS)
    findings += _gpus_in_requests(document, requests, limits)
    findings += _compared(document, requests, limits)
    return requests, limits


def _amounts(document: Document, part: str, told: Any, findings: list[Finding]) -> Amounts:
    if not isinstance(told, Mapping):
        fix = f'{part}:\n  cpu: "1"\n  memory: 2Gi'
        findings.append(_said(rule.I112, document, part, "", f"{part} must name cpu and memory.", fix=fix))
        return {}
    for key in ("cpu", "memory"):
        if told.get(key) in (None, ""):
            fix = f"{part}:\n  {key}: {EXAMPLE[key]}"
            findings.append(_said(rule.I112, document, part, key, f"{part}.{key} is missing.", fix=fix))
    made: Amounts = {}
    for key, value in told.items():
        if value is None and "/" in str(key):
            made[str(key)] = None
        if value in (None, "") or (isinstance(value, str) and PLACEHOLDER.match(value)):
            continue
        read = _whole if "/" in str(key) else _quantity
        made[str(key)] = read(document, part, str(key), value, findings)
        if key not in DOCUMENTED:
            message = f"{part}.{key} is passed on; only cpu, memory and {GPU} are documented."
            findings.append(_said(rule.I115, document, part, str(key), message))
    return made


def _quantity(document: Document, part: str, key: str, value: Any, findings: list[Finding]) -> str:
    number = amount(value)
    if number is None or number <= 0:
        message = f"{part}.{key}: {value} is not a quantity above zero that Kubernetes takes."
        fix = corrected(key, str(value))
        findings.append(_said(rule.I113, document, part, key, message, fix=fix and f'{key}: "{fix}"'))
    elif not isinstance(value, str):
        message = f'{part}.{key}: {value} is a number; it is written as the string "{value}".'
        findings.append(_said(rule.I114, document, part, key, message, fix=f'{key}: "{value}"'))
    return str(value)


def corrected(key: str, value: str) -> str:
    """The quantity that was meant by 500MB, 4gb or 2gi; nothing where that cannot be told."""
    found = BYTES.match(value.strip())
    if key != "memory" or not found:
        return ""
    letter, binary = found[2].upper(), found[3].lower()
    made = f"{found[1]}{letter if binary or letter != 'K' else 'k'}{binary}"
    return made if amount(made) is not None else ""


def _whole(document: Document, part: str, key: str, value: Any, findings: list[Finding]) -> Any:
    """GPUs and other extended resources: whole, an int where it is one in quotes."""
    number = amount(value)
    if number is None or number < 0 or number != int(number):
        message = f"{part}.{key}: {value} must be a whole number."
        findings.append(_said(rule.I117, document, part, key, message, fix=f"{key}: 1"))
        return value
    return int(number)


def _gpus_in_requests(document: Document, requests: Amounts, limits: Amounts) -> Iterator[Finding]:
    """A request that repeats the limit is taken out of requests; none of both, 0 or null, is nothing to speak of."""
    for key in [one for one in requests if "/" in one]:
        told, limit = requests.pop(key), limits.get(key)
        if not told and not limit:
            continue
        if told == limit:
            message = f"{key} belongs into limits alone; the request is left out."
            yield _said(rule.I128, document, "requests", key, message)
        else:
            message = f"{key} belongs into limits alone: {told} is asked for, and the limit is {limit or 'none'}."
            yield _said(rule.I118, document, "requests", key, message, fix=f"limits:\n  {key}: {told}")


def _compared(document: Document, requests: Amounts, limits: Amounts) -> Iterator[Finding]:
    for key, value in requests.items():
        low, high = amount(value), amount(limits.get(key))
        if low is not None and high is not None and low > high:
            message = f"the request of {key}, {value}, is above its limit, {limits[key]}."
            fix = f'requests:\n  {key}: "{limits[key]}"'
            yield _said(rule.I120, document, "requests", key, message, fix=fix)


def _said(of: Rule, document: Document, part: str, key: str, message: str, *, fix: str = "") -> Finding:
    return said(of, document, ("spec", "resources", part, *([key] if key else [])), message, fix=fix)
