"""SDKs and kubectl, each with a small script; packages that conflict run in an environment for each."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.world import DEFAULT_WORLD
from tests.contract.verified import count_verified

SCRIPTS = Path(__file__).parent / "scripts"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "amlk8s-clients"
ON_AKS = ["-n", "azureml-extension", "-c", "aks-poc", "-t", "managedClusters", "-g", "ml-rg"]


def python_with(package: str) -> str:
    """The Python of an environment with one package, created from PyPI at the first use, under a lock."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{package}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _created(package)


def _created(package: str) -> str:
    folder = CACHE / f"{package}-{sys.version_info[0]}.{sys.version_info[1]}"
    python, ready = folder / "bin" / "python", folder / ".ready"
    if not ready.exists():
        venv.create(folder, with_pip=True, clear=True)
        done = subprocess.run([python, "-m", "pip", "install", "--quiet", package], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"{package} cannot be installed here: {done.stderr.strip().splitlines()[-1]}")
        ready.touch()
    return str(python)


@pytest.fixture(scope="module")
def installed(start: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A sandbox that accepts updates of computes, as azure-ai-ml sends them, with the extension on aks-poc."""
    world = {**yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8")), "compute_updates": True}
    file = tmp_path_factory.mktemp("world") / "world.yaml"
    file.write_text(yaml.safe_dump(world), encoding="utf-8")
    box = start("--provisioning-seconds", "1", "--world", str(file))
    output = box.az("amlk8s", "extension", "create", *ON_AKS, "--config", "enableTraining=True")
    assert output.code == 0, output.err
    return box


@pytest.fixture(scope="module")
def connection(installed: Any) -> dict[str, str]:
    """The values that a script needs to connect to the sandbox."""
    state = json.loads((installed.folder / "state.json").read_text(encoding="utf-8"))
    group = f"/subscriptions/{state['subscription']}/resourceGroups/ml-rg/providers"
    return {
        "azure": state["azure"],
        "subscription": state["subscription"],
        "cluster": f"{group}/Microsoft.ContainerService/managedClusters/aks-poc",
        "token": installed.az("account", "get-access-token").json["accessToken"],
    }


@pytest.fixture(scope="module")
def run_script(installed: Any, connection: dict[str, str]) -> Callable[..., str]:
    """Runs a script; a failure shows its standard error."""

    def run(script: str, python: str = sys.executable, **extra: Any) -> str:
        known = {key: value for key, value in connection.items() if key != "token"}
        # The SDK finds a cloud of its own through this address.
        metadata = f"{connection['azure']}/metadata/endpoints?api-version=2022-09-01"
        words = (python, str(SCRIPTS / f"{script}.py"), json.dumps({**known, **extra}))
        output = installed.run(*words, TOKEN=connection["token"], ARM_CLOUD_METADATA_URL=metadata)
        assert output.code == 0, output.err[-3000:]
        count_verified("clients", script)
        return str(output.out)

    return run


def test_sdk_of_extensions(run_script: Callable[..., str]) -> None:
    run_script("extensions_sdk")


def test_lightkube(run_script: Callable[..., str]) -> None:
    run_script("lightkube_client", python_with("lightkube"))


@pytest.mark.timeout(600)
def test_official_kubernetes_client(run_script: Callable[..., str]) -> None:
    run_script("official_kubernetes", python_with("kubernetes"))


@pytest.mark.timeout(900)
def test_machine_learning_sdk_attaches_the_same_compute(
    run_script: Callable[..., str], installed: Any, connection: dict[str, str]
) -> None:
    """A compute attached by azure-ai-ml and one attached by az amlk8s differ only in name and times."""
    python = python_with("azure-ai-ml")
    run_script("azure_ai_ml", python)
    scope = ["-g", "ml-rg", "-w", "ml-ws"]
    output = installed.az("amlk8s", "compute", "attach", *scope, "-n", "by-us", "--resource-id", connection["cluster"])
    assert output.code == 0, output.err
    ours, theirs = (installed.az("amlk8s", "compute", "show", *scope, "-n", name).json for name in ("by-us", "by-sdk"))
    assert without_names(ours) == without_names(theirs)
    run_script("azure_ai_ml", python, detach=True)


def without_names(compute: dict[str, Any]) -> dict[str, Any]:
    properties = {key: value for key, value in compute["properties"].items() if key not in ("createdOn", "modifiedOn")}
    return {
        **{key: value for key, value in compute.items() if key not in ("id", "name", "systemData", "studioUrl")},
        "properties": properties,
    }


KUBECTL = [
    ("get as a table", ["get", "nodes"], 0, "Ready"),
    ("get wide", ["get", "pods", "-n", "azureml", "-o", "wide"], 0, "Running"),
    ("get as YAML", ["get", "ns", "azureml", "-o", "yaml"], 0, "kind: Namespace"),
    ("get by a path", ["get", "deploy", "-n", "azureml", "gateway", "-o", "jsonpath={.status.readyReplicas}"], 0, "1"),
    ("get by label", ["get", "pods", "-A", "-l", "no=such"], 0, ""),
    ("get an absent object", ["get", "ns", "absent"], 1, 'namespaces "absent" not found'),
    ("get an unknown kind", ["get", "nonsense"], 1, "the server doesn't have a resource type"),
    ("describe a node", ["describe", "node", "aks-poc-nodepool1-0"], 0, "kubelet is ready"),
    ("describe a pod", ["describe", "pods", "-n", "azureml"], 0, "Containers:"),
    ("describe a definition", ["describe", "crd", "instancetypes.amlarc.azureml.com"], 0, "v1alpha1"),
    ("wait for a definition", ["wait", "--for", "condition=established", "crd/instancetypes.amlarc.azureml.com"], 0, "condition met"),
    ("wait for a deployment", ["wait", "--for", "condition=Available", "deploy/gateway", "-n", "azureml", "--timeout=5s"], 0, "condition met"),
    ("wait with a timeout", ["wait", "--for", "condition=Nothing", "ns/azureml", "--timeout=1s"], 1, "timed out"),
    ("list API resources", ["api-resources", "--api-group=amlarc.azureml.com"], 0, "InstanceType"),
    ("list API versions", ["api-versions"], 0, "amlarc.azureml.com/v1alpha1"),
    ("explain", ["explain", "instancetype.spec"], 0, "nodeSelector"),
    ("check a permission", ["auth", "can-i", "create", "instancetypes.amlarc.azureml.com"], 0, "yes"),
    ("version", ["version"], 0, "Server Version"),
    ("diff of an absent object", ["diff", "-f", "-"], 1, "+kind: InstanceType"),
    ("apply", ["apply", "-f", "-"], 0, "created"),
    ("diff of an equal object", ["diff", "-f", "-"], 0, ""),
    ("apply again", ["apply", "-f", "-"], 0, "unchanged"),
    ("apply on the server", ["apply", "--server-side", "--field-manager=kubectl-client-side-apply", "-f", "-"], 0, "serverside-applied"),
    ("label it", ["label", "instancetype", "by-kubectl", "a=b"], 0, "labeled"),
    ("delete it", ["delete", "instancetype", "by-kubectl"], 0, "deleted"),
    ("delete it again", ["delete", "instancetype", "by-kubectl"], 1, "not found"),
]  # fmt: skip
DOCUMENT = """
apiVersion: amlarc.azureml.com/v1alpha1
kind: InstanceType
metadata: {name: by-kubectl}
spec:
  resources:
    requests: {cpu: 500m, memory: 1Gi}
    limits: {cpu: 1, memory: 1Gi}
"""


def test_kubectl(installed: Any, kubectl: str) -> None:
    """In this order; each command ends as on any cluster."""
    for name, words, code, text in KUBECTL:
        stdin = DOCUMENT if "-" in words else None
        output = installed.run(kubectl, "--context", "aks-poc", *words, stdin=stdin)
        assert output.code == code, f"{name}: {output.err}"
        assert text in output.out + output.err, f"{name}: {output.out}{output.err}"
    count_verified("clients", "kubectl")
