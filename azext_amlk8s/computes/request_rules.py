"""Rules over a requested attachment alone, before Azure is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator

from azext_amlk8s.computes.model import (
    ATTACH_GUIDE,
    COMPUTE_SPEC,
    COMPUTE_TROUBLESHOOTING,
    DEFAULT_NAMESPACE,
    AttachRequest,
)
from azext_amlk8s.rules import Finding, Problem, Problems, Severity, rule
from azext_amlk8s.shell import join

NAMING_RULES = "https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules"
NAMESPACE_NAMES = "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
# The API's pattern (2025-12-01 and later): 3 to 24 characters, and no hyphen followed by digits at the end.
API_SHORTEST, API_LONGEST = 3, 24
# The documented naming rules for computes other than AmlCompute and compute instances.
DOCUMENTED_SHORTEST, DOCUMENTED_LONGEST = 2, 16
NUMBERED = re.compile(r"-\d+$")
NAMESPACE = re.compile(r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")


def check_request(request: AttachRequest, subscription: str) -> tuple[Finding, ...]:
    """The findings of every rule of this module; subscription is the workspace's."""
    return (
        *invalid_compute_name(request.compute.name),
        *disputed_compute_name(request.compute.name),
        *invalid_namespace(request.namespace),
        *reserved_namespace(request.namespace, request.workspace.name),
        *other_subscription(request, subscription),
        *trailing_hyphens(request),
    )


@rule(
    "C105",
    Severity.ERROR,
    title="Compute name",
    requires="The name of a compute must have 3 to 16 letters, digits and hyphens, and begin with a letter.",
    source=COMPUTE_SPEC,
)
def invalid_compute_name(name: str) -> Problems:
    """Names that violate both the API's pattern and the documented naming rules."""
    api, documented = list(_api_problems(name)), list(_documented_problems(name))
    if api and documented:
        length = _length_problems(name, API_SHORTEST, DOCUMENTED_LONGEST)
        reasons = dict.fromkeys([*length, *_form_problems(name)])
        message = f"Invalid compute name '{name}': it {' and '.join(reasons)}."
        expected = "3 to 16 letters, digits and hyphens, beginning with a letter"
        yield Problem("--name", message, expected=expected, found=name, fix=f"--name {suggest_name(name)}")


@rule(
    "C106",
    Severity.WARNING,
    title="Portable compute name",
    requires="The name of a compute should follow both the API's pattern and the documented naming rules.",
    source=NAMING_RULES,
    follows=("C105",),
)
def disputed_compute_name(name: str) -> Problems:
    """Names that violate only one of the API's pattern and the documented naming rules."""
    api, documented = list(_api_problems(name)), list(_documented_problems(name))
    if bool(api) == bool(documented):
        return
    source = "The API's naming pattern rejects" if api else "Azure's documented naming rules reject"
    message = f"{source} the compute name '{name}': it {' and '.join(api or documented)}."
    yield Problem("--name", message, found=name, fix=f"--name {suggest_name(name)}")


def _api_problems(name: str) -> Iterator[str]:
    yield from _length_problems(name, API_SHORTEST, API_LONGEST)
    yield from _character_problems(name)
    yield from _number_problems(name)


def _documented_problems(name: str) -> Iterator[str]:
    yield from _length_problems(name, DOCUMENTED_SHORTEST, DOCUMENTED_LONGEST)
    yield from _character_problems(name)
    yield from _hyphen_problems(name)


def _form_problems(name: str) -> Iterator[str]:
    yield from _character_problems(name)
    yield from _number_problems(name)
    yield from _hyphen_problems(name)


def _length_problems(name: str, shortest: int, longest: int) -> Iterator[str]:
    if not shortest <= len(name) <= longest:
        yield f"has {len(name)} character{'' if len(name) == 1 else 's'}, not {shortest} to {longest}"


def _number_problems(name: str) -> Iterator[str]:
    if NUMBERED.search(name):
        yield "ends with a hyphen and digits"


def _hyphen_problems(name: str) -> Iterator[str]:
    if name.endswith("-"):
        yield "ends with a hyphen"


