"""Microsoft's SDK of cluster extensions: create, read, list, update, refuse, remove."""

import json
import os
import sys
import time

from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.kubernetesconfiguration.extensions import KubernetesConfigurationExtensionsMgmtClient

connection = json.loads(sys.argv[1])


class StaticCredential:
    def get_token(self, *scopes, **more):
        return AccessToken(os.environ["TOKEN"], int(time.time()) + 3600)


extensions = KubernetesConfigurationExtensionsMgmtClient(
    StaticCredential(),
    connection["subscription"],
    base_url=connection["azure"],
    credential_scopes=["any/.default"],
    polling_interval=0.2,
).extensions
where = ("ml-rg", "Microsoft.Kubernetes", "connectedClusters", "minikube")
body = {
    "properties": {
        "extensionType": "microsoft.azureml.kubernetes",
        "configurationSettings": {"enableTraining": "True"},
        "configurationProtectedSettings": {"secret": "s"},
        "autoUpgradeMinorVersion": True,
        "scope": {"cluster": {"releaseNamespace": "azureml"}},
    },
    "identity": {"type": "SystemAssigned"},
}
poller = extensions.begin_create(*where, "sdk", body)
try:
    extensions.begin_update(*where, "sdk", {"properties": {"configurationSettings": {"a": "b"}}})
    raise AssertionError("a PATCH of a busy extension went through")
except HttpResponseError as error:
    assert error.status_code == 409 and error.error.code == "ExtensionPatchFailed", error
made = poller.result()
assert made.properties.provisioning_state == "Succeeded", made
assert made.properties.configuration_protected_settings == {"secret": ""}
assert made.properties.current_version and made.properties.version is None
assert made.identity.principal_id
assert [item.name for item in extensions.list(*where)] == ["sdk"]
changed = extensions.begin_update(*where, "sdk", {"properties": {"configurationSettings": {"a": "b"}}}).result()
assert changed.properties.configuration_settings == {"enableTraining": "True", "a": "b"}
extensions.begin_delete(*where, "sdk").wait()
try:
    extensions.get(*where, "sdk")
    raise AssertionError("it is still there")
except ResourceNotFoundError as error:
    assert "sdk" in error.message
