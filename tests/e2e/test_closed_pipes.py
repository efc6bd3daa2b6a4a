"""A reader that goes before a command has ended, such as `| head`, neither stops the command nor shows a traceback."""

from __future__ import annotations

from collections.abc import Callable

from tests.support import Output, Sandbox

STATUS = 'echo "status ${PIPESTATUS[0]}"'


def pipe(box: Sandbox, command: str) -> Output:
    """The output of a command of bash, with the exit code of az at its end."""
    return box.run("bash", "-c", f"{command}; {STATUS}")


def test_findings_of_lint(start: Callable[..., Sandbox]) -> None:
    box = start("--provisioning-seconds", "0")
    box.run(
        "bash",
        "-c",
        "echo 'az amlk8s extension create -g g -c c -t managedClusters --config enableTrainng=True' > a.sh",
    )
    done = pipe(box, "az amlk8s lint a.sh --output-format sarif | true")
    assert done.err == ""
    assert done.out == "status 1\n"  # that of findings


def test_progress_of_a_setup(start: Callable[..., Sandbox]) -> None:
    box = start("--provisioning-seconds", "2")
    done = pipe(box, "az amlk8s up -g ml-rg -c aks-poc -w ml-ws --yes -o none 2>&1 | true")
    assert done.out == "status 0\n"
    shown = box.az("amlk8s", "compute", "show", "-g", "ml-rg", "-w", "ml-ws", "-n", "k8s-aks-poc")
    assert shown.json["properties"]["provisioningState"] == "Succeeded"
