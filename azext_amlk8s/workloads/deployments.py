"""Online endpoints and deployments, in the YAML of azure-ai-ml and in ARM's form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from azext_amlk8s.instance_types.model import GPU
from azext_amlk8s.instance_types.yaml_documents import Document
from azext_amlk8s.rules import Finding, Problems, Severity, rule
from azext_amlk8s.workloads.form_rules import not_checked
from azext_amlk8s.workloads.jobs import misplaced_instance_type, missing_compute
from azext_amlk8s.workloads.model import Workload
from azext_amlk8s.workloads.resources import resource_sections
from azext_amlk8s.workloads.sources import DEPLOYMENT, ENDPOINT, problem_at, snippet

ERROR, WARNING = Severity.ERROR, Severity.WARNING
Read = tuple[list[Workload], list[Finding]]


@rule(
    "W110",
    ERROR,
    title="Keys of an endpoint",
    requires="resources and instance_type belong to deployments, not to the endpoint.",
    source=ENDPOINT,
)
def endpoint_keys(document: Document) -> Problems:
    """Keys of a deployment in an endpoint."""
    for key in ("resources", "instance_type"):
        if key in document.value:
            message = f"unknown key '{key}' in an endpoint; it belongs to the deployment."
            yield problem_at(document.place(key), message, fix=snippet({key: document.value[key]}))


@rule(
    "W111",
    ERROR,
    title="Type of a deployment",
    requires="A deployment on Kubernetes must have type: kubernetes.",
    source=DEPLOYMENT,
    why="Without it the deployment is created as a managed one, whatever $schema names.",
)
def deployment_type(document: Document, kind: Any) -> Problems:
    """A missing type, or another one."""
    if kind is None:
        message = "type is missing: it would be a managed deployment; expected type: kubernetes."
        yield problem_at(document.place(), message, expected="kubernetes", fix="type: kubernetes")
    elif kind != "kubernetes":
        message = f"invalid type '{kind}'; expected kubernetes."
        yield problem_at(
            document.place("type"), message, expected="kubernetes", found=str(kind), fix="type: kubernetes"
        )


@rule(
    "W112",
    WARNING,
    title="$schema of a deployment",
    requires="$schema should be that of deployments on Kubernetes.",
    source=DEPLOYMENT,
    why="Azure ignores $schema, but editors validate the file with it.",
)
def deployment_schema(document: Document, kind: Any) -> Problems:
    """The schema of managed deployments."""
    schema = str(document.value.get("$schema") or "")
    if kind == "kubernetes" and "managedOnlineDeployment" in schema:
        fix = f"$schema: {schema.replace('managedOnlineDeployment', 'kubernetesOnlineDeployment')}"
        yield problem_at(document.place("$schema"), "$schema is that of managed deployments.", found=schema, fix=fix)


def read_endpoint(document: Document) -> Read:
    """An endpoint, which names the compute of its deployments."""
    value = document.value
    compute, name = value.get("compute"), str(value.get("name") or "")
    findings = [*endpoint_keys(document)]
    if compute is None:
        findings += missing_compute(document, (), "no compute is named: it would be a managed endpoint.")
    workload = Workload(
        document.place(),
        "endpoint",
        name,
        str(compute) if compute else None,
        endpoint=name,
        places=document.places(("compute",)),
    )
    return [workload], findings


def read_deployment(document: Document) -> Read:
    """A deployment in YAML; managed deployments are not checked."""
    value = document.value
    kind, instance_type = value.get("type"), value.get("instance_type")
    if str(kind).lower() == "managed" or (kind is None and str(instance_type).lower().startswith("standard_")):
        return [], [*not_checked(document, (), "it is a managed deployment, not one on Kubernetes")]
    scale, model, environment = value.get("scale_settings"), value.get("model"), value.get("environment")
    count = value.get("instance_count") or (scale.get("min_instances") if isinstance(scale, Mapping) else None)
    resources = value.get("resources")
    sections = resources if isinstance(resources, Mapping) else None
    workload = Workload(
        place=document.place(),
        kind="deployment",
        name=str(value.get("name") or ""),
        instance_type=str(instance_type) if instance_type is not None else None,
        count=count if isinstance(count, int) and count > 0 else 1,
        resources=sections,
        image=str(environment.get("image") or "") if isinstance(environment, Mapping) else str(environment or ""),
        mlflow=isinstance(model, Mapping) and model.get("type") == "mlflow_model",
        endpoint=str(value.get("endpoint_name") or ""),
        places=document.places(("instance_type",), ("resources",), *_resource_paths(sections)),
    )
    findings = [
        *deployment_type(document, kind),
        *deployment_schema(document, kind),
        *misplaced_in_deployment(document),
        *resource_sections(workload, resources),
    ]
    return [workload], findings


def misplaced_in_deployment(document: Document) -> tuple[Finding, ...]:
    """instance_type under resources, or with another spelling, in a deployment."""
    value, problems = document.value, []
    resources = value.get("resources")
    if isinstance(resources, Mapping) and "instance_type" in resources:
        message = "instance_type has no effect under resources; a deployment has it at the top level."
        fix = snippet({"instance_type": resources["instance_type"]})
        problems.append(problem_at(document.place("resources", "instance_type"), message, fix=fix))
    for key in ("instanceType", "instance-type", "instancetype"):
        if key in value:
            fix = snippet({"instance_type": value[key]})
            problems.append(problem_at(document.place(key), f"unknown key '{key}'; expected instance_type.", fix=fix))
    return tuple(misplaced_instance_type.finding(problem) for problem in problems)


def read_arm_deployment(document: Document) -> Read:
    """A deployment in ARM's form."""
    value = document.value
    properties: Mapping[str, Any] = value["properties"]
    kind = str(properties.get("endpointComputeType") or "Managed")
    if kind.lower() != "kubernetes":
        return [], [*not_checked(document, (), f"it is a deployment of type {kind}, not one on Kubernetes")]
    needs = properties.get("containerResourceRequirements")
    sections = {
        part.lower().removeprefix("containerresource"): _from_arm(section)
        for part, section in (needs if isinstance(needs, Mapping) else {}).items()
        if isinstance(section, Mapping)
    }
    scale, sku = properties.get("scaleSettings"), value.get("sku")
    smallest = scale.get("minInstances") if isinstance(scale, Mapping) else None
    capacity = sku.get("capacity") if isinstance(sku, Mapping) else None
    identity = str(value.get("id") or "").split("/")
    instance_type = properties.get("instanceType")
    workload = Workload(
        place=document.place(),
        kind="deployment",
        name=str(value.get("name") or ""),
        instance_type=str(instance_type) if instance_type is not None else None,
        count=next((number for number in (smallest, capacity) if isinstance(number, int) and number > 0), 1),
        resources=sections or None,
        image=str(properties.get("environmentId") or ""),
        endpoint=identity[-3] if len(identity) > 2 else "",
    )
    return [workload], []


def _resource_paths(resources: Mapping[str, Any] | None) -> Iterator[tuple[str, ...]]:
    for part, section in (resources or {}).items():
        yield ("resources", part)
        yield from (("resources", part, str(key)) for key in (section if isinstance(section, Mapping) else ()))


def _from_arm(section: Mapping[str, Any]) -> dict[str, Any]:
    """cpu, memory and nvidia.com/gpu from ARM's cpu, memory (or memoryInGB) and gpu."""
    amounts = {"cpu": section.get("cpu"), "memory": section.get("memory"), GPU: section.get("gpu")}
    if amounts["memory"] is None and section.get("memoryInGB") is not None:
        amounts["memory"] = f"{section['memoryInGB']}G"
    return {key: value for key, value in amounts.items() if value is not None}
