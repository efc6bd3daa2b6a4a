"""The azure-ai-ml SDK attaches the same cluster that we attach; prints what it left behind."""

import json
import os
import sys
import time

from azure.ai.ml import MLClient
from azure.ai.ml.entities import KubernetesCompute
from azure.core.credentials import AccessToken

connection = json.loads(sys.argv[1])


class StaticCredential:
    def get_token(self, *scopes, **more):
        return AccessToken(os.environ["TOKEN"], int(time.time()) + 3600)


# The SDK polls every 30 seconds by default.
ml = MLClient(StaticCredential(), connection["subscription"], "ml-rg", "ml-ws", polling_interval=0.2)
compute = KubernetesCompute(name="by-sdk", resource_id=connection["cluster"], namespace="default")
attached = ml.compute.begin_create_or_update(compute).result()
assert attached.provisioning_state == "Succeeded", attached
assert ml.compute.get("by-sdk").namespace == "default"
assert "by-sdk" in [item.name for item in ml.compute.list()]
if connection.get("detach"):
    ml.compute.begin_delete("by-sdk", action="Detach").wait()
    assert "by-sdk" not in [item.name for item in ml.compute.list()]
