"""What an installation changes in the cluster, through the cluster's own API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.azure.kubernetes_configuration import component_faults, helm_releases, router
from sandbox.azure.kubernetes_configuration.components import (
    Component,
    PodState,
    component_pod,
    controller_object,
    installed_components,
    owner_of,
    pod_name,
    replica_set_object,
)
from sandbox.azure.kubernetes_configuration.definitions import (
    CRD,
    DEFINITIONS,
    GROUP,
    VERSION,
    VOLCANO_DEFINITIONS,
)
from sandbox.azure.kubernetes_configuration.failure_artifacts import ensure_namespace, leave_events, leave_healthcheck
from sandbox.azure.kubernetes_configuration.install_failures import NAMESPACE, Install
from sandbox.azure.kubernetes_configuration.left_behind import LEFT_BEHIND
from sandbox.azure.kubernetes_configuration.scheduler import Scheduler, build_scheduler
from sandbox.kubernetes import ClusterSide
from sandbox.kubernetes.client import KubernetesError

SCHEDULER_CONFIGURATION = "volcano-scheduler-configmap"
DEFINITION = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
NAMESPACED = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "StatefulSet"),
    ("v1", "Pod"),
    ("v1", "Event"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
)


async def install(install: Install) -> bool:
    """Create the namespace, the definitions and the components; returns whether all components became ready.

    Raises KubernetesError where the API server refuses an object of the chart.
    """
    client = install.side.client
    await ensure_namespace(install)
    volcano = install.on("enableTraining") and install.on("installVolcano", "true")
    for definition in (*DEFINITIONS, *(VOLCANO_DEFINITIONS if volcano else ())):
        await client.apply(definition)
    others = [pod for pod in await client.list("v1", "Pod") if pod["metadata"]["namespace"] != NAMESPACE]
    scheduler = build_scheduler(await client.list("v1", "Node"), others, install.settings)
    components = installed_components(install)
    if volcano:
        await _apply_scheduler_configuration(install)
    await _remove_components_of_other_versions(install, {component.name for component in components})
    ready = [await _install_component(install, component, scheduler) for component in components]
    if not all(ready):
        return False
    await leave_healthcheck(install, failed=False)
    await helm_releases.record_revision(install)
    await router.deploy(install)
    await component_faults.apply_faults(install)
    return True


async def _apply_scheduler_configuration(install: Install) -> None:
    """Create Volcano's configuration, or return it to the chart's, except what another field manager has applied.

    assumed: kubectl's own names of field managers are those of changes by hand, which an upgrade reverts.
    https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension
    """
    client = install.side.client
    existing = await client.get("v1", "ConfigMap", SCHEDULER_CONFIGURATION, NAMESPACE)
    entries = ((existing or {}).get("metadata") or {}).get("managedFields") or []
    owners = {entry["manager"] for entry in entries if "f:data" in entry.get("fieldsV1", {})}
    if any(not owner.startswith(("kubectl", "sandbox")) for owner in owners):
        return
    metadata = {
        "name": SCHEDULER_CONFIGURATION,
        "namespace": NAMESPACE,
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
    }
    data = {"volcano-scheduler.conf": f'# {install.version}\nactions: "enqueue, allocate, backfill"\n'}
    await client.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


async def _remove_components_of_other_versions(install: Install, names: set[str]) -> None:
    for version, kind in NAMESPACED[:5]:
        for found in await install.side.client.list(version, kind, NAMESPACE, "app.kubernetes.io/managed-by=Helm"):
            if found["metadata"].get("labels", {}).get("app") not in names:
                await install.side.client.delete(version, kind, found["metadata"]["name"], NAMESPACE)


async def _install_component(install: Install, component: Component, scheduler: Scheduler) -> bool:
    """Create a component's controller and pods; returns whether all its pods became ready."""
    client = install.side.client
    states = _pod_states(install, component, scheduler)
    ready = sum(not state.unschedulable and not state.waiting for state in states)
    controller = await client.apply(controller_object(component, install.version, len(states), ready))
    owner = controller
    if component.kind == "Deployment":
        owner = await client.apply(replica_set_object(controller, ready))
    refused = 0
    for index, state in enumerate(states):
        pod = component_pod(component, install.version, index, owner_of(owner), state)
        try:
            await client.apply(pod)
        except KubernetesError as error:
            refused += 1
            text = f"Error creating: {error.message}"
            await leave_events(install, owner["kind"], owner["metadata"]["name"], [("FailedCreate", text)])
            continue
        await leave_events(install, "Pod", pod["metadata"]["name"], _warnings(pod, state))
    if refused:
        ready = max(ready - refused, 0)
        await client.apply(controller_object(component, install.version, len(states), ready))
        if component.kind == "Deployment":
            await client.apply(replica_set_object(controller, ready))
    return ready == len(states)


