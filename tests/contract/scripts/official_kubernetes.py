"""The official Kubernetes client: nodes, a config map's life, an instance type's life, a watch."""

from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

GROUP, VERSION, PLURAL = "amlarc.azureml.com", "v1alpha1", "instancetypes"

config.load_kube_config(context="aks-poc")
core, custom = client.CoreV1Api(), client.CustomObjectsApi()
assert len(core.list_node().items) == 3
assert client.VersionApi().get_code().git_version.startswith("v1.")

body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="config"), data={"a": "b"})
core.create_namespaced_config_map("default", body)
core.patch_namespaced_config_map("config", "default", {"data": {"c": "d"}})
assert core.read_namespaced_config_map("config", "default").data == {"a": "b", "c": "d"}
try:
    core.create_namespaced_config_map("default", body)
    raise AssertionError("a name was given twice")
except ApiException as error:
    assert error.status == 409 and error.reason == "Conflict", error

spec = {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}}}
document = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "InstanceType", "metadata": {"name": "official"}, "spec": spec}
custom.create_cluster_custom_object(GROUP, VERSION, PLURAL, document)
names = [item["metadata"]["name"] for item in custom.list_cluster_custom_object(GROUP, VERSION, PLURAL)["items"]]
assert "official" in names
seen = [
    event["object"]["metadata"]["name"]
    for event in watch.Watch().stream(custom.list_cluster_custom_object, GROUP, VERSION, PLURAL, timeout_seconds=1)
]
assert "official" in seen
custom.delete_cluster_custom_object(GROUP, VERSION, PLURAL, "official")
core.delete_namespaced_config_map("config", "default")
pods = core.list_namespaced_pod("azureml", field_selector="status.phase=Running").items
assert pods and all(pod.status.container_statuses for pod in pods)
