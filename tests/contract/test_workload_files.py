"""Job and deployment files, changed one value or one key at a time: our verdict against azure-ai-ml's loader."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from azext_amlk8s.rules import Severity
from azext_amlk8s.workloads import evaluate_workloads, read_workloads
from tests.contract.test_clients import SCRIPTS, python_with

DOCUMENTS = {
    "command": """
        name: n
        display_name: d
        description: e
        experiment_name: x
        type: command
        command: python a.py
        code: ./src
        environment: azureml:e:1
        compute: azureml:k8s
        tags: {a: b}
        properties: {a: b}
        environment_variables: {A: b}
        resources: {instance_type: cpu, instance_count: 2, shm_size: 2g, docker_args: --x}
        limits: {timeout: 60}
        distribution: {type: pytorch, process_count_per_instance: 2}
        inputs: {a: {type: uri_folder, path: "azureml:x:1", mode: ro_mount}, b: 1, c: s}
        outputs: {o: {type: uri_folder, mode: rw_mount}}
        identity: {type: managed}
    """,
    "sweep": """
        type: sweep
        name: n
        display_name: d
        description: e
        experiment_name: x
        compute: azureml:k8s
        tags: {a: b}
        trial: {command: python a.py, environment: "azureml:e:1", resources: {instance_type: cpu, instance_count: 1}}
        inputs: {a: {type: uri_folder, path: "azureml:x:1"}}
        sampling_algorithm: random
        search_space: {lr: {type: uniform, min_value: 0.1, max_value: 0.5}}
        objective: {goal: minimize, primary_metric: loss}
        limits: {max_total_trials: 4, max_concurrent_trials: 2, timeout: 100}
        early_termination: {type: bandit, slack_factor: 0.1, evaluation_interval: 1, delay_evaluation: 2}
    """,
    "pipeline": """
        type: pipeline
        name: n
        display_name: d
        description: e
        experiment_name: x
        compute: azureml:k8s
        settings: {default_compute: "azureml:k8s", continue_on_step_failure: true}
        tags: {a: b}
        inputs: {a: {type: uri_folder, path: "azureml:x:1"}, b: 1}
        jobs:
          one: {type: command, command: echo, environment: "azureml:e:1", compute: "azureml:k8s",
                resources: {instance_type: cpu, instance_count: 1}, environment_variables: {A: b}}
    """,
    "online deployment": """
        name: blue
        type: kubernetes
        endpoint_name: ep
        description: d
        tags: {a: b}
        model: azureml:m:1
        environment: azureml:e:1
        code_configuration: {code: ./src, scoring_script: score.py}
        environment_variables: {A: b}
        app_insights_enabled: true
        instance_type: cpu
        instance_count: 2
        resources: {requests: {cpu: "1", memory: 1Gi}, limits: {cpu: "2", memory: 2Gi, nvidia.com/gpu: "1"}}
        request_settings: {request_timeout_ms: 3000, max_concurrent_requests_per_instance: 1, max_queue_wait_ms: 500}
        liveness_probe: {initial_delay: 10, period: 10, timeout: 2, success_threshold: 1, failure_threshold: 30}
        readiness_probe: {initial_delay: 10, period: 10, timeout: 2, success_threshold: 1, failure_threshold: 30}
        scale_settings: {type: target_utilization, min_instances: 1, max_instances: 3, polling_interval: 10}
    """,
}
VALUES: dict[str, Any] = {
    "number": 7,
    "fraction": 1.5,
    "text": "zz",
    "digits": "7",
    "Boolean": True,
    "list": ["a"],
    "mapping": {"a": "b"},
    "null": None,
}
Path = tuple[str, ...]
DIFFERENCES: dict[str, set[tuple[str, str, str]]] = {
    "a folder that does not exist is accepted, for the file may be checked on another machine": {
        ("command", "code", "text"),
        ("command", "code", "digits"),
    },
    "what the cluster refuses is refused: no quantities": {
        ("online deployment", "resources.requests.cpu", "text"),
        ("online deployment", "resources.requests.memory", "text"),
        ("online deployment", "resources.limits.cpu", "text"),
        ("online deployment", "resources.limits.memory", "text"),
        ("online deployment", "resources.limits.nvidia.com/gpu", "text"),
    },
    "what the cluster refuses is refused: requests above limits, and 7 bytes of memory": {
        ("online deployment", "resources.requests.cpu", "digits"),
        ("online deployment", "resources.requests.memory", "digits"),
        ("online deployment", "resources.limits.memory", "digits"),
    },
}


def changes(kind: str) -> Iterator[tuple[str, Path, str, dict[str, Any]]]:
    """Kind, path, name of the change, changed document: each value replaced, each key renamed."""
    document = yaml.safe_load(DOCUMENTS[kind])
    for path in paths(document, ()):
        for name, value in VALUES.items():
            yield kind, path, name, changed(document, path, value)
        renamed = changed(document, path, None, rename=f"{path[-1]}_x")
        yield kind, path, "renamed key", renamed


def paths(value: dict[str, Any], path: Path) -> Iterator[Path]:
    for key, inner in value.items():
        yield (*path, key)
        if isinstance(inner, dict):
            yield from paths(inner, (*path, key))


def changed(document: dict[str, Any], path: Path, value: Any, rename: str = "") -> dict[str, Any]:
    made = copy.deepcopy(document)
    inner = made
    for key in path[:-1]:
        inner = inner[key]
    if rename:
        inner[rename] = inner.pop(path[-1])
    else:
        inner[path[-1]] = value
    return made


def refused_by_us(document: dict[str, Any]) -> bool:
    workloads, findings = read_workloads(yaml.safe_dump(document, sort_keys=False), "f.yml")
    return any(finding.severity is Severity.ERROR for finding in [*findings, *evaluate_workloads(workloads)])


@pytest.fixture(scope="module")
def verdicts() -> list[tuple[str, Path, str, bool, bool]]:
    """Kind, path, change, whether azure-ai-ml accepts it, whether we do."""
    cases = [case for kind in DOCUMENTS for case in changes(kind)]
    sent = json.dumps([[kind, document] for kind, _, _, document in cases])
    words = [python_with("azure-ai-ml"), str(SCRIPTS / "azure_ai_ml_files.py")]
    done = subprocess.run(words, input=sent, capture_output=True, text=True, check=True)
    theirs = json.loads(done.stdout.splitlines()[-1])
    return [
        (kind, path, name, accepted, not refused_by_us(document))
        for (kind, path, name, document), accepted in zip(cases, theirs, strict=True)
    ]


def test_the_documents_are_valid_for_both() -> None:
    for text in DOCUMENTS.values():
        assert not refused_by_us(yaml.safe_load(text))


@pytest.mark.timeout(900)
def test_same_verdict_as_azure_ai_ml(verdicts: list[tuple[str, Path, str, bool, bool]]) -> None:
    """But for the differences that are meant."""
    different = {(kind, ".".join(path), name) for kind, path, name, theirs, ours in verdicts if theirs != ours}
    assert len(verdicts) > 1300
    assert different == {change for known in DIFFERENCES.values() for change in known}
