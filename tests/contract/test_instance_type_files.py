"""Instance types, changed one value or one key at a time: our verdict against kubectl and a real kube-apiserver."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from azext_amlk8s.instance_types.documents import read_documents
from azext_amlk8s.rules import Severity
from sandbox.azure.kubernetes_configuration.definitions import CRD
from tests.contract.in_process import sandbox
from tests.contract.test_workload_files import VALUES, changed, paths

DOCUMENT = yaml.safe_load("""
    apiVersion: amlarc.azureml.com/v1alpha1
    kind: InstanceType
    metadata: {name: gpu, labels: {team: ml}, annotations: {note: text}}
    spec:
      nodeSelector: {purpose: training}
      resources:
        requests: {cpu: "1", memory: 2Gi, nvidia.com/gpu: 1}
        limits: {cpu: "2", memory: 4Gi, nvidia.com/gpu: 1}
""")
QUANTITIES = {
    "absent": {},
    "millicores": "500m",
    "decimal": "0.5",
    "exponent": "1e3",
    "unit of Docker": "2GB",
    "lower case": "2gi",
    "space": "2 Gi",
    "negative": "-1",
    "zero": 0,
    "empty": "",
    "huge": "9999999999999999999999",
}
NAMES = {
    "capitals": "GPU",
    "underscore": "my_gpu",
    "dot": "gpu.small",
    "long": "g" * 64,
    "too long": "g" * 254,
    "end": "gpu-",
}
Change = tuple[str, str]
DIFFERENCES: dict[str, set[Change]] = {
    "az amlk8s sends a number as a text, which the custom resource definition accepts": {
        ("spec.resources.limits.cpu", "fraction"),
        ("spec.resources.requests.cpu", "fraction"),
        ("spec.resources.requests.memory", "fraction"),
    },
    "a label without a value is a mistake, though the API server makes it an empty one": {
        ("metadata.labels.team", "null"),
    },
    "the extension needs requests and limits, though the custom resource definition does not": {
        ("spec", "mapping"),
        ("spec", "null"),
        ("spec", "renamed key"),
        ("spec.resources", "null"),
        ("spec.resources", "renamed key"),
        ("spec.resources.requests", "null"),
    },
    "an amount of zero describes no pod of a job": {
        ("spec.resources.requests.cpu", "zero"),
        ("spec.resources.requests.memory", "zero"),
    },
    "the API server drops an unknown key without a message": {
        ("spec.nodeSelector", "renamed key"),
    },
}


def changes() -> Iterator[tuple[Change, dict[str, Any]]]:
    """Path, change, and the changed document."""
    for path in paths(DOCUMENT, ()):
        values = dict(VALUES)
        if path[-1] in ("cpu", "memory", "nvidia.com/gpu"):
            values |= QUANTITIES
        if path == ("metadata", "name"):
            values |= NAMES
        for name, value in values.items():
            yield (".".join(path), name), changed(DOCUMENT, path, value)
        yield (".".join(path), "renamed key"), changed(DOCUMENT, path, None, rename=f"{path[-1]}_x")


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> set[Change]:
    """The changes that kubectl or the API server refuses: the object itself, or the pods of its jobs."""
    if "KUBEBUILDER_ASSETS" not in os.environ:
        pytest.skip("KUBEBUILDER_ASSETS names no folder with kube-apiserver and etcd")
    folder = tmp_path_factory.mktemp("types")
    (folder / "crd.json").write_text(json.dumps(CRD), encoding="utf-8")
    cases = list(changes())
    for kind in ("documents", "pods"):
        (folder / kind).mkdir()
    for number, (_, document) in enumerate(cases):
        (folder / "documents" / f"{number:04}.json").write_text(json.dumps(document), encoding="utf-8")
        if pod := pod_of(document):
            (folder / "pods" / f"{number:04}.json").write_text(json.dumps(pod), encoding="utf-8")
    with sandbox(folder / "sandbox", clusters=[{"name": "aks", "real": True}]):
        kubeconfig = f"--kubeconfig={folder / 'sandbox' / 'kubeconfig'}"

        def kubectl(*words: str) -> subprocess.CompletedProcess[str]:
            command = ["kubectl", kubeconfig, "--context=aks", *words]
            return subprocess.run(command, capture_output=True, text=True, check=False)

        assert not kubectl("apply", "-f", str(folder / "crd.json")).returncode
        assert not kubectl("wait", "--for=condition=Established", f"crd/{CRD['metadata']['name']}").returncode
        numbers = set()
        for kind in ("documents", "pods"):
            done = kubectl("apply", "--dry-run=server", "-f", str(folder / kind))
            failed = {int(number) for number in re.findall(r"(\d{4})\.json", done.stderr)}
            created = len([line for line in done.stdout.splitlines() if "(server dry run)" in line])
            assert created + len(failed) == len(list((folder / kind).iterdir())), done.stderr
            numbers |= failed
    return {change for number, (change, _) in enumerate(cases) if number in numbers}


def pod_of(document: dict[str, Any]) -> dict[str, Any] | None:
    """A pod as the extension creates it for a job on an instance type; None where there is nothing to put into it."""
    spec = document.get("spec")
    if not isinstance(spec, dict) or not isinstance(spec.get("resources"), dict):
        return None
    container = {"name": "job", "image": "image", "resources": spec["resources"]}
    node_selector = {"nodeSelector": spec["nodeSelector"]} if "nodeSelector" in spec else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "job", "namespace": "default"},
        "spec": {"containers": [container], **node_selector},
    }


def refused_by_us(document: dict[str, Any]) -> bool:
    _, findings = read_documents(yaml.safe_dump(document, sort_keys=False), "type.yaml")
    return any(finding.severity is Severity.ERROR for finding in findings)


def test_the_document_is_valid() -> None:
    assert not refused_by_us(DOCUMENT)


def test_same_verdict_as_kubectl(refused: set[Change]) -> None:
    """But for the differences that are meant."""
    ours = {change for change, document in changes() if refused_by_us(document)}
    assert len(list(changes())) > 200
    assert ours ^ refused == {change for known in DIFFERENCES.values() for change in known}
