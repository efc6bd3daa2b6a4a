"""Table views: their columns, and null values from ARM."""

from __future__ import annotations

from typing import Any

import pytest

from azext_amlk8s.cli import compute as compute_views
from azext_amlk8s.cli import extension as extension_views
from azext_amlk8s.cli import instance_type, root
from azext_amlk8s.cli import settings as settings_views
from azext_amlk8s.cli.tables import finding_rows

EXTENSIONS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "running version while auto-upgrade is on",
        {"name": "e", "properties": {"version": None, "currentVersion": "1.1.60", "provisioningState": "Succeeded"}},
        {"Name": "e", "Version": "1.1.60", "State": "Succeeded"},
    ),
    ("pinned version of an old api", {"name": "e", "properties": {"version": "1.1.9"}}, {"Version": "1.1.9"}),
    (
        "scenario, keys and values in any case",
        {"name": "e", "properties": {"configurationSettings": {"EnableTraining": "true", "enableInference": "True"}}},
        {"Scenario": "Training and Inference"},
    ),
    (
        "first error of a failed one",
        {
            "name": "e",
            "properties": {
                "provisioningState": "Failed",
                "statuses": [{"code": "InstallationFailed", "message": "no  such\nversion", "level": None}],
            },
        },
        {"Error": "InstallationFailed no such version"},
    ),
    (
        "no error while it succeeds",
        {"name": "e", "properties": {"provisioningState": "Succeeded", "statuses": [{"message": "fine"}]}},
        {"State": "Succeeded"},
    ),
    ("everything null", {"name": "e", "properties": None, "systemData": None}, {"Name": "e", "State": None}),
]

COMPUTES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "attached",
        {
            "name": "c",
            "identity": {"type": "SystemAssigned"},
            "properties": {
                "provisioningState": "Succeeded",
                "resourceId": "/subscriptions/s/x/aks-poc",
                "properties": {"namespace": "default", "defaultInstanceType": "d", "instanceTypes": {"d": {}, "e": {}}},
            },
        },
        {"Cluster": "aks-poc", "Namespace": "default", "Identity": "SystemAssigned"},
    ),
    (
        "inner properties null",
        {"name": "c", "properties": {"properties": None}},
        {"Namespace": None},
    ),
    ("outer properties null", {"name": "c", "properties": None}, {"State": None}),
    (
        "error wrapped",
        {"name": "c", "properties": {"provisioningErrors": [{"error": {"code": "A", "message": "b"}}]}},
        {"Error": "A b"},
    ),
    (
        "error flat",
        {"name": "c", "properties": {"provisioningErrors": [{"code": "A", "message": "b"}]}},
        {"Error": "A b"},
    ),
    ("errors null", {"name": "c", "properties": {"provisioningErrors": None}}, {"State": None}),
]


@pytest.mark.parametrize(("name", "extension", "row"), EXTENSIONS, ids=[case[0] for case in EXTENSIONS])
def test_extension_row(name: str, extension: dict[str, Any], row: dict[str, Any]) -> None:
    assert row.items() <= extension_views.extension_row(extension).items()


@pytest.mark.parametrize(("name", "compute", "row"), COMPUTES, ids=[case[0] for case in COMPUTES])
def test_compute_row(name: str, compute: dict[str, Any], row: dict[str, Any]) -> None:
    assert row.items() <= compute_views.compute_row(compute).items()


def test_instance_type_rows_of_one_type_and_of_several() -> None:
    item = {
        "name": "a",
        "requests": {"cpu": "1"},
        "limits": {"cpu": "2", "nvidia.com/gpu": 1},
        "nodeSelector": {"k": "v"},
    }
    (row,) = instance_type.instance_type_rows(item)
    assert {"Name": "a", "Cpu": "1-2", "Gpu": "1", "NodeSelector": "k=v"}.items() <= row.items()
    assert len(instance_type.instance_type_rows([item, {"name": "b"}])) == 2


def test_long_error_is_shortened() -> None:
    row = compute_views.compute_row({"properties": {"provisioningErrors": [{"code": "A", "message": "b" * 100}]}})
    assert len(row["Error"]) == 40


