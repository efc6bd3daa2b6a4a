"""Commands in another cloud: az is registered with its suffixes, and no host of the public cloud is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.stage import Stage

CLUSTER = ["-g", "ml-rg", "-c", "aks", "-t", "managedClusters"]
PUBLIC = ("azure.com", "azureml.ms", "azureml.net", "core.windows.net", "azurecr.io", "azmk8s.io")
CLOUDS = {
    "AzureUSGovernment": (
        {"storage": "core.usgovcloudapi.net", "acrLoginServer": "azurecr.us"},
        ["eastus.api.ml.azure.us", "*.blob.core.usgovcloudapi.net", "*.azurecr.us"],
        "eastus.cloudapp.usgovcloudapi.net",
        "https://ml.azure.us/",
    ),
    "AzureChinaCloud": (
        {"storage": "core.chinacloudapi.cn", "acrLoginServer": "azurecr.cn"},
        ["eastus.api.ml.azure.cn", "*.blob.core.chinacloudapi.cn", "*.azurecr.cn"],
        "eastus.cloudapp.chinacloudapi.cn",
        "https://studio.ml.azure.cn/",
    ),
}


@pytest.fixture(params=CLOUDS)
def cloud(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Stage]]:
    stage = Stage(tmp_path / "stage", CLOUDS[request.param][0])
    yield request.param, stage
    stage.end()


def test_hosts_are_those_of_the_cloud(cloud: tuple[str, Stage], tmp_path: Path) -> None:
    """The hosts behind a firewall, the domain of an installation, and the address of studio."""
    name, stage = cloud
    _, hosts, domain, studio = CLOUDS[name]
    closed = {"networkProfile": {"outboundType": "userDefinedRouting"}}
    pools = [{"name": "nodepool1", "count": 3}]
    with stage.scene({"clusters": [{"name": "aks", "properties": closed, "pools": pools}]}, tmp_path, 0) as scene:
        check = scene.az(["amlk8s", "check", "--pre", *CLUSTER, "--only", "K202"], tmp_path)
        settings = ["--config", "enableTraining=True"]
        plan = scene.az(["amlk8s", "extension", "create", "-n", "ext", *CLUSTER, *settings, "--dry-run"], tmp_path)
        scene.az(["amlk8s", "extension", "create", "-n", "ext", *CLUSTER, *settings], tmp_path)
        attach = [
            "amlk8s",
            "compute",
            "attach",
            "-n",
            "k8s",
            "-w",
            "ml-ws",
            *CLUSTER,
            "--identity-type",
            "SystemAssigned",
        ]
        attached = scene.az(attach, tmp_path)
    (finding,) = check.json["findings"]
    assert not [host for host in hosts if host not in finding["message"]]
    assert not [host for host in PUBLIC if host in finding["message"]]
    assert json.loads(plan.out)["body"]["properties"]["configurationSettings"]["domain"] == domain
    assert attached.json["studioUrl"].startswith(studio)
