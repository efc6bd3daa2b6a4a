"""Results as text at a terminal: when, and with which lines."""

from __future__ import annotations

from typing import Any

import pytest

from azext_amlk8s.cli import status_views, texts
from azext_amlk8s.console.reports import coloured, is_format_chosen, wrap
from azext_amlk8s.instance_types.fit import PlaceFit, TypeFit
from azext_amlk8s.instance_types.fit_findings import fit_views
from azext_amlk8s.scheduling.placement import workload_placement

ARGUMENTS = [
    ("no format", ["amlk8s", "check", "-g", "g", "--only", "azure"], False),
    ("short option", ["amlk8s", "check", "-o", "json"], True),
    ("short option joined with its value", ["amlk8s", "check", "-ojson"], True),
    ("long option", ["amlk8s", "check", "--output", "table"], True),
    ("abbreviated option", ["amlk8s", "check", "--out", "table"], True),
    ("query", ["amlk8s", "check", "--query=summary"], True),
    ("another option with the same beginning", ["amlk8s", "extension", "diagnose", "--output-folder", "."], False),
]


@pytest.mark.parametrize(("arguments", "chosen"), [case[1:] for case in ARGUMENTS], ids=[case[0] for case in ARGUMENTS])
def test_format_chosen(arguments: list[str], chosen: bool) -> None:
    assert is_format_chosen(arguments) is chosen


def finding(**values: str) -> dict[str, str]:
    return {"id": "S003", "severity": "error", "message": "m", "fix": "", **values}


TEXTS: list[tuple[str, Any, Any, list[str]]] = [
    (
        "finding with its fix",
        texts.findings_text,
        [finding(message="enableInference: invalid value 'yes'", fix="--config enableInference=True")],
        [
            "✗ enableInference: invalid value 'yes'  [S003]",
            "    Try: --config enableInference=True",
            "",
            "✗ 1 error found.",
        ],
    ),
    (
        "several findings with the same fix",
        texts.findings_text,
        [finding(message="a", fix="Allow it."), finding(message="b", fix="Allow it.", severity="warning")],
        ["✗ a  [S003]", "! b  [S003]", "    Allow it.", "", "✗ 1 error and 1 warning found."],
    ),
    ("no finding", texts.findings_text, [], ["✓ No problems found."]),
    ("check prints its own report", texts.check_text, {"summary": {}}, []),
    (
        "explanation",
        texts.explanations_text,
        [{"code": "E1", "name": "N", "scope": "health", "meaning": "M.", "cause": "C.", "fix": ["az x"], "parts": {}}],
        ["E1 N (health)", "    M.", "    C.", "    Try: az x"],
    ),
    (
        "plan of an update",
        texts.plan_text,
        {
            "method": "PATCH",
            "action": "update",
            "id": "/extensions/azureml",
            "resources": [],
            "changes": [{"key": "version", "before": None, "after": "1.1.70"}],
        },
        [
            "~ update extension 'azureml'",
            "    ~ version: not set -> 1.1.70",
            "",
            "No billed resource to create. Nothing was changed; run the command without --dry-run to apply this plan.",
        ],
    ),
    ("extension that was created", texts.plan_text, {"id": "/extensions/azureml", "properties": {}}, None),
]


@pytest.mark.parametrize(("text", "result", "lines"), [case[1:] for case in TEXTS], ids=[case[0] for case in TEXTS])
def test_text(text: Any, result: Any, lines: list[str] | None) -> None:
    assert text(result) == lines


@pytest.mark.parametrize("width", [40, 80, 120])
def test_sentences_are_wrapped_and_commands_are_not(width: int) -> None:
    command = "    Try: az amlk8s check " + "--option value " * 10
    assert wrap(command, width) == [command]
    parts = wrap("✗ " + "words and " * 20, width)
    assert all(len(part) <= width for part in parts)
    assert all(part.startswith("  ") for part in parts[1:])


def test_marks_and_commands_have_colour() -> None:
    assert coloured("✗ a") == "\x1b[31m✗\x1b[0m a"
    assert coloured("    Try: az x") == "    Try: \x1b[36maz x\x1b[0m"
    assert coloured("    words") == "    words"


