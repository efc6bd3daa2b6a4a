"""What earlier installations have left in the cluster and in Azure; checked with --leftovers."""

from __future__ import annotations

from azext_amlk8s.checks.facts import EXTENSIONS, LEFTOVER_RESOURCES, LEFTOVERS, NAMESPACE, Facts, find_extension
from azext_amlk8s.rules import CheckSpec, NotApplicable, Observation, Problem, Results, Severity, rule

TROUBLES = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-extension"


@rule(
    "K331",
    Severity.WARNING,
    title="Leftovers in the cluster",
    requires="A cluster without the extension has none of its definitions, webhooks, roles and namespaces.",
    source=TROUBLES,
    why="They make another installation fail, or requests to the API server.",
    check=CheckSpec("leftovers", (EXTENSIONS, LEFTOVERS)),
)
def cluster_leftovers(facts: Facts) -> Results:
    """The commands delete what was found and nothing else; finalizers are named."""
    if find_extension(facts[EXTENSIONS]) is not None:
        raise NotApplicable("the extension is installed: what it brought is in use")
    leftovers = facts[LEFTOVERS]
    for leftover in leftovers:
        if leftover.finalizers or leftover.is_deleting:
            waits = f", and waits for {', '.join(leftover.finalizers)}" if leftover.finalizers else ""
            message = (
                f"{leftover.label} is being deleted{waits}."
                if leftover.is_deleting
                else (
                    f"{leftover.label} of an earlier installation remains, with the finalizers "
                    f"{', '.join(leftover.finalizers)}."
                )
            )
            fix = f"kubectl get {leftover.kind.lower()} {leftover.name} -o yaml"
        else:
            message = f"{leftover.label} of an earlier installation remains. {leftover.why}"
            fix = leftover.command
        if leftover.is_deleting and leftover.reasons:
            message = f"{message} {' '.join(leftover.reasons)}"
        yield Problem(leftover.name, message, "none", leftover.kind, fix)
    if not leftovers:
        yield Observation("none")


@rule(
    "K332",
    Severity.WARNING,
    title="Leftovers in Azure",
    requires="Without the extension no resource that was created for it remains in Azure.",
    source=TROUBLES,
    why="They are billed.",
    check=CheckSpec("leftovers", (EXTENSIONS, LEFTOVER_RESOURCES)),
)
def azure_leftovers(facts: Facts) -> Results:
    """Known by their names, which follow from the cluster's."""
    if find_extension(facts[EXTENSIONS]) is not None:
        raise NotApplicable("the extension is installed: its resources are in use")
    resources = facts[LEFTOVER_RESOURCES]
    for resource in resources:
        message = f"The {resource.label} '{resource.name}' remains. {resource.costs}"
        fix = f"az amlk8s extension delete {facts.cluster.cli_args} -n {NAMESPACE} --delete-dependencies"
        yield Problem(resource.name, message, "none", resource.id, fix)
    if not resources:
        yield Observation("none")
