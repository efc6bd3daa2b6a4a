"""Threads import no module of another package: two of them deadlock in a cycle of imports, such as azure-core's."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import Sandbox

# Each of these is imported by one statement alone, so that all threads take the locks of its modules in one order.
HARMLESS = (
    "azure.cli.core.sdk",
    "azure.cli.core.auth.binary_cache",
    "azure.core.rest._http_response_impl",
    "azure.core.rest._requests_basic",
    "azure.mgmt",
)
# Ours have no cycles, but a package and its modules are one: both are imported with the other.
MODULE_OF_OURS = re.compile(r"azext_amlk8s\.\w+\.\w+")
RECORDER = Path(__file__).with_name("import_recorder")
ARC = "-g ml-rg -c minikube -t connectedClusters"
SETUP = """\
name: imports
workspace: {resource_group: ml-rg, name: ml-ws}
clusters:
- {name: aks-poc, resource_group: ml-rg, type: managedClusters}
- {name: minikube, resource_group: ml-rg, type: connectedClusters}
extension: {settings: {enableTraining: true}}
compute: {name: "k8s-{cluster.name}", namespace: training}
"""
# In this order: each command finds what those before it have left.
COMMANDS = {
    "check before an installation": f"check --pre {ARC}",
    "create": f"extension create -n azureml {ARC} --config enableTraining=True",
    "attach": f"compute attach -n k8s-minikube -w ml-ws {ARC} --identity-type SystemAssigned",
    "check": f"check {ARC} -w ml-ws --compute-name k8s-minikube",
    "status": f"status {ARC}",
    "diagnose": f"extension diagnose -n azureml {ARC}",
    "instance types": f"instance-type list {ARC} -w ml-ws --compute-name k8s-minikube",
    "fit": f"instance-type fit {ARC}",
    "certificate": f"extension certificate show -n azureml {ARC}",
    "export": f"export {ARC} -w ml-ws",
    "plan": "plan -f setup.yaml",
    "apply": "apply -f setup.yaml --yes",
    "status of a setup": "status -f setup.yaml",
    "destroy": "destroy -f setup.yaml --yes",
    "removal": f"extension delete -n azureml {ARC} --everything --yes",
}


@pytest.fixture(scope="module")
def box(start: Callable[..., Sandbox]) -> Sandbox:
    sandbox = start("--provisioning-seconds", "0")
    (sandbox.folder / "work").mkdir()
    (sandbox.folder / "work" / "setup.yaml").write_text(SETUP, encoding="utf-8")
    return sandbox


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_imports_of_threads(box: Sandbox, words: str, tmp_path: Path) -> None:
    record = tmp_path / "imports"
    output = box.az("amlk8s", *words.split(), PYTHONPATH=str(RECORDER), IMPORTS_OF_THREADS=str(record))
    imported = record.read_text(encoding="utf-8").split() if record.exists() else []
    print(output.code, output.err[-1500:])
    risky = [name for name in imported if not name.startswith(HARMLESS) and not MODULE_OF_OURS.fullmatch(name)]
    assert not risky, " ".join(risky)
