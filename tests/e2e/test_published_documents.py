"""Microsoft's own InstanceType documents, from the published page in the shared material."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.world import DEFAULT_WORLD

SCOPED = ["-c", "aks-poc", "-t", "managedClusters", "-g", "ml-rg"]


def documents(shared: Path) -> list[str]:
    """The InstanceType and InstanceTypeList documents of the page."""
    page = next((shared / "seed").iterdir()).read_text(encoding="utf-8")
    return [block for block in re.findall(r"```yaml\n(.*?)```", page, re.S) if "kind: InstanceType" in block]


@pytest.fixture(scope="module", params=["stand-in", "kube-apiserver"])
def installed(request: pytest.FixtureRequest, start: Callable[..., Any], tmp_path_factory: Any) -> Any:
    """A sandbox with the extension on aks-poc, whose cluster is the stand-in or a real kube-apiserver."""
    real = request.param == "kube-apiserver"
    if real and "KUBEBUILDER_ASSETS" not in os.environ:
        pytest.skip("KUBEBUILDER_ASSETS names no folder with kube-apiserver and etcd")
    world = yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8"))
    world["clusters"] = [{**cluster, "real": real} for cluster in world["clusters"] if cluster["name"] == "aks-poc"]
    file = tmp_path_factory.mktemp("world") / "world.yaml"
    file.write_text(yaml.safe_dump(world), encoding="utf-8")
    box = start("--provisioning-seconds", "1", "--world", str(file))
    said = box.az(
        "amlk8s", "extension", "create", "-n", "azureml-extension", *SCOPED, "--config", "enableTraining=True"
    )
    assert said.code == 0, said.err
    return box


@pytest.mark.parametrize("how", [["apply"], ["apply", "--server-side"]], ids=["client-side", "server-side"])
def test_kubectl_applies_both_documents(installed: Any, shared: Path, kubectl: str, how: list[str]) -> None:
    """kubectl takes them as they stand, and finds them unchanged the second time."""
    both = documents(shared)
    assert len(both) == 2
    for text in both:
        said = installed.run(
            kubectl,
            "--context",
            "aks-poc",
            *how,
            "--force-conflicts" if "--server-side" in how else "--wait=false",
            "-f",
            "-",
            stdin=text,
        )
        assert said.code == 0, said.err
    names = installed.run(kubectl, "--context", "aks-poc", "get", "instancetypes", "-o", "name").out
    assert {"myinstancetypename", "cpusmall", "defaultinstancetype"} <= {line.rsplit("/")[-1] for line in names.split()}


def test_we_apply_both_documents_and_kubectl_sees_them(installed: Any, shared: Path, kubectl: str) -> None:
    """What we create is there for kubectl; the default is overridden."""
    kubectl_delete = installed.run(
        kubectl, "--context", "aks-poc", "delete", "instancetypes.amlarc.azureml.com", "--all"
    )
    assert kubectl_delete.code == 0, kubectl_delete.err
    for text in documents(shared):
        said = installed.az("amlk8s", "instance-type", "create", "--context", "aks-poc", "-f", "-", stdin=text)
        assert said.code == 0, said.err
    listed = installed.az("amlk8s", "instance-type", "list", "--context", "aks-poc").json
    assert {item["name"]: item["builtIn"] for item in listed} == {
        "myinstancetypename": False,
        "cpusmall": False,
        "defaultinstancetype": False,
    }
    got = installed.run(
        kubectl,
        "--context",
        "aks-poc",
        "get",
        "instancetypes.amlarc.azureml.com",
        "cpusmall",
        "-o",
        "jsonpath={.spec.resources.limits.memory}",
    )
    assert got.out == "1Gi"
