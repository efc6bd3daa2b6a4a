"""Rules over the resources section of a deployment, which differs from that of an instance type.

Every value is a string, that of the GPU too; both requests are required; GPUs are set in limits only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azext_amlk8s.instance_types.model import GPU, InstanceType
from azext_amlk8s.instance_types.sources import shorten
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Finding, Problems, Severity, rule
from azext_amlk8s.scheduling.quantities import amount
from azext_amlk8s.workloads.model import Workload
from azext_amlk8s.workloads.sources import DEPLOYMENT, problem_at, snippet

PARTS = ("requests", "limits")
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
Sections = Mapping[str, Mapping[str, Any]]


@rule(
    "W113",
    ERROR,
    title="Sections of resources",
    requires="resources must be a mapping with requests and limits.",
    source=DEPLOYMENT,
    follows=("W134",),
)
def resource_sections(workload: Workload, resources: Any) -> Problems:
    """A section that is no mapping."""
    if resources is not None and not isinstance(resources, Mapping):
        yield problem_at(workload.at("resources"), "resources must be a mapping with requests and limits.")
        return
    for part in PARTS:
        section = (resources or {}).get(part)
        if section is not None and not isinstance(section, Mapping):
            yield problem_at(workload.at("resources", part), f"resources.{part} must be a mapping.")


@rule(
    "W114",
    ERROR,
    title="Types of amounts",
    requires="Every amount of a deployment must be a string, the number of GPUs too.",
    source=DEPLOYMENT,
)
def amount_strings(workload: Workload, sections: Sections, corrected: str) -> Problems:
    """Amounts that are numbers."""
    for part, key, value in _amounts(sections):
        if not isinstance(value, str):
            note = " (in an instance type it is a number)" if key == GPU else ""
            message = f"resources.{part}.{key}: expected a string, got {shorten(value)}{note}."
            place = workload.at("resources", part, key)
            yield problem_at(place, message, expected=f'"{shorten(value)}"', found=shorten(value), fix=corrected)


@rule(
    "W115",
    ERROR,
    title="Kubernetes quantities",
    requires="An amount must be a Kubernetes quantity above zero, and GPUs are named nvidia.com/gpu.",
    source=DEPLOYMENT,
)
def valid_quantities(workload: Workload, sections: Sections, corrected: str) -> Problems:
    """Amounts that Kubernetes refuses, a wrong name of the GPU, and too little memory."""
    for part, key, value in _amounts(sections):
        place, number, text = workload.at("resources", part, key), amount(str(value)), shorten(value)
        if key == "gpu":
            fix = snippet({"resources": {"limits": {GPU: str(value)}}})
            yield problem_at(place, f"resources.{part}.gpu: unknown resource 'gpu'; expected {GPU}.", fix=fix)
        elif number is None or number < 0 or (number == 0 and key != GPU):
            message = f"resources.{part}.{key}: invalid quantity '{text}'; expected a Kubernetes quantity above zero."
            yield problem_at(place, message, found=text, fix=corrected)
        elif key == GPU and number != int(number):
            message = f"resources.{part}.{key}: invalid value '{text}'; expected a whole number."
            yield problem_at(place, message, found=text, fix=corrected)
    memory, least = amount(str(sections["requests"].get("memory"))), load("workloads")["smallestMemory"]
    if memory is not None and 0 < memory < (amount(least) or 0):
        message = f"resources.requests.memory: {sections['requests']['memory']} is below the minimum of {least}."
        yield problem_at(workload.at("resources", "requests", "memory"), message, fix=corrected)


@rule(
    "W116",
    ERROR,
    title="Required requests",
    requires="resources must have requests of cpu and memory.",
    source=DEPLOYMENT,
)
def required_requests(workload: Workload, sections: Sections, corrected: str) -> Problems:
    """Requests that are missing."""
    for key in ("cpu", "memory"):
        if sections["requests"].get(key) is None:
            message = f"resources.requests.{key} is missing; it is required where resources is set."
            yield problem_at(workload.at("resources"), message, fix=corrected)


@rule(
    "W117",
    ERROR,
    title="Requests above limits",
    requires="A request must not be above its limit.",
    source=DEPLOYMENT,
)
def request_above_limit(workload: Workload, sections: Sections) -> Problems:
    """Requests that Kubernetes refuses because of their limits."""
    for key, request in sections["requests"].items():
        limit = sections["limits"].get(key)
        low, high = amount(str(request)), amount(str(limit))
        if key != GPU and low is not None and high is not None and low > high:
            message = f"resources.requests.{key}: {request} is above the limit of {limit}."
            fix = snippet({"resources": {"limits": {key: str(request)}}})
            yield problem_at(workload.at("resources", "requests", key), message, fix=fix)


@rule(
    "W118",
    ERROR,
    title="GPU requests",
    requires="GPUs must be set in limits; Kubernetes refuses a request that differs from the limit.",
    source=DEPLOYMENT,
)
def gpu_request_differs(workload: Workload, sections: Sections, corrected: str) -> Problems:
    """A GPU request that is not the limit."""
    request, limit = (sections[part].get(GPU) for part in PARTS)
    if request is not None and (limit is None or amount(str(limit)) != amount(str(request))):
        message = (
            f"resources.requests.{GPU}: {request} differs from the limit of {limit or 'none'}; set it in limits only."
        )
        yield problem_at(workload.at("resources", "requests", GPU), message, fix=corrected)


@rule(
    "W128",
    WARNING,
    title="Repeated GPU requests",
    requires="GPUs should be set in limits only.",
    source=DEPLOYMENT,
)
def gpu_request_repeats(workload: Workload, sections: Sections, corrected: str) -> Problems:
    """A GPU request that is the limit."""
    request, limit = (sections[part].get(GPU) for part in PARTS)
    if request is not None and limit is not None and amount(str(limit)) == amount(str(request)):
        message = f"resources.requests.{GPU} repeats the limit; set it in limits only."
        yield problem_at(workload.at("resources", "requests", GPU), message, fix=corrected)


@rule(
    "W119",
    ERROR,
    title="Limits of the instance type",
    requires="The resources of a deployment must stay within the limits of its instance type.",
    source=DEPLOYMENT,
)
def above_instance_type(workload: Workload, sections: Sections, instance_type: InstanceType) -> Problems:
    """Amounts above those of the instance type, and GPUs of a type without."""
    for part, key, value in _amounts(sections):
        limit, number = instance_type.limits.get(key), amount(str(value))
        bound = amount(str(limit)) if limit is not None else None
        place, text = workload.at("resources", part, key), shorten(value)
        if number and limit is None and key == GPU:
            message = f"resources.{part}.{key}: {text} requested, but instance type '{instance_type.name}' has none."
            yield problem_at(place, message, expected="0", found=text)
        elif number is not None and bound is not None and number > bound:
            message = (
                f"resources.{part}.{key}: {text} is above the limit of {limit} of instance type '{instance_type.name}'."
            )
            fix = snippet({"resources": {part: {key: str(limit)}}})
            yield problem_at(place, message, expected=f"at most {limit}", found=text, fix=fix)


@rule(
    "W127",
    INFO,
    title="Limits equal to the instance type",
    requires="The limits of a deployment should be lower than those of its instance type.",
    source=DEPLOYMENT,
    why="The documentation asks for lower limits; whether Azure accepts equal ones is not documented.",
)
def equal_to_instance_type(workload: Workload, sections: Sections, instance_type: InstanceType) -> Problems:
    """Limits that equal those of the instance type."""
    for key, value in sections["limits"].items():
        number, limit = amount(str(value)), instance_type.limits.get(key)
        if number is not None and limit is not None and number == amount(str(limit)):
            message = (
                f"resources.limits.{key}: {value} equals the limit of instance type '{instance_type.name}'; the "
                "documentation asks for a lower one."
            )
            yield problem_at(workload.at("resources", "limits", key), message)


def evaluate_resources(workload: Workload, instance_type: InstanceType | None) -> list[Finding]:
    """The findings on the section, alone and compared with the instance type."""
    if workload.resources is None:
        return []
    sections: Sections = {
        part: section if isinstance(section := workload.resources.get(part), Mapping) else {} for part in PARTS
    }
    corrected = _corrected(sections)
    findings = [
        *amount_strings(workload, sections, corrected),
        *valid_quantities(workload, sections, corrected),
        *required_requests(workload, sections, corrected),
        *gpu_request_differs(workload, sections, corrected),
        *gpu_request_repeats(workload, sections, corrected),
        *request_above_limit(workload, sections),
    ]
    if instance_type:
        findings += above_instance_type(workload, sections, instance_type)
        findings += equal_to_instance_type(workload, sections, instance_type)
    return findings


def _amounts(sections: Sections) -> list[tuple[str, str, Any]]:
    return [
        (part, key, value)
        for part, section in sections.items()
        for key, value in section.items()
        if value is not None and not isinstance(value, (list, Mapping))
    ]


def _corrected(sections: Sections) -> str:
    """The section as it should be, as far as that is known."""
    requests, limits = (
        {key: _correct(value) for key, value in section.items() if value is not None} for section in sections.values()
    )
    for section in (requests, limits):
        if "gpu" in section:
            section[GPU] = section.pop("gpu")
    gpus = requests.pop(GPU, None)
    if gpus is not None:
        limits.setdefault(GPU, gpus)
    requests = {"cpu": limits.get("cpu", "0.1"), "memory": limits.get("memory", "500Mi"), **requests}
    return snippet({"resources": {"requests": requests, **({"limits": limits} if limits else {})}})


def _correct(value: Any) -> str:
    """A quantity as a string; 4GB and 4gb mean 4G."""
    text = str(value)
    if amount(text) is None:
        bare = text.strip().upper().removesuffix("B").replace("I", "i")
        return bare if amount(bare) is not None else text
    return text
