"""The compute: the workspace, what is attached, and the rules of attachments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from azext_amlk8s.checks.explained import explained
from azext_amlk8s.checks.facts import Facts, Unseen, name_of, seen, state_of
from azext_amlk8s.checks.model import Check, When
from azext_amlk8s.computes import (
    AttachFacts,
    Inside,
    Wanted,
    cluster_ref,
    identity_principals,
    is_kubernetes,
    judge_attach,
    look_alikes,
    missing_roles,
    needed_roles,
)
from azext_amlk8s.diagnosis import compute_errors, explain_failure
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule

ATTACH = "https://learn.microsoft.com/azure/machine-learning/how-to-attach-kubernetes-to-workspace"
TROUBLES = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-compute"
BUSY = ("creating", "updating", "deleting")
ROLES, NAMESPACES = ("C121", "C122"), ("C120", "C126")
LIMITS = ("C109", "C110", "C112", "C113", "C114", "C128")

K601 = Rule("K601", Severity.ERROR, "The workspace is there.", ATTACH)
K602 = Rule("K602", Severity.ERROR, "The cluster is attached to the workspace.", ATTACH)
K603 = Rule("K603", Severity.ERROR, "The compute is in state Succeeded.", TROUBLES)
K604 = Rule("K604", Severity.ERROR, "The cluster can be attached to the workspace.", ATTACH)
K605 = Rule("K605", Severity.ERROR, "The namespace of the compute is in the cluster.", ATTACH)
K606 = Rule("K606", Severity.ERROR, "The workspace's identity has its roles on the cluster.", ATTACH)
K607 = Rule("K607", Severity.WARNING, "The compute knows the instance types of the cluster.", TROUBLES)


def workspace_is_there(facts: Facts) -> Iterator[Finding]:
    """Asked for by name, in the resource group that is given for it."""
    if isinstance(facts.workspace, Unseen):
        place = facts.place
        message = f"The workspace {place.workspace} cannot be read: {facts.workspace.why}"
        kind = "Microsoft.MachineLearningServices/workspaces"
        yield K601.finding(place.workspace, message, fix=f"az resource list --resource-type {kind} -o table")


def is_attached(facts: Facts) -> Iterator[Finding]:
    """By its name where one is given, else by the cluster."""
    if not computes_of(facts):
        place, wanted = facts.place, facts.place.compute
        there = ", ".join(str(one.get("name")) for one in facts.computes if is_kubernetes(one)) or "none"
        what = f"has no compute {wanted} on {place.cluster}" if wanted else f"has no compute on {place.cluster}"
        fix = (
            f"az amlk8s compute attach -g {place.workspace_group} -w {place.workspace} -n {wanted or 'k8s-compute'} "
            f"--resource-id {_ref(facts).id}"
        )
        yield K602.finding(place.workspace, f"{place.workspace} {what}.", required=place.cluster, found=there, fix=fix)


def compute_has_succeeded(facts: Facts) -> Iterator[Finding]:
    """Field guide compute 2.3: provisioningErrors in all their shapes, the deepest first."""
    for one in computes_of(facts):
        name, state = str(one.get("name")), state_of(one)
        if state.lower() == "succeeded":
            continue
        words = f"-g {facts.place.workspace_group} -w {facts.place.workspace} -n {name}"
        if state.lower() in BUSY:
            done = "deleted" if state.lower() == "deleting" else "created"
            message = f"The compute {name} is {state} at this moment."
            fix = f"az amlk8s compute wait {words} --{done}"
            yield K603.finding(name, message, required="Succeeded", found=state, fix=fix)
            continue
        coded = compute_errors(one)
        told = explain_failure(coded)[0]
        said = f": ({coded[0].code}) {coded[0].message}" if coded else "."
        fix = f"az amlk8s compute attach {words} --resource-id {_ref(facts).id} --replace"
        message = f"The compute {name} is {state}{said}"
        yield explained(K603, told, name, message, required="Succeeded", found=state, fix=fix)


def can_be_attached(facts: Facts) -> Iterator[Finding]:
    """Field guide compute 5.2, limits of AKS; 2.5, names."""
    return _rules(facts, LIMITS)


def namespace_is_there(facts: Facts) -> Iterator[Finding]:
    """Field guide compute 5.3: an attachment never looks, and jobs wait without a word."""
    return _rules(facts, NAMESPACES)


def roles_are_there(facts: Facts) -> Iterator[Finding]:
    """Field guide compute 5.1."""
    return _rules(facts, ROLES)


def types_are_known(facts: Facts) -> Iterator[Finding]:
    """Field guide compute 3.5: the service copies them, and may not have done so yet."""
    there = {name_of(one) for one in facts.instance_types or ()}
    for one in computes_of(facts):
        inner = (one.get("properties") or {}).get("properties") or {}
        if missing := sorted(there - set(inner.get("instanceTypes") or {})):
            name = str(one.get("name"))
            message = f"The compute {name} does not know the instance types {', '.join(missing)} of the cluster."
            fix = f"az amlk8s compute show -g {facts.place.workspace_group} -w {facts.place.workspace} -n {name}"
            yield K607.finding(name, message, required=", ".join(missing), fix=fix)


def computes_of(facts: Facts) -> list[Mapping[str, Any]]:
    """The Kubernetes computes of the workspace on this cluster; that of the name which is given."""
    wanted, here = facts.place.compute.lower(), _ref(facts).id.lower()
    return [
        one
        for one in facts.computes
        if is_kubernetes(one)
        and str((one.get("properties") or {}).get("resourceId") or "").lower() == here
        and wanted in ("", str(one.get("name")).lower())
    ]


def _rules(facts: Facts, ids: tuple[str, ...]) -> Iterator[Finding]:
    """The findings of some rules of attachments, for each compute, or for one that is yet to be."""
    ref = _ref(facts)
    by_trust = bool((facts.cluster.get("properties") or {}).get("disableLocalAccounts"))
    principals = identity_principals(facts.workspace)
    needed = [role for one in principals for role in needed_roles(one, ref, trusted_access=by_trust)]
    held = seen(facts.assignments)
    missing = missing_roles(needed, held) if held is not None else ()
    namespaces = seen(facts.namespaces)
    told = AttachFacts(
        workspace=facts.workspace,
        cluster=facts.cluster,
        extensions=seen(facts.extensions) or (),
        computes=facts.computes,
        inside=None if namespaces is None else Inside({name_of(one): _phase(one) for one in namespaces}),
        trusted_access=seen(facts.trusted_access) or (),
        missing_roles=missing,
        look_alikes=look_alikes(missing, (one for many in (held or {}).values() for one in many)),
    )
    for name, namespace in _attachments(facts):
        place = facts.place
        wanted = Wanted(name, place.workspace_group, place.workspace, ref, namespace)
        yield from (one for one in judge_attach(wanted, told) if one.id in ids)


def _phase(namespace: Mapping[str, Any]) -> str:
    return str((namespace.get("status") or {}).get("phase") or "Active")


def _attachments(facts: Facts) -> list[tuple[str, str]]:
    there = [
        (
            str(one.get("name")),
            str(((one.get("properties") or {}).get("properties") or {}).get("namespace") or "default"),
        )
        for one in computes_of(facts)
    ]
    return there or [(facts.place.compute or "k8s-compute", "default")]


def _ref(facts: Facts) -> Any:
    place = facts.place
    return cluster_ref(place.subscription, place.group, place.cluster_type, place.cluster)


NEEDS = ("cluster", "workspace", "computes")
CHECKS = (
    Check(K601, "compute", workspace_is_there, wants=("workspace",)),
    Check(K604, "compute", can_be_attached, NEEDS, ("trusted_access", "extensions"), relays=LIMITS),
    Check(K606, "compute", roles_are_there, (*NEEDS, "assignments"), retry=True, relays=ROLES),
    Check(K602, "compute", is_attached, NEEDS, when=When.INSTALLED),
    Check(K603, "compute", compute_has_succeeded, NEEDS, when=When.INSTALLED, retry=True),
    Check(K605, "compute", namespace_is_there, (*NEEDS, "namespaces"), relays=NAMESPACES),
    Check(K607, "compute", types_are_known, (*NEEDS, "instance_types"), when=When.INSTALLED, retry=True),
)
