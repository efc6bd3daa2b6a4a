"""lightkube: typed resources, a generic one, server-side apply and its conflict."""

from lightkube import ApiError, Client, KubeConfig
from lightkube.generic_resource import create_global_resource
from lightkube.resources.core_v1 import Node, Pod

client = Client(config=KubeConfig.from_env().get(context_name="aks-poc"), field_manager="story")
assert len(list(client.list(Node))) == 3
assert [pod.metadata.name for pod in client.list(Pod, namespace="azureml", chunk_size=2)]
InstanceType = create_global_resource("amlarc.azureml.com", "v1alpha1", "InstanceType", "instancetypes")
spec = {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}}}
instance_type = InstanceType(metadata={"name": "light"}, spec=spec)
assert client.apply(instance_type).metadata.generation == 1
larger = {"resources": {"limits": {"cpu": "2", "memory": "1Gi"}}}
try:
    client.apply(InstanceType(metadata={"name": "light"}, spec=larger), field_manager="other")
    raise AssertionError("another manager's field was changed without force")
except ApiError as error:
    assert error.status.code == 409 and "story" in error.status.message, error.status
assert client.apply(InstanceType(metadata={"name": "light"}, spec=larger), field_manager="other", force=True)
for event, obj in client.watch(InstanceType, fields={"metadata.name": "light"}):
    assert event == "ADDED" and obj.spec == larger
    break
client.delete(InstanceType, "light")