RELAY = {"action": "create", "kind": "Relay namespace", "name": "r", "costs": "Billed by the hour."}
PLANS: list[tuple[str, dict[str, Any], Any]] = [
    (
        "what is set and made by an installation",
        {
            "method": "PUT",
            "action": "create",
            "chosen": ["enableTraining"],
            "resources": [RELAY],
            "body": {"properties": {"scope": {"cluster": {}}, "configurationSettings": {"enableTraining": "True"}}},
        },
        [
            {"Action": "create", "Subject": "Relay namespace", "Value": "r", "Origin": "billed"},
            {"Action": "set", "Subject": "enableTraining", "Value": "True", "Origin": "chosen"},
            {"Action": "set", "Subject": "scope", "Value": '{"cluster": {}}', "Origin": "derived"},
        ],
    ),
    (
        "what an update changes, before and after",
        {
            "method": "PATCH",
            "action": "update",
            "resources": [RELAY],
            "changes": [
                {"key": "installVolcano", "before": None, "after": "False"},
                {"key": "version", "before": "1.1.70", "after": "1.1.71"},
            ],
        },
        [
            {"Action": "create", "Subject": "Relay namespace", "Value": "r", "Origin": "billed"},
            {"Action": "change", "Subject": "installVolcano", "Value": "not set -> False", "Origin": "chosen"},
            {"Action": "change", "Subject": "version", "Value": "1.1.70 -> 1.1.71", "Origin": "chosen"},
        ],
    ),
    (
        "nothing to do",
        {"method": "PATCH", "action": "none", "resources": [], "changes": []},
        [{"Action": "nothing", "Subject": "", "Value": "", "Origin": ""}],
    ),
]


@pytest.mark.parametrize(("plan", "rows"), [case[1:] for case in PLANS], ids=[case[0] for case in PLANS])
def test_plan(plan: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """The plan of a dry run as rows."""
    assert extension_views.extension_or_plan(plan) == rows


LONG = "aks-machine-learning-production"
WIDE: list[tuple[str, Any, Any]] = [
    (
        "compute list",
        compute_views.compute_rows,
        [
            {
                "name": "k8s-training-compute",
                "identity": {"type": "SystemAssigned"},
                "properties": {
                    "computeType": "Kubernetes",
                    "provisioningState": "Succeeded",
                    "resourceId": f"/subscriptions/s/{LONG}",
                    "properties": {"namespace": "azureml-training", "defaultInstanceType": "defaultinstancetype"},
                },
            }
        ],
    ),
    (
        "instance-type list",
        instance_type.instance_type_rows,
        [
            {
                "name": "gpu-large-a100-partitioned",
                "requests": {"cpu": "1500m", "memory": "1500Mi"},
                "limits": {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": 4},
                "nodeSelector": {"agentpool": "gpupool", "sku": "a100-80gb", "kubernetes.azure.com/mode": "user"},
                "where": "cluster only",
            }
        ],
    ),
    (
        "workload check",
        finding_rows,
        [
            {
                "id": "W110",
                "severity": "warning",
                "subject": "jobs/training/step-one.yml:12:3",
                "message": "m " * 90,
                "fix": "f",
            }
        ],
    ),
    (
        "explain --list",
        root.explanation_rows,
        [{"code": "KubernetesComputeUnaccessible", "scope": "compute", "meaning": "m " * 90}],
    ),
]


@pytest.mark.parametrize(("view", "objects"), [case[1:] for case in WIDE], ids=[case[0] for case in WIDE])
def test_table_fits_100_columns(view: Any, objects: Any) -> None:
    """With names of realistic length, as az prints it."""
    assert printed_width(view(objects)) <= 100


def test_settings_list_fits_100_columns() -> None:
    from azext_amlk8s.operations.settings import settings_list

    assert printed_width(settings_views.setting_rows(settings_list())) <= 100


@pytest.mark.parametrize("version", ["", "1.0.37", "1.1.61", "1.1.88"])
def test_components_fit_100_columns(version: str) -> None:
    from azext_amlk8s.operations.settings import components

    assert printed_width(extension_views.component_rows(components(version=version))) <= 100


def test_codes_list_fits_100_columns() -> None:
    from azext_amlk8s.operations.explain import explain

    assert printed_width(root.explanation_rows(explain(None, None, everything=True))) <= 100


def printed_width(rows: list[dict[str, Any]]) -> int:
    """The width of the table: the widest cell of each column, and two spaces between columns."""
    columns = {key for row in rows for key in row}
    widths = [max(len(key), *(len(str(row.get(key) or "")) for row in rows)) for key in columns]
    return sum(widths) + 2 * (len(widths) - 1)
