"""Rules over the requests and limits of an instance type; `read_amounts` evaluates them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from azext_amlk8s.instance_types.model import GPU
from azext_amlk8s.instance_types.sources import GUIDE, PLACEHOLDER, QUANTITIES, RESOURCES, problem_at, shorten
from azext_amlk8s.instance_types.yaml_documents import Document, Path
from azext_amlk8s.rules import Finding, Problems, Severity, rule
from azext_amlk8s.scheduling.quantities import amount

PARTS = ("requests", "limits")
DOCUMENTED = ("cpu", "memory", GPU)
EXAMPLE = {"cpu": '"1"', "memory": "2Gi"}
BYTES = re.compile(r"^([0-9.]+)\s*([kmgtpe])(i?)b?$", re.IGNORECASE)
ERROR, WARNING = Severity.ERROR, Severity.WARNING
Amounts = dict[str, Any]


@rule(
    "I112",
    ERROR,
    title="Requests and limits",
    requires="requests and limits must each have cpu and memory.",
    source=GUIDE,
)
def required_amounts(document: Document, resources: Mapping[str, Any]) -> Problems:
    """Sections or amounts that are missing."""
    for part in PARTS:
        section = resources.get(part)
        if not isinstance(section, Mapping):
            fix = f'{part}:\n  cpu: "1"\n  memory: 2Gi'
            yield problem_at(document, _path(part), f"{part} must have cpu and memory.", fix=fix)
            continue
        for key in ("cpu", "memory"):
            if section.get(key) in (None, ""):
                fix = f"{part}:\n  {key}: {EXAMPLE[key]}"
                yield problem_at(document, _path(part, key), f"{part}.{key} is missing.", fix=fix)


@rule(
    "I113",
    ERROR,
    title="Kubernetes quantities",
    requires="An amount must be a Kubernetes quantity above zero.",
    source=QUANTITIES,
)
def valid_quantity(document: Document, part: str, key: str, value: Any) -> Problems:
    """Amounts that Kubernetes refuses, with the quantity that was probably meant."""
    number = amount(value)
    if number is None or number <= 0:
        spelling = shorten(document.spelling(*_path(part, key)))
        fix = correct_quantity(key, spelling)
        message = f"{part}.{key}: invalid quantity '{spelling}'; expected a Kubernetes quantity above zero."
        yield problem_at(document, _path(part, key), message, found=spelling, fix=fix and f'{key}: "{fix}"')


@rule(
    "I114",
    WARNING,
    title="Types of amounts",
    requires="cpu and memory should be strings.",
    source=GUIDE,
)
def quantity_string(document: Document, part: str, key: str, value: Any) -> Problems:
    """Numbers, which are written as strings; the fix keeps the file's spelling."""
    number = amount(value)
    if number is not None and number > 0 and not isinstance(value, str):
        spelling = document.spelling(*_path(part, key))
        message = f"{part}.{key}: expected a string, got the number {spelling}."
        yield problem_at(document, _path(part, key), message, found=spelling, fix=f'{key}: "{spelling}"')


@rule(
    "I115",
    WARNING,
    title="Other resources",
    requires=f"Only cpu, memory and {GPU} are documented for instance types.",
    source=GUIDE,
)
def undocumented_resource(document: Document, part: str, key: str) -> Problems:
    """Other resources, which are passed to Kubernetes."""
    if key not in DOCUMENTED:
        message = f"{part}.{shorten(key)} is passed to Kubernetes; documented are only cpu, memory and {GPU}."
        yield problem_at(document, _path(part, key), message, found=key)


@rule(
    "I117",
    ERROR,
    title="Whole numbers of GPUs",
    requires="A number of GPUs, or of another extended resource, must be a whole number, 0 or more.",
    source=RESOURCES,
)
def whole_number(document: Document, part: str, key: str, value: Any) -> Problems:
    """Fractions, negative numbers and other values."""
    if _whole(value) is None:
        spelling = shorten(document.spelling(*_path(part, key)))
        message = f"{part}.{key}: invalid value '{spelling}'; expected a whole number."
        yield problem_at(document, _path(part, key), message, found=spelling, fix=f"{key}: 1")


