"""Rules over an attachment, with what Azure and the cluster say of the place."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from azext_amlk8s import knowledge
from azext_amlk8s.computes.facts import AttachFacts, Wanted, inner, kind_of, outer
from azext_amlk8s.computes.ids import ERROR, GUIDE, WARNING
from azext_amlk8s.computes.names import TROUBLES
from azext_amlk8s.rules import Finding
from azext_amlk8s.rules.legacy import LegacyRule as Rule

EXTENSION = "https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension"
EXTENSION_TROUBLES = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-extension"
VERSIONS = "https://learn.microsoft.com/azure/aks/supported-kubernetes-versions"
ISSUES = "https://github.com/Azure/AML-Kubernetes/issues"
EXTENSION_TYPE = "microsoft.azureml.kubernetes"
BUSY = ("creating", "updating", "deleting")
MEANT = {"": (), "training": ("Training",), "inference": ("Inference",), "both": ("Training", "Inference")}

C111 = Rule("C111", ERROR, "An AKS cluster that is attached runs.", TROUBLES)
C112 = Rule("C112", ERROR, "An AKS cluster that is attached has a managed identity.", GUIDE)
C113 = Rule("C113", ERROR, "An AKS cluster without local accounts lets the workspace in by Trusted Access.", GUIDE)
C114 = Rule("C114", WARNING, "An AKS cluster lets the addresses of Azure Machine Learning in.", GUIDE)
C115 = Rule("C115", ERROR, "An Arc-connected cluster that is attached is connected.", GUIDE)
C116 = Rule("C116", ERROR, "The cluster has the extension.", GUIDE)
C117 = Rule("C117", ERROR, "The extension is in state Succeeded.", GUIDE)
C118 = Rule("C118", ERROR, "The extension has the workload enabled that the compute is meant for.", EXTENSION)
C119 = Rule("C119", WARNING, "A cluster and namespace are attached to a workspace once.", f"{ISSUES}/197")
C120 = Rule("C120", ERROR, "The namespace is in the cluster.", f"{ISSUES}/26")
C121 = Rule("C121", ERROR, "The workspace's user-assigned identity has the roles that it needs on the cluster.", GUIDE)
C122 = Rule("C122", WARNING, "A role is not taken for another of almost the same name.", GUIDE)
C123 = Rule("C123", WARNING, "A compute has an identity.", f"{ISSUES}/118")
C124 = Rule("C124", WARNING, "The cluster can be looked into before it is attached.", f"{ISSUES}/26")
C125 = Rule("C125", ERROR, "A namespace is made in a cluster that can be reached.", f"{ISSUES}/26")
C126 = Rule("C126", ERROR, "The namespace is not being removed.", f"{ISSUES}/26")
C127 = Rule("C127", WARNING, "No pod identity interferes with the extension.", EXTENSION_TROUBLES)
C128 = Rule("C128", WARNING, "A retired attachment of the same cluster is detached first.", GUIDE)
C129 = Rule("C129", WARNING, "The cluster's version of Kubernetes is among the three newest of AKS.", VERSIONS)
C130 = Rule("C130", ERROR, "The cluster has the kind InstanceType, which the extension brings.", EXTENSION_TROUBLES)
C134 = Rule("C134", WARNING, "The extension's health report has no failed check.", EXTENSION_TROUBLES)
C135 = Rule("C135", WARNING, "The cluster is in state Succeeded.", TROUBLES)
C136 = Rule("C136", ERROR, "The identity of the compute is there.", GUIDE)
C137 = Rule("C137", WARNING, "The roles of the workspace's user-assigned identity can be read.", GUIDE)

Judge = Callable[[Wanted, AttachFacts], Iterator[Finding]]
JUDGES: list[Judge] = []


def judges(function: Judge) -> Judge:
    """Have `judge_attach` ask this rule."""
    JUDGES.append(function)
    return function


def judge_attach(wanted: Wanted, facts: AttachFacts, *, create_namespace: bool = False) -> tuple[Finding, ...]:
    """All that the rules say of an attachment, in their order; with create_namespace its namespace shall be made."""
    found = [finding for one in JUDGES for finding in one(wanted, facts)]
    if create_namespace and facts.inside is None:
        message = (
            f"The namespace {wanted.namespace} cannot be made, for the cluster cannot be looked into. {facts.unseen}"
        )
        found.append(
            C125.finding("--create-namespace", message.strip(), fix=f"kubectl create namespace {wanted.namespace}")
        )
    return tuple(found)


def mended_by(*, create_namespace: bool, assign_roles: bool) -> frozenset[str]:
    """The ids of the rules whose errors the command mends itself when it is told to."""
    return frozenset([*([C120.id] if create_namespace else []), *([C121.id] if assign_roles else [])])


@judges
def the_cluster_answers(wanted: Wanted, facts: AttachFacts) -> Iterator[Finding]:
    """Field guide compute 6.1: a stopped AKS cluster and a disconnected Arc cluster cannot be attached."""
    properties, name = outer(facts.cluster), wanted.cluster.name
    power = str((properties.get("powerState") or {}).get("code") or "")
    connectivity = str(properties.get("connectivityStatus") or "")
    state = str(properties.get("provisioningState") or "Succeeded")
    if power.lower() == "stopped":
        fix = f"az aks start {_where(wanted)}"
        yield C111.finding("cluster", f"The cluster {name} is stopped.", required="Running", found=power, fix=fix)
    elif connectivity.lower() not in ("", "connected"):
        message = f"The cluster {name} is not connected to Azure: {connectivity}."
        fix = f"az connectedk8s show {_where(wanted)}   # then look at the pods of namespace azure-arc"
        yield C115.finding("cluster", message, required="Connected", found=connectivity, fix=fix)
    elif state.lower() != "succeeded":
        verb = "az aks" if wanted.cluster.is_aks else "az connectedk8s"
        fix = f"{verb} show {_where(wanted)} --query provisioningState"
        yield C135.finding("cluster", f"The cluster {name} is {state}.", required="Succeeded", found=state, fix=fix)


@judges
def a_version_that_aks_supports(wanted: Wanted, facts: AttachFacts) -> Iterator[Finding]:
    """Field guide compute 5.2, and section 7, issue 15: within N-2 of what AKS offers."""
    found = str(outer(facts.cluster).get("kubernetesVersion") or "")
    if facts.supported:
        offered = ", ".join(facts.supported)
        message = f"The cluster runs Kubernetes {found}, which is none of the versions that are supported: {offered}."
        fix = "Upgrade the cluster."
        if wanted.cluster.is_aks:
            fix = f"az aks upgrade {_where(wanted)} --kubernetes-version {facts.supported[-1]}"
        yield C129.finding("cluster", message, required=offered, found=found, fix=fix)


@judges
def limits_of_aks(wanted: Wanted, facts: AttachFacts) -> Iterator[Finding]:
    """Field guide compute 5.2: service principals, disabled local accounts, authorised IP ranges."""
    properties, where = outer(facts.cluster), _where(wanted)
    client = str((properties.get("servicePrincipalProfile") or {}).get("clientId") or "msi")
    if client.lower() != "msi" and not (facts.cluster.get("identity") or {}).get("type"):
        message = "The cluster uses a service principal; a managed identity is needed."
        fix = f"az aks update {where} --enable-managed-identity"
        yield C112.finding("cluster", message, required="a managed identity", found="a service principal", fix=fix)
    if properties.get("disableLocalAccounts") and not trusted(facts.workspace, facts.trusted_access):
        message = "The cluster's local accounts are disabled and no Trusted Access lets the workspace in."
        words = ["-g", wanted.cluster.group, "--cluster-name", wanted.cluster.name, "-n", _binding(wanted.workspace)]
        words += ["--source-resource-id", str(facts.workspace.get("id")), "--roles", trusted_role()]
        fix = f"az aks trustedaccess rolebinding create {' '.join(map(shlex.quote, words))}"
        yield C113.finding("cluster", message, required=trusted_role(), fix=fix)
    if (properties.get("apiServerAccessProfile") or {}).get("authorizedIPRanges"):
        message = "The cluster takes connections from some addresses only; the service's must be among them."
        query = "\"values[?name=='AzureMachineLearning'].properties.addressPrefixes[]\""
        location = str(facts.cluster.get("location") or "eastus")
        fix = (
            f"az network list-service-tags -l {location} --query {query} -o tsv\n"
            f"az aks update {where} --api-server-authorized-ip-ranges RANGES"
        )
        yield C114.finding("cluster", message, fix=fix)


@judges
def the_extension_is_there(wanted: Wanted, facts: AttachFacts) -> Iterator[Finding]:
    """Seed page, prerequisites of the attachment: the extension, in Succeeded, with the workload that is meant."""
    words, on = f"{_where(wanted, '-c')} -t {wanted.cluster.kind}", wanted.cluster.name
    ours = next((one for one in facts.extensions if is_ours(one)), None)
    if ours is None:
        message = f"{on} does not have the extension, which comes before the attachment."
        fix = f"az amlk8s extension create {words} -n azureml-extension --config enableTraining=True"
        yield C116.finding("extension", message, fix=fix)
        return
    words += f" -n {shlex.quote(str(ours.get('name')))}"
    state = str(outer(ours).get("provisioningState"))
    if state.lower() != "succeeded":
        message = f"The extension {ours.get('name')} on {on} is {state}; it must be Succeeded."
        going_on = "wait" if state.lower() in BUSY else "show"
        fix = f"az amlk8s extension {going_on} {words}{' --created' if going_on == 'wait' else ''}"
        yield C117.finding("extension", message, required="Succeeded", found=state, fix=fix)
        return
    yield from _workload(wanted, outer(ours), words)
    yield from _inside(wanted, facts)


def _workload(wanted: Wanted, properties: Mapping[str, Any], words: str) -> Iterator[Finding]:
    told = properties.get("configurationSettings") or {}
    settings = {key.lower(): str(value).lower() for key, value in told.items()}
    for word in MEANT[wanted.workload]:
        if settings.get(f"enable{word}".lower()) != "true":
            message = f"The extension does not have {word.lower()} enabled, which this compute is meant for."
            fix = f"az amlk8s extension update {words} --config enable{word}=True"
            yield C118.finding("extension", message, required=f"enable{word}=True", fix=fix)


def _inside(wanted: Wanted, facts: AttachFacts) -> Iterator[Finding]:
    """Field guide compute section 7, issues 2 and 4: what makes an attachment hang, or endpoints fail later."""
    if facts.inside is None:
        return
    look = "kubectl get configmap arcml-healthcheck -n azureml -o yaml"
    if not facts.inside.instance_types:
        message = (
            f"{wanted.cluster.name} does not know the kind InstanceType, which the extension brings; the attachment "
            "would hang and then fail. It comes some minutes after the extension."
        )
        fix = f"kubectl wait --for condition=established crd/instancetypes.amlarc.azureml.com --timeout 10m\n{look}"
        yield C130.finding("extension", message, fix=fix)
    for line in facts.inside.failed_checks:
        yield C134.finding("extension", f"The extension's health report has a failed check: {line}", fix=look)
    if facts.inside.pod_identity or (outer(facts.cluster).get("podIdentityProfile") or {}).get("enabled"):
        message = (
            "The cluster has aad-pod-identity, which can take the extension's identity away; endpoints then fail with "
            "RefreshExtensionIdentityNotSet, until the extension is installed again."
        )
        fix = "kubectl get azureidentity,azureassignedidentity -A   # move to workload identity"
        yield C127.finding("cluster", message, fix=fix)


@judges
def the_same_place_twice(wanted: Wanted, facts: AttachFacts) -> Iterator[Finding]:
    """Field guide compute section 7, issue 20: the same cluster and namespace under another name."""
    for one in facts.computes:
        name, here = str(one.get("name")), str(outer(one).get("resourceId") or "").lower() == wanted.cluster.id.lower()
        if not here or name.lower() == wanted.name.lower():
            continue
        if kind_of(one).lower() == "aks":
            message = (
                f"{wanted.cluster.name} is attached as {name} by the retired kind AksCompute; its router is in the way."
            )
            words = ["-g", wanted.group, "-w", wanted.workspace, "-n", name]
            fix = f"az amlk8s compute detach {' '.join(map(shlex.quote, words))}"
            yield C128.finding("compute", message, found=name, fix=fix)
        elif (inner(one).get("namespace") or "default") == wanted.namespace:
            message = f"The compute {name} here has the same cluster and namespace already; both share what runs there."
            yield C119.finding("--namespace", message, found=name, fix="--namespace ANOTHER --create-namespace")


@judges
def the_namespace_is_there(wanted: Wanted, facts: AttachFacts) -> Iterator[Finding]:
    """Field guide compute 5.3: attaching neither makes nor checks it, and jobs would wait for ever."""
    if facts.inside is None:
        message = (
            f"It could not be seen whether the namespace {wanted.namespace} is in the cluster; without it, jobs wait "
            f"without a word. {facts.unseen}"
        )
        yield C124.finding("--namespace", message.strip(), fix=f"kubectl get namespace {wanted.namespace}")
    elif wanted.namespace not in facts.inside.namespaces:
        message = f"The cluster has no namespace {wanted.namespace}; jobs would wait without a word."
        found = ", ".join(sorted(facts.inside.namespaces))
        yield C120.finding("--namespace", message, required=wanted.namespace, found=found, fix="--create-namespace")
    elif facts.inside.namespaces[wanted.namespace].lower() == "terminating":
        message = f"The namespace {wanted.namespace} is being removed."
        fix = f"kubectl wait --for delete namespace/{wanted.namespace}   # then --create-namespace"
        yield C126.finding("--namespace", message, required="Active", found="Terminating", fix=fix)


@judges
def roles_of_the_workspace(wanted: Wanted, facts: AttachFacts) -> Iterator[Finding]:
    """Field guide compute 5.1: what a user-assigned identity of the workspace must be granted."""
    for left, one in enumerate(facts.missing_roles, 1 - len(facts.missing_roles)):
        message = f"The workspace's identity lacks the role {one.role} on {one.scope.rsplit('/', 1)[-1]}. {one.symptom}"
        fix = one.command if left else f"{one.command}\n--assign-roles   # to have all of them granted"
        yield C121.finding("role", message, required=one.role, fix=fix)
    if facts.roles_unseen:
        message = "It could not be seen which roles the workspace's user-assigned identity has on the cluster."
        fix = f"az role assignment list --scope {wanted.cluster.id} --include-inherited -o table"
        yield C137.finding("role", message, fix=fix)
    for name in facts.look_alikes:
        message = f"{name} is granted, which is another role than the one that is needed, for all its name."
        yield C122.finding("role", message, found=name)


@judges
def an_identity_for_data(wanted: Wanted, facts: AttachFacts) -> Iterator[Finding]:
    """Field guide compute section 7, issue 8: without an identity, jobs reach data by keys only."""
    if facts.identity_absent:
        message = f"The identity {facts.identity_absent.rsplit('/', 1)[-1]} is not there."
        fix = "az identity list --query [].id -o tsv"
        yield C136.finding("--user-assigned-identities", message, required=facts.identity_absent, fix=fix)
    if wanted.identity is None:
        message = "The compute gets no managed identity; its jobs can reach data by account keys only."
        yield C123.finding("--identity-type", message, fix="--identity-type SystemAssigned")


def is_ours(extension: Mapping[str, Any]) -> bool:
    """Whether it is the extension of Azure Machine Learning."""
    return str(outer(extension).get("extensionType")).lower() == EXTENSION_TYPE


def extension_name(extensions: Sequence[Mapping[str, Any]]) -> str:
    """The name of the extension of Azure Machine Learning among others, or nothing."""
    return next((str(one.get("name")) for one in extensions if is_ours(one)), "")


def trusted_role() -> str:
    """The role of a Trusted Access binding that lets a workspace in."""
    return str(knowledge.load("roles")["trustedAccess"]["role"])


def trusted(workspace: Mapping[str, Any], bindings: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of the bindings of an AKS cluster lets the workspace in, in the role that it needs."""
    source = str(workspace.get("id")).lower()
    return any(
        str(outer(one).get("sourceResourceId")).lower() == source
        and trusted_role().lower() in (str(role).lower() for role in outer(one).get("roles") or ())
        for one in bindings
    )


def supported_versions(found: str, offered: Mapping[str, Any]) -> tuple[str, ...]:
    """The three newest minor versions that AKS offers, newest first, where the one found is older; else nothing.

    offered is AKS's own answer; previews do not count. A version newer than all of them is left to AKS.
    """
    minors = sorted(
        {
            minor
            for one in offered.get("values") or ()
            if not one.get("isPreview") and (minor := _minor(str(one.get("version"))))
        },
        reverse=True,
    )[:3]
    mine = _minor(found)
    return tuple(f"{major}.{minor}" for major, minor in minors) if minors and mine and mine < minors[-1] else ()


def _minor(version: str) -> tuple[int, int] | None:
    words = version.lstrip("v").split(".")
    return (int(words[0]), int(words[1])) if len(words) > 1 and words[0].isdigit() and words[1].isdigit() else None


def _binding(workspace: str) -> str:
    """A name for a binding, of the 24 characters at most that AKS takes."""
    return "".join(one for one in workspace.lower() if one.isalnum() or one == "-")[:24].strip("-")


def _where(wanted: Wanted, option: str = "-n") -> str:
    return f"-g {shlex.quote(wanted.cluster.group)} {option} {shlex.quote(wanted.cluster.name)}"
