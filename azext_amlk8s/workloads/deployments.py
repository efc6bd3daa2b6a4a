"""Online endpoints and deployments, as YAML and as ARM has them (field guide compute 4)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from azext_amlk8s.instance_types.yamltext import Document
from azext_amlk8s.rules import Finding
from azext_amlk8s.workloads.catalogue import W103, W106, W108, W110, W111, W112, W113
from azext_amlk8s.workloads.model import Ask, said, snippet

GPU = "nvidia.com/gpu"
Read = tuple[list[Ask], list[Finding]]


def read_endpoint(document: Document) -> Read:
    """An endpoint: it names the compute, and nothing else of ours."""
    told, findings = document.told, []
    for key in ("resources", "instance_type"):
        if key in told:
            message = f"{key} belongs to the deployment; an endpoint has none."
            findings.append(said(W110, document.place(key), message, fix=snippet({key: told[key]})))
    compute = told.get("compute")
    if compute is None:
        message = "the endpoint names no compute, so it is read as a managed one."
        findings.append(said(W108, document.place(), message, fix="compute: azureml:COMPUTE"))
    name = str(told.get("name") or "")
    places = document.places(("compute",))
    ask = Ask(document.place(), "endpoint", name, str(compute) if compute else None, endpoint=name, places=places)
    return [ask], findings


def read_deployment(document: Document) -> Read:
    """A deployment of YAML."""
    told, findings = document.told, []
    kind, picked = told.get("type"), told.get("instance_type")
    if str(kind).lower() == "managed" or (kind is None and str(picked).lower().startswith("standard_")):
        return [], [said(W103, document.place(), "it is a managed deployment, not one on Kubernetes.")]
    if kind != "kubernetes":
        message = "type: kubernetes is missing, so it is read as a managed deployment, whatever $schema says."
        if kind is not None:
            message = f"type is {kind}, and must be kubernetes."
        findings.append(said(W111, document.place(*(["type"] if kind else [])), message, fix="type: kubernetes"))
    elif "managedOnlineDeployment" in str(told.get("$schema")):
        message = (
            "$schema is that of managed deployments; editors will judge the file by it, Azure does not look at it."
        )
        findings.append(said(W112, document.place("$schema"), message))
    _misplaced(document, findings)
    scale = told.get("scale_settings")
    count = told.get("instance_count") or (scale.get("min_instances") if isinstance(scale, Mapping) else None)
    model, environment = told.get("model"), told.get("environment")
    resources = told.get("resources")
    if resources is not None and not isinstance(resources, Mapping):
        findings.append(said(W113, document.place("resources"), "resources must hold requests and limits."))
        resources = None
    return [
        Ask(
            place=document.place(),
            kind="deployment",
            name=str(told.get("name") or ""),
            instance_type=str(picked) if picked is not None else None,
            count=count if isinstance(count, int) and count > 0 else 1,
            resources=resources,
            image=str(environment.get("image") or "") if isinstance(environment, Mapping) else str(environment or ""),
            mlflow=isinstance(model, Mapping) and model.get("type") == "mlflow_model",
            endpoint=str(told.get("endpoint_name") or ""),
            places=document.places(("instance_type",), ("resources",), *_parts(resources)),
        )
    ], findings


def _parts(resources: Any) -> Iterator[tuple[str, ...]]:
    for part, told in (resources or {}).items():
        yield from (("resources", part, key) for key in (told if isinstance(told, Mapping) else ()))


def _misplaced(document: Document, findings: list[Finding]) -> None:
    told = document.told
    resources = told.get("resources")
    if isinstance(resources, Mapping) and "instance_type" in resources:
        message = "instance_type has no effect under resources; of a deployment it stands at the top."
        right = snippet({"instance_type": resources["instance_type"]})
        findings.append(said(W106, document.place("resources", "instance_type"), message, fix=right))
    for key in ("instanceType", "instance-type", "instancetype"):
        if key in told:
            right = snippet({"instance_type": told[key]})
            findings.append(said(W106, document.place(key), f"{key} is written instance_type.", fix=right))


def read_arm(document: Document) -> Read:
    """A deployment in ARM's shape."""
    told = document.told
    properties = told["properties"]
    kind = str(properties.get("endpointComputeType") or "Managed")
    if kind.lower() != "kubernetes":
        return [], [said(W103, document.place(), f"it is a deployment of the type {kind}, not one on Kubernetes.")]
    needs = properties.get("containerResourceRequirements")
    needs = needs if isinstance(needs, Mapping) else {}
    parts = {
        part.lower().removeprefix("containerresource"): _from_arm(told)
        for part, told in needs.items()
        if isinstance(told, Mapping)
    }
    scale, sku = properties.get("scaleSettings"), told.get("sku")
    smallest = scale.get("minInstances") if isinstance(scale, Mapping) else None
    capacity = sku.get("capacity") if isinstance(sku, Mapping) else None
    identity = str(told.get("id") or "").split("/")
    return [
        Ask(
            place=document.place(),
            kind="deployment",
            name=str(told.get("name") or ""),
            instance_type=properties.get("instanceType"),
            count=next((one for one in (smallest, capacity) if isinstance(one, int) and one > 0), 1),
            resources=parts or None,
            image=str(properties.get("environmentId") or ""),
            endpoint=identity[-3] if len(identity) > 2 else "",
        )
    ], []


def _from_arm(told: Mapping[str, Any]) -> dict[str, Any]:
    """cpu, memory and nvidia.com/gpu out of ARM's cpu, memory (or memoryInGB) and gpu."""
    made = {"cpu": told.get("cpu"), "memory": told.get("memory"), GPU: told.get("gpu")}
    if made["memory"] is None and told.get("memoryInGB") is not None:
        made["memory"] = f"{told['memoryInGB']}G"
    return {key: value for key, value in made.items() if value is not None}
