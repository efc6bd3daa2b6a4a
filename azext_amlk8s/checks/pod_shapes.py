"""Objects shaped like those of an installation, for the API server to check in a dry run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from azext_amlk8s.checks.component_catalogue import REQUIRED, newest_known_version
from azext_amlk8s.checks.component_states import expected_components
from azext_amlk8s.checks.facts import NAMESPACE, Object, name_of
from azext_amlk8s.instance_types.model import DEFAULT_NAME
from azext_amlk8s.settings import Settings

REPOSITORY = "azureml/amlarc"
# CPU and memory of the first container; other components request less than these.
REQUESTS = {"azureml-fe-v2": ("900m", "800Mi"), "prometheus-prom-prometheus": ("100m", "512Mi")}
DEFAULT_REQUEST = ("50m", "128Mi")
# The instance type that the extension creates.
DEFAULT_TYPE: Object = {
    "metadata": {"name": DEFAULT_NAME},
    "spec": {"resources": {"requests": {"cpu": "100m", "memory": "2Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}}},
}


def namespace_object() -> dict[str, Any]:
    """The namespace of the extension."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}


def component_pods(
    settings: Settings, cluster_type: str, registry: str, version: str = ""
) -> list[tuple[str, dict[str, Any]]]:
    """A name and a pod for each required component: its image, requests and the sidecar for logs."""
    version = version or newest_known_version()
    known = expected_components(settings, cluster_type, version=version)
    return [
        (str(component["name"]), _component_pod(str(component["name"]), f"{registry}/{REPOSITORY}", version))
        for component in known
        if component["role"] == REQUIRED and component["kind"] != "DaemonSet"
    ]


def job_pods(instance_types: Iterable[Object], namespace: str, registry: str) -> list[tuple[str, dict[str, Any]]]:
    """A name and a pod for a job on each instance type; on the default one where the cluster has none yet."""
    pods = []
    for instance_type in tuple(instance_types) or (DEFAULT_TYPE,):
        spec = instance_type.get("spec") or {}
        container = {
            "name": "job",
            "image": f"{registry}/{REPOSITORY}/job:{newest_known_version()}",
            "resources": {key: value for key, value in (spec.get("resources") or {}).items() if value},
        }
        pod = _pod(
            f"amlk8s-dry-run-{name_of(instance_type)}", namespace, {"ml.azure.com/compute": "dry-run"}, [container]
        )
        pod["spec"]["nodeSelector"] = dict(spec.get("nodeSelector") or {})
        pods.append((f"a job on instance type {name_of(instance_type)}", pod))
    return pods


def _component_pod(name: str, images: str, version: str) -> dict[str, Any]:
    cpu, memory = REQUESTS.get(name, DEFAULT_REQUEST)
    resources = {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": "2", "memory": "2Gi"}}
    containers: list[dict[str, Any]] = [
        {"name": name[:63], "image": f"{images}/{name}:{version}", "resources": resources},
        {"name": "fluent-bit", "image": f"{images}/fluent-bit:{version}"},
    ]
    return _pod(f"amlk8s-dry-run-{name}", NAMESPACE, {"app": name[:63]}, containers)


def _pod(name: str, namespace: str, labels: Mapping[str, str], containers: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
        "spec": {"containers": containers, "restartPolicy": "Always"},
    }
