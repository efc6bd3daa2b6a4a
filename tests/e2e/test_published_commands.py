"""Every command of Microsoft's published page, pasted with its first words changed, does what the page says of it.

The page's own slips are part of it: names of settings that were never right, HTTPS without sslCname, an extension that is shown under
another name than it was created with, the provider of the attached cluster, an identity without its leading slash.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SHARED
from tests.scenarios.certificates import write_files
from tests.scenarios.stage import Scene, Stage
from tests.support import Output

AKS, ARC = "my-aks", "my-arc"
WORLD = {
    "clusters": [
        {"name": AKS, "group": "ml-rg", "type": "managedClusters", "pools": [{"name": "nodepool1", "count": 4}]},
        {"name": ARC, "group": "ml-rg", "type": "connectedClusters", "pools": [{"name": "node", "count": 4}]},
    ],
    "identities": [{"name": "ml-identity", "group": "ml-rg"}],
}
FILLED = {
    "<your-AKS-cluster-name>": AKS,
    "<your-connected-cluster-name>": ARC,
    "<your-RG-name>": "ml-rg",
    "<resource-group>": "ml-rg",
    "<resource-group-name>": "ml-rg",
    "<workspace-name>": "ml-ws",
    "<subscription-id>": "33333333-dddd-4eee-8fff-444444444444",
    "<identity-name>": "ml-identity",
    "<file-path-to-cert-PEM>": "cert.pem",
    "<file-path-to-cert-KEY>": "key.pem",
}
OURS = {"az k8s-extension": "az amlk8s extension", "az ml compute": "az amlk8s compute"}
INSTALL = "amlk8s extension create -n azureml-extension -g ml-rg --config enableTraining=True"


def commands() -> list[str]:
    """The page's commands of az, as they stand there; none where the page is not at hand."""
    if not SHARED.is_dir():
        return []
    page = next((SHARED / "seed").iterdir()).read_text(encoding="utf-8")
    return [line.strip() for line in page.splitlines() if line.strip().startswith(tuple(OURS))]


def filled_in(command: str) -> str:
    """A command with our first words, and names in the place of its placeholders."""
    cluster = AKS if "managedclusters" in command else ARC
    for written, ours in {**OURS, **FILLED, "<cluster-name>": cluster}.items():
        command = command.replace(written, ours)
    assert "<" not in command
    return command


@dataclass
class Desk:
    """Where the commands are pasted: a fresh sandbox, and a folder with a certificate."""

    scene: Scene
    folder: Path

    def paste(self, command: str) -> Output:
        said = self.scene.az(shlex.split(filled_in(command))[1:], self.folder)
        assert "Traceback" not in said.err
        return said

    def az(self, words: str) -> Output:
        said = self.scene.az(shlex.split(words), self.folder)
        assert said.code == 0, said.err
        return said


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    found = Stage(tmp_path_factory.mktemp("stage"))
    yield found
    found.end()


@pytest.fixture
def desk(stage: Stage, shared: Path, tmp_path: Path) -> Iterator[Desk]:
    write_files(tmp_path, {"cert.pem": {"certificate": "one", "names": ["ml.contoso.com"]}, "key.pem": {"key": "one"}})
    with stage.scene(WORLD, tmp_path, 0) as scene:
        yield Desk(scene, tmp_path)


def the(*words: str) -> str:
    """The one command of the page that has all these words."""
    (found,) = [command for command in commands() if all(word in command for word in words)]
    return found


def test_the_page_has_these_commands(shared: Path) -> None:
    """Four to install, one to show, two to attach: each is pasted below."""
    assert [" ".join(command.split()[1:4]) for command in commands()] == [
        *["k8s-extension create --name"] * 4,
        "k8s-extension show --name",
        *["ml compute attach"] * 2,
    ]


