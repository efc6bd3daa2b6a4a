"""Rules over the words of an attachment alone, before anything is asked of Azure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from azext_amlk8s.computes.facts import Wanted
from azext_amlk8s.computes.ids import ERROR, GUIDE, WARNING
from azext_amlk8s.rules import Finding
from azext_amlk8s.rules.legacy import LegacyRule as Rule

SPEC = "https://learn.microsoft.com/azure/templates/microsoft.machinelearningservices/workspaces/computes"
TROUBLES = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-compute"
LABELS = "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
NUMBERED = re.compile(r"-\d+$")
NAMESPACE = re.compile(r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
SHORTEST, LONGEST, LONGEST_EVERYWHERE = 3, 24, 16

C105 = Rule("C105", ERROR, "The name of a compute is one that Azure takes.", SPEC)
C106 = Rule("C106", WARNING, "The name of a compute is one that every tool takes.", SPEC)
C107 = Rule("C107", ERROR, "A namespace has a name that Kubernetes takes.", LABELS)
C108 = Rule(
    "C108", WARNING, "Workloads have a namespace that is not the extension's, nor one of a retired attachment.", GUIDE
)
C109 = Rule("C109", ERROR, "Cluster and workspace lie in one subscription.", GUIDE)
C110 = Rule("C110", ERROR, "Neither the workspace's name nor its resource group's ends in a hyphen.", TROUBLES)


def judge_words(wanted: Wanted, subscription: str) -> tuple[Finding, ...]:
    """All that can be said of the words (field guide compute 2.5); subscription is the workspace's."""
    return (
        *_name(wanted.name),
        *_namespace(wanted.namespace, wanted.workspace),
        *_subscription(wanted, subscription),
        *_hyphens(wanted),
    )


def _name(name: str) -> Iterator[Finding]:
    reasons = list(_reasons(name))
    if reasons:
        message = f"{name} is not a name that Azure takes for a compute: it {', and it '.join(reasons)}."
        required = (
            f"{SHORTEST} to {LONGEST} letters, digits and hyphens, a letter first, no hyphen and digits at the end"
        )
        yield C105.finding("--name", message, required=required, found=name, fix=f"--name {_mended(name)}")
    elif len(name) > LONGEST_EVERYWHERE or name.endswith("-"):
        message = (
            f"{name} has more than {LONGEST_EVERYWHERE} characters or a hyphen at the end; some tools refuse that."
        )
        yield C106.finding("--name", message, found=name)


def _reasons(name: str) -> Iterator[str]:
    """What is wrong with the name of a compute (pattern of Microsoft.MachineLearningServices 2025-12-01 and later)."""
    if not SHORTEST <= len(name) <= LONGEST:
        yield f"has {len(name)} characters, not {SHORTEST} to {LONGEST}"
    if not re.match("[a-zA-Z]", name):
        yield "does not begin with a letter"
    if odd := sorted(set(re.sub("[a-zA-Z0-9-]", "", name))):
        yield f"has {' '.join(odd)} in it, and not letters, digits and hyphens alone"
    if NUMBERED.search(name):
        yield "ends in a hyphen and digits"


def _mended(name: str) -> str:
    """A name like it that Azure takes."""
    text = re.sub("^[^a-zA-Z]+", "", re.sub("[^a-zA-Z0-9-]", "", name.replace("_", "-")))
    if NUMBERED.search(text):
        head, _, digits = text.rpartition("-")
        text = head + digits
    text = text[:LONGEST_EVERYWHERE].rstrip("-")
    return text if len(text) >= SHORTEST and not list(_reasons(text)) else "k8s-compute"


def _namespace(namespace: str, workspace: str) -> Iterator[Finding]:
    if not NAMESPACE.match(namespace):
        message = (
            f"{namespace} is not a name that Kubernetes takes for a namespace: lower-case letters, digits and hyphens, "
            "at most 63."
        )
        yield C107.finding("--namespace", message, found=namespace, fix="--namespace default")
    elif namespace == "azureml":
        message = "azureml is the namespace of the extension itself; workloads are better kept apart from it."
        yield C108.finding("--namespace", message, found=namespace, fix="--namespace training --create-namespace")
    elif namespace == f"azureml-{workspace.lower()}":
        message = (
            f"{namespace} is the namespace of a retired kind of attachment; what it left behind would be in the way."
        )
        yield C108.finding("--namespace", message, found=namespace, fix="--namespace training --create-namespace")


def _subscription(wanted: Wanted, subscription: str) -> Iterator[Finding]:
    """Field guide compute 5.2 and section 7, issues 1 and 17: such an attachment hangs for an hour and fails."""
    cluster = wanted.cluster
    if cluster.subscription.lower() != subscription.lower():
        message = (
            "The cluster lies in another subscription than the workspace; such an attachment hangs and then fails."
        )
        there = f"--subscription {cluster.subscription}   # with a workspace that lies there"
        group, name = shlex.quote(wanted.group), shlex.quote(cluster.name)
        arc = f"az connectedk8s connect -g {group} -n {name} --subscription {subscription}   # then attach it by Arc"
        yield C109.finding(
            "--resource-id", message, required=subscription, found=cluster.subscription, fix=f"{there}\n{arc}"
        )


def _hyphens(wanted: Wanted) -> Iterator[Finding]:
    for what, name in (("workspace", wanted.workspace), ("resource group", wanted.group)):
        if name.endswith("-"):
            message = f"The name of the {what}, {name}, ends in a hyphen; workloads on the compute would fail."
            yield C110.finding(what, message, found=name, fix=f"Use a {what} whose name does not end in a hyphen.")
