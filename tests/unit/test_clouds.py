"""Clouds: their hosts agree with az, every host is known for every cloud, and nothing else names a host of a cloud."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from azure.cli.core.cloud import AZURE_CHINA_CLOUD, AZURE_PUBLIC_CLOUD, AZURE_US_GOV_CLOUD

from azext_amlk8s.azure import AzureClient
from azext_amlk8s.diagnosis import explain
from azext_amlk8s.knowledge import load
from azext_amlk8s.knowledge.clouds import find_cloud, outbound_endpoints
from tools.prove_wheel import ROOT

CLOUDS = [AZURE_PUBLIC_CLOUD, AZURE_US_GOV_CLOUD, AZURE_CHINA_CLOUD]
AKS, ARC = "managedClusters", "connectedClusters"
# A host of one cloud. Keys of labels end in "/" or are a whole word before it; pages of documentation are for all.
HOST = re.compile(
    r"[\w*.{}-]*(?<![\w-])(azure\.(com|us|cn|net)|azureml\.(ms|net|us|cn)|azurecr\.(io|us|cn)|windows\.net|azmk8s\.io|"
    r"(usgov|china)cloudapi\.(net|cn)|azk8s\.cn|mcr\.microsoft\.com|microsoftonline\.(com|us))(?![\w-])(?P<label>/[a-z])?"
)
# Labels, annotations and names of drivers; the page on prices and the schemas of templates, which Microsoft has once.
NO_HOSTS = re.compile(
    r"^(kubernetes\.azure\.com|ml\.azure\.com|(blob|file|disk)\.csi\.azure\.com|azure\.microsoft\.com|learn\.microsoft\.com"
    r"|schema\.management\.azure\.com)$"
)


@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: str(cloud.name))
def test_hosts_agree_with_az(cloud: SimpleNamespace) -> None:
    """The cloud of a command, which prefers what az knows, is that of the data."""
    client = AzureClient(SimpleNamespace(cloud=cloud), "00000000-0000-0000-0000-000000000000")
    assert client.cloud == find_cloud(cloud.name)


@pytest.mark.parametrize("cluster_type", [AKS, ARC])
@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: str(cloud.name))
def test_no_cloud_has_hosts_of_another(cloud: SimpleNamespace, cluster_type: str) -> None:
    """Except for the registry of Microsoft's images, which all have."""
    others = {
        suffix
        for other in load("clouds")["clouds"]
        if other != cloud.name
        for key, suffix in load("clouds")["clouds"][other].items()
        if key != "images"
    }
    hosts = [
        outbound_endpoint.host
        for outbound_endpoint in outbound_endpoints(find_cloud(cloud.name), cluster_type, region="westeurope")
    ]
    assert not [host for host in hosts if any(host.endswith(suffix) for suffix in others)]
    assert not [host for host in hosts if "{" in host]


def test_each_endpoint_names_the_clouds_that_it_has() -> None:
    """A cloud that an entry leaves out is explained in its note, or its agents are the only ones that need it."""
    content = load("clouds")
    for endpoint in content["endpoints"]:
        missing = set(content["clouds"]) - set(endpoint["hosts"])
        assert (
            not missing
            or "*" in endpoint["hosts"]
            or "note" in endpoint
            or set(endpoint["hosts"]) == {"AzureChinaCloud"}
        ), endpoint
        assert endpoint["source"] in content["sources"]


def test_known_names_are_filled_and_unknown_ones_are_patterns() -> None:
    hosts = [
        outbound_endpoint.host
        for outbound_endpoint in outbound_endpoints(find_cloud(), AKS, region="eastus", account="store")
    ]
    assert "eastus.api.azureml.ms" in hosts
    assert "store.blob.core.windows.net" in hosts
    assert "*.azurecr.io" in hosts
    assert "*.workspace.eastus.api.azureml.ms" in hosts


def test_scenario_and_cluster_type_select_endpoints() -> None:
    def hosts(cluster_type: str, scenario: str) -> set[str]:
        return {
            outbound_endpoint.host for outbound_endpoint in outbound_endpoints(find_cloud(), cluster_type, [scenario])
        }

    assert hosts(AKS, "training") - hosts(AKS, "inference") == {"pypi.org"}
    assert "*.servicebus.windows.net" in hosts(ARC, "inference") - hosts(AKS, "inference")


def test_registered_cloud_is_recognized_by_its_storage() -> None:
    """What az knows of it is used; the rest is that of the cloud that it stands for."""
    cloud = find_cloud("mine", storage="core.usgovcloudapi.net", management="arm.example")
    assert (cloud.name, cloud.management, cloud.studio) == ("AzureUSGovernment", "arm.example", "ml.azure.us")


@pytest.mark.parametrize(
    "host",
    [
        "c-1.privatelink.westeurope.azmk8s.io",
        "c-1.privatelink.usgovvirginia.cx.aks.containerservice.azure.us",
        "c-1.privatelink.chinaeast2.cx.prod.service.azk8s.cn",
    ],
)
def test_private_api_server_of_each_cloud_is_explained(host: str) -> None:
    message = f"Get https://{host}:443/api: dial tcp: lookup {host} on 10.0.0.10:53: no such host"
    assert explain(message)[0].code == "PrivateCluster"


def test_no_other_file_names_a_host_of_a_cloud() -> None:
    """Hosts come from clouds.json or from az's cloud."""
    package = ROOT / "azext_amlk8s"
    found = []
    for file in sorted([*package.rglob("*.py"), *package.rglob("*.json")]):
        if file.name == "clouds.json":
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if '"patterns"' not in line and "\\" not in line:
                hosts = [match for match in HOST.finditer(line) if not NO_HOSTS.match(match[0].split("/")[0])]
                found += [f"{file.relative_to(package)}:{number} {match[0]}" for match in hosts]
    assert not found
