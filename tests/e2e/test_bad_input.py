"""Bad input ends in one clear sentence, exit code 1, 2 or 3, no traceback, and no request that writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

CREATE = ["amlk8s", "extension", "create", "-n", "azureml-extension"]
AKS = ["-c", "aks-poc", "-t", "managedClusters", "-g", "ml-rg"]
ATTACH = ["amlk8s", "compute", "attach", "-g", "ml-rg"]
TRAINING = ["--config", "enableTraining=True"]


@dataclass(frozen=True)
class Case:
    """A command, its exit code, and words that must stand in what it says on stderr."""

    name: str
    words: list[str]
    code: int
    says: list[str]


CASES = [
    Case("config item without =", [*CREATE, *AKS, "--config", "enableTraining"], 1, ["enableTraining", "key=value"]),
    Case("misspelt key", [*CREATE, *AKS, "--config", "enableTrainning=True"], 1, ["enableTrainning", "enableTraining"]),
    Case("wrong value", [*CREATE, *AKS, "--config", "enableTraining=yes"], 1, ["enableTraining", "yes", "True"]),
    Case("neither training nor inference", [*CREATE, *AKS], 1, ["enableTraining", "enableInference"]),
    Case(
        "missing certificate file",
        [
            *CREATE,
            *AKS,
            "--config",
            "enableInference=True",
            "inferenceRouterServiceType=nodePort",
            "--config-protected",
            "sslCertPemFile=no-cert.pem",
            "sslKeyPemFile=no-key.pem",
        ],
        1,
        ["no-cert.pem", "no-key.pem"],
    ),
    Case(
        "unknown cluster", [*CREATE, "-c", "nowhere", "-t", "managedClusters", "-g", "ml-rg", *TRAINING], 3, ["nowhere"]
    ),
    Case("unknown group", [*CREATE, "-c", "aks-poc", "-t", "managedClusters", "-g", "no-rg", *TRAINING], 3, ["no-rg"]),
    Case(
        "wrong cluster type",
        [*CREATE, "-c", "minikube", "-t", "managedClusters", "-g", "ml-rg", *TRAINING],
        3,
        ["minikube", "connectedClusters"],
    ),
    Case(
        "cluster type that is none",
        [*CREATE, "-c", "aks-poc", "-t", "managedCluster", "-g", "ml-rg", *TRAINING],
        2,
        ["managedCluster"],
    ),
    Case(
        "extension name that ARM refuses", ["amlk8s", "extension", "create", "-n", "a/b", *AKS, *TRAINING], 1, ["a/b"]
    ),
    Case("scope namespace", [*CREATE, *AKS, *TRAINING, "--scope", "namespace"], 1, ["scope"]),
    Case(
        "another extension type",
        [*CREATE, *AKS, *TRAINING, "--extension-type", "microsoft.dapr"],
        1,
        ["microsoft.dapr"],
    ),
    Case("unknown extension", ["amlk8s", "extension", "show", "-n", "absent", *AKS], 3, ["absent"]),
    Case(
        "unknown workspace",
        [*ATTACH, "-w", "no-ws", "-n", "k8s-compute", "-c", "aks-poc", "-t", "managedClusters"],
        3,
        ["no-ws"],
    ),
    Case(
        "compute name that ARM refuses",
        [*ATTACH, "-w", "ml-ws", "-n", "compute-1", "-c", "aks-poc", "-t", "managedClusters"],
        1,
        ["compute-1"],
    ),
    Case(
        "neither cluster nor resource id",
        [*ATTACH, "-w", "ml-ws", "-n", "k8s-compute"],
        1,
        ["--resource-id", "--cluster-name"],
    ),
    Case(
        "attach before the extension is there",
        [*ATTACH, "-w", "ml-ws", "-n", "k8s-compute", "-c", "aks-poc", "-t", "managedClusters"],
        1,
        ["az amlk8s extension create"],
    ),
    Case("unknown compute", ["amlk8s", "compute", "show", "-g", "ml-rg", "-w", "ml-ws", "-n", "absent"], 3, ["absent"]),
    Case(
        "missing kubeconfig",
        ["amlk8s", "instance-type", "list", "--kubeconfig", "no-such-config"],
        1,
        ["no-such-config"],
    ),
    Case("unknown context", ["amlk8s", "instance-type", "list", "--context", "nowhere"], 1, ["nowhere", "aks-poc"]),
    Case(
        "no instance types in the cluster yet",
        ["amlk8s", "instance-type", "list", "--context", "onprem"],
        3,
        ["az amlk8s extension create"],
    ),
    Case(
        "missing document",
        ["amlk8s", "instance-type", "create", "--context", "onprem", "-f", "absent.yaml"],
        1,
        ["absent.yaml"],
    ),
    Case("flags and a file", ["amlk8s", "instance-type", "create", "-f", "a.yaml", "--cpu-limit", "1"], 1, ["--file"]),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input(box: Any, case: Case) -> None:
    """One clear sentence that names what was wrong; nothing was sent that writes."""
    before = len(box.writes())
    said = box.az(*case.words)
    assert said.code == case.code, said.err
    assert "Traceback" not in said.err
    for word in case.says:
        assert word in said.err, said.err
    assert box.writes()[before:] == []


DOCUMENTS = [
    ("not YAML", "a: [1,\n", ["YAML"]),
    ("another kind", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", ["ConfigMap", "InstanceType"]),
    ("nothing", "", ["document"]),
    (
        "request over the limit",
        "apiVersion: amlarc.azureml.com/v1alpha1\nkind: InstanceType\nmetadata: {name: a}\nspec: {resources: {"
        "requests: {cpu: '2', memory: 1Gi}, limits: {cpu: '1', memory: 1Gi}}}\n",
        ["cpu"],
    ),
]


@pytest.mark.parametrize(("name", "text", "says"), DOCUMENTS, ids=[document[0] for document in DOCUMENTS])
def test_bad_documents(box: Any, name: str, text: str, says: list[str]) -> None:
    """A document that is none is refused before the cluster is asked to take it."""
    before = len(box.writes())
    said = box.az("amlk8s", "instance-type", "create", "--context", "onprem", "-f", "-", stdin=text)
    assert said.code == 1, said.err
    assert "Traceback" not in said.err
    for word in says:
        assert word in said.err
    assert box.writes()[before:] == []


FILES = [
    ("a kubeconfig that is not YAML", ["list", "--kubeconfig", "broken.yaml"], ["broken.yaml", "YAML"]),
    (
        "a kubeconfig that is another document",
        ["list", "--kubeconfig", "other.yaml"],
        ["other.yaml", "no list of clusters"],
    ),
    ("a kubeconfig that is a folder", ["list", "--kubeconfig", "folder"], ["folder"]),
    ("a kubeconfig that is not text", ["list", "--kubeconfig", "binary.yaml"], ["binary.yaml"]),
    ("a document that is a folder", ["create", "-f", "folder"], ["folder"]),
    ("a document that is not text", ["create", "-f", "binary.yaml"], ["binary.yaml", "UTF-8"]),
]


@pytest.mark.parametrize(("name", "words", "says"), FILES, ids=[file[0] for file in FILES])
def test_bad_files(box: Any, name: str, words: list[str], says: list[str]) -> None:
    """A file that cannot be read, or holds something else, is named."""
    work = box.folder / "work"
    (work / "folder").mkdir(parents=True, exist_ok=True)
    (work / "broken.yaml").write_text("kind: [", encoding="utf-8")
    (work / "other.yaml").write_text("kind: Pod\n", encoding="utf-8")
    (work / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    before = len(box.writes())
    said = box.az("amlk8s", "instance-type", *words)
    assert said.code == 1, said.err
    assert "Traceback" not in said.err
    for word in says:
        assert word in said.err
    assert box.writes()[before:] == []


def test_not_logged_in(box: Any, tmp_path: Any) -> None:
    """az's own sentence, which names the command that helps."""
    said = box.az("amlk8s", "extension", "list", *AKS, AZURE_CONFIG_DIR=str(tmp_path / "empty"))
    assert said.code == 1
    assert "az login" in said.err
    assert "Traceback" not in said.err