@rule(
    "I118",
    ERROR,
    title="GPU requests",
    requires="GPUs must be set in limits; Kubernetes refuses a request that differs from the limit.",
    source=GUIDE,
)
def gpu_request_differs(document: Document, key: str, request: Any, limit: Any) -> Problems:
    """A request that is not the limit."""
    if request != limit and (request or limit):
        given = "null" if request is None else request
        message = f"requests.{key}: {given} differs from limits.{key}: {limit or 'none'}; set it in limits only."
        fix = f"limits:\n  {key}: {request}" if request else f"Remove requests.{key}."
        yield problem_at(document, _path("requests", key), message, fix=fix)


@rule(
    "I128",
    WARNING,
    title="Repeated GPU requests",
    requires="GPUs should be set in limits only; a request that repeats the limit is ignored.",
    source=GUIDE,
)
def gpu_request_repeats(document: Document, key: str, request: Any, limit: Any) -> Problems:
    """A request that is the limit."""
    if request == limit and request:
        message = f"requests.{key} is ignored; set it in limits only."
        yield problem_at(document, _path("requests", key), message)


@rule(
    "I120",
    ERROR,
    title="Requests above limits",
    requires="A request must not be above its limit.",
    source=RESOURCES,
)
def request_above_limit(document: Document, requests: Amounts, limits: Amounts) -> Problems:
    """Requests that Kubernetes refuses because of their limits."""
    for key, value in requests.items():
        low, high = amount(value), amount(limits.get(key))
        if low is not None and high is not None and low > high:
            message = f"requests.{key}: {value} is above limits.{key}: {limits[key]}."
            fix = f'requests:\n  {key}: "{limits[key]}"'
            yield problem_at(document, _path("requests", key), message, fix=fix)


def read_amounts(document: Document, resources: Mapping[str, Any]) -> tuple[Amounts, Amounts, list[Finding]]:
    """Requests and limits as the cluster gets them, cpu and memory as strings, GPUs as whole numbers; and findings."""
    findings = [*required_amounts(document, resources)]
    requests, limits = (_read_section(document, part, resources.get(part), findings) for part in PARTS)
    for key in [name for name in requests if "/" in name]:
        request, limit = requests.pop(key), limits.get(key)
        findings += gpu_request_differs(document, key, request, limit)
        findings += gpu_request_repeats(document, key, request, limit)
    findings += request_above_limit(document, requests, limits)
    return requests, limits, findings


def correct_quantity(key: str, value: str) -> str:
    """The quantity that was meant by 500MB, 4gb or 2gi; empty where that is not clear."""
    match = BYTES.match(value.strip())
    if key != "memory" or not match:
        return ""
    letter, binary = match[2].upper(), match[3].lower()
    corrected = f"{match[1]}{letter if binary or letter != 'K' else 'k'}{binary}"
    return corrected if amount(corrected) is not None else ""


def _read_section(document: Document, part: str, section: Any, findings: list[Finding]) -> Amounts:
    amounts: Amounts = {}
    for key, value in section.items() if isinstance(section, Mapping) else ():
        key = str(key)
        if value is None and "/" in key:
            amounts[key] = None
        if value is None or (value == "" and "/" not in key) or (isinstance(value, str) and PLACEHOLDER.match(value)):
            continue
        if "/" in key:
            findings += whole_number(document, part, key, value)
            whole = _whole(value)
            amounts[key] = value if whole is None else whole
        else:
            findings += valid_quantity(document, part, key, value)
            findings += quantity_string(document, part, key, value)
            spelling = document.spelling(*_path(part, key))
            amounts[key] = spelling if not isinstance(value, str) and amount(spelling) is not None else str(value)
        findings += undocumented_resource(document, part, key)
    return amounts


def _whole(value: Any) -> int | None:
    number = amount(value)
    return int(number) if number is not None and 0 <= number < 2**63 and number == int(number) else None


def _path(part: str, key: str = "") -> Path:
    return ("spec", "resources", part, key) if key else ("spec", "resources", part)
