"""The extension from its first resource to its last, with the real az: killed on the way, judged by others, and gone."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.prove_wheel import ROOT

CLUSTER = ["-n", "azureml-extension", "-c", "minikube", "-t", "connectedClusters", "-g", "ml-rg"]
CREATE = ["amlk8s", "extension", "create", *CLUSTER]
SETTINGS = ["--config", "enableTraining=True", "logAnalyticsWS=True", "servicebus.enabled=True"]
NAMES = "minikube33333333dddd4eee8fff444444444444mlrg"
# Too long for a namespace: cut, with the hash of minikube-33333333-dddd-4eee-8fff-444444444444-ml-rg-service-bus.
BUS = f"{NAMES}b8bf6d"


@pytest.fixture(scope="module")
def slow(start: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A sandbox in which things take some seconds and every provider is registered."""
    world = yaml.safe_load((ROOT / "sandbox" / "world.yaml").read_text(encoding="utf-8"))
    world["providers"] = dict.fromkeys(world["providers"], "Registered")
    file: Path = tmp_path_factory.mktemp("world") / "world.yaml"
    file.write_text(yaml.safe_dump(world), encoding="utf-8")
    return start("--provisioning-seconds", "3", "--world", str(file))


def puts(box: Any) -> Counter[str]:
    """How often each resource was PUT, by the end of its path."""
    return Counter("/".join(line["path"].split("/")[-2:]) for line in box.writes() if line["method"] == "PUT")


def kill_after(box: Any, path: str) -> None:
    """Start the installation and kill it as soon as something was PUT there; nothing of it can clean up."""
    process = subprocess.Popen(
        ["az", *CREATE, *SETTINGS],
        env=box.env,
        cwd=box.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 90
    while not puts(box)[path]:
        assert time.monotonic() < deadline and process.poll() is None, path
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_killed_anywhere_the_same_command_goes_on(slow: Any) -> None:
    """In the making of the relay, between its parts, in the installation: nothing is made twice or left half made."""
    for path in (
        f"namespaces/{NAMES}relay",
        "topics/jobstate-updatedby-computeprovider",
        "extensions/azureml-extension",
    ):
        kill_after(slow, path)
    said = slow.az(*CREATE, *SETTINGS)
    assert said.code == 0, said.err
    assert said.json["properties"]["provisioningState"] == "Succeeded"
    made = puts(slow)
    assert set(made) == {
        f"namespaces/{NAMES}relay",
        "hybridConnections/minikube",
        "authorizationRules/azureml_rw",
        f"workspaces/{NAMES}",
        f"namespaces/{BUS}",
        "topics/computestate-updatedby-computeprovider",
        "subscriptions/compute-scheduler-computestate",
        "topics/jobstate-updatedby-computeprovider",
        "subscriptions/compute-scheduler-jobstate",
        "extensions/azureml-extension",
    }
    assert set(made.values()) == {1}
    assert "SharedAccessKey=" not in said.out + said.err


JUDGES = [
    (
        "relay",
        f"relay hyco authorization-rule show -g ml-rg --namespace-name {NAMES}relay --hybrid-connection-name minikube "
        "-n azureml_rw --query sort(rights)",
        ["Listen", "Manage", "Send"],
    ),
    (
        "the relay's keys",
        f"relay hyco authorization-rule keys list -g ml-rg --namespace-name {NAMES}relay --hybrid-connection-name "
        "minikube -n azureml_rw --query ends_with(primaryConnectionString,'EntityPath=minikube')",
        True,
    ),
    ("tags", f"relay namespace show -g ml-rg -n {NAMES}relay --query tags.created_by", "Azure Arc-enabled ML"),
    (
        "service bus",
        f"servicebus topic subscription show -g ml-rg --namespace-name {BUS} --topic-name "
        "jobstate-updatedby-computeprovider -n compute-scheduler-jobstate --query [maxDeliveryCount,lockDuration]",
        [1, "PT30S"],
    ),
    (
        "log analytics",
        f"monitor log-analytics workspace get-shared-keys -g ml-rg -n {NAMES} --query length(primarySharedKey)>`10`",
        True,
    ),
    (
        "a lock",
        f"lock create -n keep -t CanNotDelete -g ml-rg --resource-type Microsoft.Relay/namespaces --resource {NAMES}relay "
        "--query level",
        "CanNotDelete",
    ),
]


@pytest.mark.parametrize(("name", "words", "answer"), JUDGES, ids=[judge[0] for judge in JUDGES])
def test_az_finds_what_was_made(slow: Any, name: str, words: str, answer: Any) -> None:
    """az's own commands read it as they read Azure."""
    said = slow.az(*words.split(), "-o", "json")
    assert said.code == 0, said.err
    assert said.json == answer


def test_what_is_locked_stays_until_it_is_unlocked(slow: Any) -> None:
    """The extension goes, the relay is held by the lock; when that is gone the same command takes it away."""
    delete = ["amlk8s", "extension", "delete", *CLUSTER, "--delete-dependencies", "--yes"]
    said = slow.az(*delete)
    assert said.code == 1
    assert "ScopeLocked" in said.err and "az lock list" in said.err
    lock = ["-n", "keep", "-g", "ml-rg", "--resource-type", "Microsoft.Relay/namespaces", "--resource", f"{NAMES}relay"]
    assert slow.az("lock", "delete", *lock).code == 0
    said = slow.az(*delete)
    assert said.code == 0, said.err
    assert "nothing to delete" in said.err
    left = slow.az("resource", "list", "-g", "ml-rg", "--query", "[?contains(id, 'mlrg')].name", "-o", "json")
    assert left.json == []