def _pod_states(install: Install, component: Component, scheduler: Scheduler) -> list[PodState]:
    if component.kind == "DaemonSet":
        nodes = [(node.name, "") for node in scheduler.usable_nodes()]
    else:
        nodes = [scheduler.place(*component.requests()) for _ in range(component.wanted_replicas(install))]
    return [PodState(node, reason, _waiting(install, scheduler, node)) for node, reason in nodes]


def _waiting(install: Install, scheduler: Scheduler, node: str) -> str:
    if not node:
        return ""
    if not install.cluster.registry:
        return "ImagePullBackOff"
    # The images are built for amd64 alone.
    return "CrashLoopBackOff" if scheduler.architecture(node) not in ("", "amd64") else ""


def _warnings(pod: Mapping[str, Any], state: PodState) -> Iterator[tuple[str, str]]:
    """Reason and message of the events that the scheduler and the kubelet record."""
    if state.unschedulable:
        yield "FailedScheduling", state.unschedulable
    elif state.waiting == "ImagePullBackOff":
        image = pod["spec"]["containers"][0]["image"]
        host = image.split("/", 1)[0]
        yield "Failed", f'Failed to pull image "{image}": dial tcp: lookup {host}: i/o timeout'
    elif state.waiting:
        yield "BackOff", "Back-off restarting failed container"


async def remove_failed_attempt(side: ClusterSide) -> None:
    """Delete the pods that do not run, and the events, of an earlier attempt."""
    for pod in await side.client.list("v1", "Pod", NAMESPACE):
        if (pod.get("status") or {}).get("phase") != "Running":
            await side.client.delete("v1", "Pod", pod["metadata"]["name"], NAMESPACE)
    for event in await side.client.list("v1", "Event", NAMESPACE):
        await side.client.delete("v1", "Event", event["metadata"]["name"], NAMESPACE)


async def uninstall(side: ClusterSide, leftovers: Sequence[str] = ()) -> None:
    """Delete the namespace with its objects, and the definitions with the instance types, except what is to stay."""
    for definition in () if "definitions" in leftovers else (*DEFINITIONS, *VOLCANO_DEFINITIONS):
        name = definition["metadata"]["name"]
        existing = await side.client.get(*DEFINITION, name)
        if existing and (name == CRD["metadata"]["name"] or _is_helms(existing)):
            await side.client.delete(*DEFINITION, name)
    for obj in LEFT_BEHIND.get("webhooks", ()) if "webhooks" in leftovers else ():
        await side.client.apply(dict(obj))
    for obj in LEFT_BEHIND.get("roles", ()) if "roles" in leftovers else ():
        await side.client.apply(dict(obj))
    for version, kind in NAMESPACED:
        for obj in await side.client.list(version, kind, NAMESPACE):
            await side.client.delete(version, kind, obj["metadata"]["name"], NAMESPACE)
    await router.remove(side)
    if "namespace" not in leftovers:
        await side.client.delete("v1", "Namespace", NAMESPACE)


async def instance_types(side: ClusterSide) -> dict[str, Any]:
    """The instance types of the cluster by name, in the form of the compute's ARM resource."""
    if not await side.client.get(*DEFINITION, CRD["metadata"]["name"]):
        return {}
    found = await side.client.list(f"{GROUP}/{VERSION}", "InstanceType")
    return {item["metadata"]["name"]: _arm_form(item.get("spec") or {}) for item in found}


def _arm_form(spec: Mapping[str, Any]) -> dict[str, Any]:
    resources = spec.get("resources") or {}
    return {
        "nodeSelector": spec.get("nodeSelector"),
        "resources": {
            part: {key: None if value is None else str(value) for key, value in (resources.get(part) or {}).items()}
            for part in ("requests", "limits")
        },
    }


def _is_helms(obj: Mapping[str, Any]) -> bool:
    return (obj["metadata"].get("labels") or {}).get("app.kubernetes.io/managed-by") == "Helm"


__all__ = ["CRD", "GROUP", "VERSION", "install", "instance_types", "pod_name", "remove_failed_attempt", "uninstall"]
