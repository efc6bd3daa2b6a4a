"""Completion of names of Azure: what the shell asks az for, answered from the sandbox."""

from __future__ import annotations

import pytest

from tests.support import Sandbox

# A busy machine may not answer within the second that completion waits.
TRIES = 5
SEPARATOR = "\013"
SETUP = (
    "amlk8s extension create -n azureml -g ml-rg -c aks-poc --config enableTraining=True",
    "amlk8s compute attach -n k8s-compute -g ml-rg -w ml-ws -c aks-poc --identity-type SystemAssigned",
)


def complete(box: Sandbox, line: str, expected: str) -> list[str]:
    """The completions of a command line, read as bash does; asked again until the expected one is among them."""
    variables = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": SEPARATOR,
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    found: list[str] = []
    for _ in range(TRIES):
        # As bash calls it: only what is written to descriptor 8 counts.
        done = box.run("bash", "-c", "az 8>&1 9>/dev/null 1>/dev/null 2>/dev/null", **variables)
        found = [name.strip() for name in done.out.split(SEPARATOR) if name]
        if expected in found:
            break
    return found


@pytest.fixture(scope="module")
def attached(box: Sandbox) -> Sandbox:
    """The sandbox with an extension and a compute."""
    for command in SETUP:
        assert box.az(*command.split(), "-o", "none").code == 0
    return box


NAMES = {
    "clusters of both types": ("az amlk8s status -g ml-rg -c ", {"aks-poc", "minikube"}, set()),
    "clusters of one type": ("az amlk8s check -g ml-rg -t connectedClusters -c ", {"minikube"}, {"aks-poc"}),
    "clusters by prefix": ("az amlk8s extension show -g ml-rg -c aks-s", {"aks-single"}, {"aks-poc"}),
    "workspaces": ("az amlk8s compute list -g ml-rg -w ml", {"ml-ws", "ml-ws-uami"}, set()),
    "computes": ("az amlk8s compute show -g ml-rg -w ml-ws -n ", {"k8s-compute"}, set()),
    "extensions": ("az amlk8s extension show -g ml-rg -c aks-poc -n ", {"azureml"}, set()),
    "extensions of an Arc-connected cluster": (
        "az amlk8s extension show -g ml-rg -t connectedClusters -c minikube -n ",
        set(),
        {"azureml"},
    ),
    "contexts": ("az amlk8s instance-type list --context mini", {"minikube"}, {"aks-poc"}),
}


@pytest.mark.parametrize(("line", "present", "absent"), NAMES.values(), ids=list(NAMES))
def test_names_are_completed(attached: Sandbox, line: str, present: set[str], absent: set[str]) -> None:
    found = set(complete(attached, line, min(present, default="")))
    assert present <= found
    assert not absent & found


def test_nothing_is_completed_where_azure_refuses(attached: Sandbox) -> None:
    assert complete(attached, "az amlk8s compute show -g nowhere -w nothing -n ", "") == []