def _character_problems(name: str) -> Iterator[str]:
    if not re.match("[a-zA-Z]", name):
        yield "does not begin with a letter"
    if invalid := sorted(set(re.sub("[a-zA-Z0-9-]", "", name))):
        yield f"contains {' '.join(invalid)}, which is not a letter, digit or hyphen"


def suggest_name(name: str) -> str:
    """A similar name that both naming rules accept."""
    text = re.sub("^[^a-zA-Z]+", "", re.sub("[^a-zA-Z0-9-]", "", name.replace("_", "-")))
    if NUMBERED.search(text):
        head, _, digits = text.rpartition("-")
        text = head + digits
    text = text[:DOCUMENTED_LONGEST].rstrip("-")
    problems = [*_api_problems(text), *_documented_problems(text)]
    return "k8s-compute" if problems else text


@rule(
    "C107",
    Severity.ERROR,
    title="Namespace name",
    requires="The name of a namespace must have at most 63 lower-case letters, digits and hyphens.",
    source=NAMESPACE_NAMES,
)
def invalid_namespace(namespace: str) -> Problems:
    """Names that Kubernetes rejects."""
    if not NAMESPACE.match(namespace):
        message = f"Invalid namespace '{namespace}'; expected at most 63 lower-case letters, digits and hyphens."
        suggestion = re.sub("[^a-z0-9-]", "-", namespace.lower())[:63].strip("-") or DEFAULT_NAMESPACE
        yield Problem("--namespace", message, found=namespace, fix=f"--namespace {suggestion}")


@rule(
    "C108",
    Severity.WARNING,
    title="Namespace for workloads",
    requires="Workloads should have a namespace other than the extension's and those of retired attachments.",
    source=ATTACH_GUIDE,
)
def reserved_namespace(namespace: str, workspace: str) -> Problems:
    """The extension's own namespace, and that of an attachment of the retired kind AksCompute."""
    fix = "--namespace training --create-namespace"
    if namespace == "azureml":
        message = "Namespace 'azureml' belongs to the extension. Keep workloads in another namespace."
        yield Problem("--namespace", message, found=namespace, fix=fix)
    elif namespace == f"azureml-{workspace.lower()}":
        message = f"Namespace '{namespace}' was used by a retired kind of attachment, whose leftovers may interfere."
        yield Problem("--namespace", message, found=namespace, fix=fix)


@rule(
    "C109",
    Severity.ERROR,
    title="Subscription of the cluster",
    requires="The cluster and the workspace must be in the same subscription.",
    source=ATTACH_GUIDE,
    why="An attachment across subscriptions stays in progress for an hour and then fails.",
)
def other_subscription(request: AttachRequest, subscription: str) -> Problems:
    """subscription is the workspace's."""
    cluster = request.cluster
    if cluster.subscription.lower() != subscription.lower():
        message = (
            f"Cluster '{cluster.name}' is in subscription {cluster.subscription} and workspace "
            f"'{request.workspace.name}' in {subscription}. Such an attachment fails after an hour."
        )
        target = ["-g", request.workspace.resource_group, "-n", cluster.name, "--subscription", subscription]
        fix = (
            f"Use a workspace in the cluster's subscription: --subscription {cluster.subscription}\n"
            "Or connect the cluster to Azure Arc in the workspace's subscription:\n"
            f"az connectedk8s connect {join(target)}"
        )
        yield Problem("--resource-id", message, expected=subscription, found=cluster.subscription, fix=fix)


@rule(
    "C110",
    Severity.ERROR,
    title="Names of workspace and resource group",
    requires="Neither the name of the workspace nor that of its resource group may end with a hyphen.",
    source=COMPUTE_TROUBLESHOOTING,
)
def trailing_hyphens(request: AttachRequest) -> Problems:
    """Workloads on a compute of such a workspace fail."""
    names = {"workspace": request.workspace.name, "resource group": request.workspace.resource_group}
    for kind, name in names.items():
        if name.endswith("-"):
            message = f"The name of {kind} '{name}' ends with a hyphen; workloads on the compute would fail."
            yield Problem(kind, message, found=name, fix=f"Use a {kind} whose name does not end with a hyphen.")