CREATE = [
    # words that are the example's alone, the findings that it meets, settings that are sent, workloads
    (
        "a proof of concept on AKS",
        ["LoadBalancer", "allowInsecureConnections"],
        {"S006", "S108"},
        {
            "enableTraining": "True",
            "enableInference": "True",
            "inferenceRouterServiceType": "loadBalancer",
            "allowInsecureConnections": "True",
            "inferenceRouterHA": "False",
        },
    ),
    ("training on Minikube", ["--config enableTraining=True --cluster-type"], set(), {"enableInference": "False"}),
    (
        "production on AKS",
        ["LoadBalancer", "sslCertKeyFile"],
        {"S006", "T105"},
        {"sslCname": "ml.contoso.com", "inferenceRouterServiceType": "loadBalancer"},
    ),
    (
        "production on Arc",
        ["NodePort", "sslCertKeyFile"],
        {"S006", "T105"},
        {"sslCname": "ml.contoso.com", "scoringFe.serviceType.nodePort": "True"},
    ),
]


@pytest.mark.parametrize(
    ("words", "findings", "settings"), [case[1:] for case in CREATE], ids=[case[0] for case in CREATE]
)
def test_create(desk: Desk, words: list[str], findings: set[str], settings: dict[str, str]) -> None:
    """It installs, and what the page has wrong is said."""
    said = desk.paste(the("create", *words))
    assert said.code == 0, said.err
    assert set(re.findall(r"\[(\w\d{3})\]", said.err)) == findings
    properties = said.json["properties"]
    assert properties["provisioningState"] == "Succeeded"
    sent = properties["configurationSettings"]
    assert {key: sent.get(key) for key in settings} == settings
    assert not {"inferenceLoadBalancerHA", "sslCertKeyFile"} & sent.keys()
    of_certificate = {"scoringFe.sslCert", "scoringFe.sslKey"} if "T105" in findings else set()
    assert of_certificate <= properties["configurationProtectedSettings"].keys()


def test_https_whose_certificate_names_no_host(desk: Desk) -> None:
    """The page's HTTPS examples have no sslCname; where no certificate helps out they are refused before any write."""
    write_files(desk.folder, {"cert.pem": {"certificate": "one"}})
    said = desk.paste(the("create", "LoadBalancer", "sslCertKeyFile"))
    assert said.code == 1
    assert "[T106]" in said.err and "sslCname" in said.err
    assert [line for line in desk.scene.log() if line["method"] == "PUT"] == []


def test_show(desk: Desk) -> None:
    """The page creates azureml-extension and shows arcml-extension; with the right name it shows what the page says."""
    desk.az(f"{INSTALL} -c {ARC} -t connectedClusters")
    command = the("show")
    said = desk.paste(command)
    assert said.code == 3
    assert "azureml-extension" in said.err
    shown = desk.paste(command.replace("arcml-extension", "azureml-extension"))
    assert (shown.json["name"], shown.json["properties"]["provisioningState"]) == ("azureml-extension", "Succeeded")


ATTACH = [
    ("AKS", "k8s-compute", "managedClusters", AKS),
    ("Arc", "amlarc-compute", "connectedClusters", ARC),
]


@pytest.mark.parametrize(("name", "kind", "cluster"), [case[1:] for case in ATTACH], ids=[case[0] for case in ATTACH])
def test_attach(desk: Desk, name: str, kind: str, cluster: str) -> None:
    """It attaches the cluster with the identity; the page's slips in both ids are mended and said."""
    desk.az(f"{INSTALL} -c {cluster} -t {kind}")
    said = desk.paste(the("attach", name))
    assert said.code == 0, said.err
    compute = desk.az(f"amlk8s compute show -g ml-rg -w ml-ws -n {name}").json
    assert compute["properties"]["resourceId"].lower().endswith(f"/{kind}/{cluster}".lower())
    assert ids_of(compute) == ["ml-identity"]
    assert "C103" in said.err and ("C102" in said.err) == (cluster == AKS)


def ids_of(compute: Any) -> list[str]:
    """The names of a compute's identities."""
    return [
        user_assigned_identity.rsplit("/", 1)[-1]
        for user_assigned_identity in compute["identity"]["userAssignedIdentities"]
    ]