def test_no_network(start: Callable[..., Any]) -> None:
    """Azure cannot be reached: said in one sentence."""
    from tools.demo import sandbox

    box = start()
    sandbox("down", "--dir", str(box.folder))
    said = box.az("amlk8s", "extension", "list", *AKS)
    assert said.code == 1, said.err
    assert "Traceback" not in said.err
    assert "127.0.0.1" in said.err or "localhost" in said.err


def test_dead_proxy(box: Any) -> None:
    """A proxy that nobody listens at: said in words, not as what a library holds."""
    said = box.az("amlk8s", "extension", "list", *AKS, HTTPS_PROXY="http://127.0.0.1:9", NO_PROXY="")
    assert said.code == 1, said.err
    assert "Traceback" not in said.err
    assert "Unable to connect to proxy" in said.err and "HTTPS_PROXY" in said.err


def test_dead_cluster(start: Callable[..., Any]) -> None:
    """The kubeconfig names a server that is gone."""
    from tools.demo import sandbox

    box = start()
    sandbox("down", "--dir", str(box.folder))
    said = box.az("amlk8s", "instance-type", "list", "--context", "aks-poc")
    assert said.code == 1, said.err
    assert "Traceback" not in said.err
    assert "aks-poc" in said.err or "127.0.0.1" in said.err