FITS = [
    ("free", TypeFit("small", {}, (PlaceFit("pool", ("n1",), 12, 9),)), "✓ small: 9 of 12 pods free on pool"),
    (
        "occupied, may scale out",
        TypeFit("small", {}, (PlaceFit("pool", ("n1",), 1, 0, 4),)),
        "! small: 0 of 1 pod free, 5 after scale-out on pool",
    ),
    (
        "refused",
        TypeFit("gpu", {}, (PlaceFit("pool", added=2),), refused="yes"),
        "✗ gpu: 0 of 0 pods free, 2 after scale-out on pool; jobs are refused with Code 9",
    ),
    ("fits nowhere", TypeFit("gpu", {}, (PlaceFit("pool"),)), "✗ gpu: fits nowhere"),
]


@pytest.mark.parametrize(("fit", "line"), [case[1:] for case in FITS], ids=[case[0] for case in FITS])
def test_fit_as_text(fit: TypeFit, line: str) -> None:
    assert texts.fit_text(fit_views([fit], workload_placement({})))[0] == line


STATUS: dict[str, Any] = {
    "cluster": {
        "name": "onprem",
        "type": "connectedClusters",
        "location": "eastus",
        "kubernetesVersion": "1.34.2",
        "state": "Connected",
        "certificateExpires": "2099-01-01T00:00:00Z",
    },
    "extension": {"name": "azureml", "version": "1.1.88", "state": "Succeeded", "releaseTrain": "stable"},
    "components": {
        "total": 9,
        "ready": 7,
        "notReady": [
            {"name": "gateway", "state": "not ready", "reasons": ["ImagePullBackOff: Back-off"]},
            {"name": "aml-operator", "state": "missing", "reasons": []},
        ],
    },
    "computes": None,
    "instanceTypes": [],
    "certificate": {"secret": "router-tls", "expires": "2025-01-01", "expired": True},
    "unavailable": {"computes": "no workspace was specified"},
    "problems": [],
    "nextStep": "az amlk8s check -g g -c onprem -t connectedClusters",
}


def test_status_as_text() -> None:
    assert status_views.status_text(STATUS) == [
        "✓ Cluster         onprem  Arc-connected, eastus, Kubernetes 1.34.2, Connected",
        "✓ Extension       azureml  version 1.1.88, Succeeded, release train stable",
        "✗ Components      7 of 9 ready; gateway (and 1 more): ImagePullBackOff",
        "– Computes        no workspace was specified",
        "– Instance types  none",
        "✗ Certificate     secret router-tls  expired on 2025-01-01",
        "✓                 Azure Arc connection  valid until 2099-01-01",
        "",
        "✓ No problems found.",
        "",
        "Next: az amlk8s check -g g -c onprem -t connectedClusters",
    ]


def test_unread_parts_refer_to_the_problem_that_says_why() -> None:
    reason = "The cluster itself could not be read: no context"
    problem = {"id": "K301", "severity": "error", "message": f"{reason}.", "fix": "", "subject": "onprem"}
    unavailable = {"components": reason, "instanceTypes": reason}
    lines = status_views.status_text({**STATUS, "unavailable": unavailable, "computes": [], "problems": [problem]})
    assert lines[2] == "– Components      not read, see K301"
    assert lines[4] == "– Instance types  not read, see K301"


def test_status_table_fits_100_columns() -> None:
    fits = [{"name": f"type-{number}", **FIT_NOWHERE} for number in range(20)]
    problem = {"id": "K503", "severity": "error", "message": "word " * 60, "fix": "", "subject": "s" * 60}
    rows = status_views.status_rows({**STATUS, "computes": [], "instanceTypes": fits, "problems": [problem]})
    assert {len(row) for row in rows} == {3}
    assert sum(max(len(str(row[key])) for row in rows) + 2 for key in rows[0]) <= 102
    assert [row["Part"] for row in rows][-1] == "Error K503"


FIT_NOWHERE = {"fits": False, "pods": 0, "podsFreeNow": 0, "podsAfterScaleOut": 0, "refused": None, "places": []}
