"""Rules over an attachment: over its words alone, and over words and facts."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from azext_amlk8s.computes.facts import AttachFacts, Wanted
from azext_amlk8s.computes.ids import GUIDE
from azext_amlk8s.findings import Finding, Severity

# Microsoft.MachineLearningServices 2025-12-01 and later.
NAME = re.compile(r"^[a-zA-Z](?![a-zA-Z0-9-]*-\d+$)[a-zA-Z0-9\-]{2,23}$")
NAMESPACE = re.compile(r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
EXTENSION_TYPE = "microsoft.azureml.kubernetes"
BUSY = ("creating", "updating", "deleting")

Rule = Callable[[Wanted, AttachFacts], Iterator[Finding]]
RULES: list[Rule] = []


def rule(function: Rule) -> Rule:
    """Register a rule over words and facts."""
    RULES.append(function)
    return function


def judge_words(name: str, namespace: str) -> tuple[Finding, ...]:
    """Names alone (field guide compute 2.5)."""
    return (*_name(name), *_namespace(namespace))


def judge_attach(wanted: Wanted, facts: AttachFacts) -> tuple[Finding, ...]:
    """All that the rules say of an attachment, in their order."""
    return tuple(finding for one in RULES for finding in one(wanted, facts))


def _name(name: str) -> Iterator[Finding]:
    if not NAME.match(name):
        message = (
            f"{name} is not a name that Azure takes for a compute: 3 to 24 letters, digits and hyphens, a letter "
            "first, and not ending in a hyphen and digits."
        )
        yield _error("C105", "--name", message, fix="--name k8s-compute", found=name)
    elif len(name) > 16 or name.endswith("-"):
        message = f"{name} is longer than 16 characters or ends in a hyphen; some of Azure's tools refuse that."
        yield _warning("C106", "--name", message)


def _namespace(namespace: str) -> Iterator[Finding]:
    if not NAMESPACE.match(namespace):
        message = (
            f"{namespace} is not a name that Kubernetes takes for a namespace: lower-case letters, digits and hyphens, "
            "at most 63."
        )
        yield _error("C107", "--namespace", message, fix="--namespace default", found=namespace)
    elif namespace == "azureml":
        message = "azureml is the namespace of the extension itself; workloads are better kept apart from it."
        yield _warning("C108", "--namespace", message)


@rule
def same_subscription(wanted: Wanted, facts: AttachFacts) -> Iterator[Finding]:
    """Field guide compute 5.2, and the user issues AML-Kubernetes 155, AKS 4703: such an attachment hangs."""
    if wanted.cluster.subscription.lower() != facts.subscription.lower():
        message = (
            "The cluster lies in another subscription than the workspace; such an attachment hangs and then fails."
        )
        yield _error(
            "C109",
            "--resource-id",
            message,
            required=facts.subscription,
            found=wanted.cluster.subscription,
            fix=f"az account set --subscription {wanted.cluster.subscription}   # and a workspace there",
        )


@rule
def names_that_workloads_choke_on(wanted: Wanted, facts: AttachFacts) -> Iterator[Finding]:
    """Field guide compute 2.5: names that end in a hyphen cause internal server errors."""
    for what, name in (("workspace", wanted.workspace), ("resource group", wanted.group)):
        if name.endswith("-"):
            message = f"The name of the {what}, {name}, ends in a hyphen; workloads on the compute would fail."
            yield _error("C110", what, message, fix=f"Use a {what} whose name does not end in a hyphen.")


@rule
def the_cluster_answers(wanted: Wanted, facts: AttachFacts) -> Iterator[Finding]:
    """Field guide compute 6.1: a stopped AKS cluster and a disconnected Arc cluster cannot be attached."""
    properties = facts.cluster.get("properties") or {}
    where = _where(wanted)
    power = (properties.get("powerState") or {}).get("code")
    if power and power.lower() == "stopped":
        message = f"The cluster {wanted.cluster.name} is stopped."
        yield _error("C111", "cluster", message, required="Running", found=power, fix=f"az aks start {where}")
    connectivity = properties.get("connectivityStatus")
    if connectivity and connectivity.lower() != "connected":
        message = f"The cluster {wanted.cluster.name} is not connected to Azure: {connectivity}."
        fix = f"az connectedk8s show {where}   # then look at the pods of namespace azure-arc"
        yield _error("C115", "cluster", message, required="Connected", found=connectivity, fix=fix)


@rule
def limits_of_aks(wanted: Wanted, facts: AttachFacts) -> Iterator[Finding]:
    """Field guide compute 5.2: service principals, disabled local accounts, authorized IP ranges."""
    properties = facts.cluster.get("properties") or {}
    where = _where(wanted)
    client = (properties.get("servicePrincipalProfile") or {}).get("clientId")
    identity = str((facts.cluster.get("identity") or {}).get("type") or "")
    if client and client.lower() != "msi" and not identity:
        message = "The cluster uses a service principal; a managed identity is needed."
        yield _error("C112", "cluster", message, fix=f"az aks update {where} --enable-managed-identity")
    if properties.get("disableLocalAccounts") and not _trusted(facts):
        message = "The cluster's local accounts are disabled and no Trusted Access lets the workspace in."
        role = "Microsoft.MachineLearningServices/workspaces/mlworkload"
        fix = (
            f"az aks trustedaccess rolebinding create -g {wanted.cluster.group} --cluster-name {wanted.cluster.name} "
            f"-n {wanted.workspace[:24]} --source-resource-id {facts.workspace.get('id')} --roles {role}"
        )
        yield _error("C113", "cluster", message, fix=fix)
    if (properties.get("apiServerAccessProfile") or {}).get("authorizedIPRanges"):
        message = "The cluster takes connections from some addresses only; the service's must be among them."
        yield _warning("C114", "cluster", message, fix=f"az aks update {where} --api-server-authorized-ip-ranges …")


@rule
def the_extension_is_there(wanted: Wanted, facts: AttachFacts) -> Iterator[Finding]:
    """Seed page, prerequisites of the attachment: the extension, in Succeeded, with the workload that is meant."""
    words = f"{_where(wanted, '-c')} -t {wanted.cluster.kind}"
    ours = [one for one in facts.extensions if _type(one) == EXTENSION_TYPE]
    if not ours:
        message = f"{wanted.cluster.name} does not have the extension, which comes before the attachment."
        fix = f"az amlk8s extension create {words} -n azureml-extension --config enableTraining=True"
        yield _error("C116", "extension", message, fix=fix)
        return
    name, properties = ours[0].get("name"), ours[0].get("properties") or {}
    state = str(properties.get("provisioningState"))
    if state.lower() in BUSY:
        message = f"The extension {name} on {wanted.cluster.name} is {state}; it must be Succeeded."
        fix = f"az amlk8s extension wait {words} -n {name} --created"
        yield _error("C117", "extension", message, required="Succeeded", found=state, fix=fix)
    elif state.lower() != "succeeded":
        message = f"The extension {name} on {wanted.cluster.name} is {state}; it must be Succeeded."
        fix = f"az amlk8s extension show {words} -n {name}"
        yield _error("C117", "extension", message, required="Succeeded", found=state, fix=fix)
    else:
        yield from _workload(wanted, properties, f"{words} -n {name}")


def _workload(wanted: Wanted, properties: Mapping[str, Any], words: str) -> Iterator[Finding]:
    settings = {
        key.lower(): str(value).lower() for key, value in (properties.get("configurationSettings") or {}).items()
    }
    meant = {"": (), "training": ("Training",), "inference": ("Inference",), "both": ("Training", "Inference")}
    for word in meant[wanted.workload]:
        if settings.get(f"enable{word}".lower()) != "true":
            message = f"The extension does not have {word.lower()} enabled, which this compute is meant for."
            fix = f"az amlk8s extension update {words} --config enable{word}=True"
            yield _error("C118", "extension", message, required=f"enable{word}=True", fix=fix)


@rule
def the_same_place_twice(wanted: Wanted, facts: AttachFacts) -> Iterator[Finding]:
    """Field guide compute section 7, issue 20: the same cluster and namespace under another name."""
    for one in facts.computes:
        outer = one.get("properties") or {}
        namespace = (outer.get("properties") or {}).get("namespace") or "default"
        same = str(outer.get("resourceId") or "").lower() == wanted.cluster.id.lower() and namespace == wanted.namespace
        if same and str(one.get("name")).lower() != wanted.name.lower():
            message = (
                f"The compute {one.get('name')} here has the same cluster and namespace already; both would "
                "share what runs there."
            )
            yield _warning("C119", "--namespace", message, fix="--namespace ANOTHER --create-namespace")


@rule
def the_namespace_is_there(wanted: Wanted, facts: AttachFacts) -> Iterator[Finding]:
    """Field guide compute 5.3: attaching neither makes nor checks it, and jobs would wait for ever."""
    if facts.namespaces is not None and wanted.namespace not in facts.namespaces:
        message = f"The cluster has no namespace {wanted.namespace}; jobs would wait without a word."
        yield _error(
            "C120", "--namespace", message, fix="--create-namespace", found=", ".join(sorted(facts.namespaces))
        )


@rule
def roles_of_the_workspace(wanted: Wanted, facts: AttachFacts) -> Iterator[Finding]:
    """Field guide compute 5.1: what a user-assigned identity of the workspace must be granted."""
    for one in facts.missing_roles:
        message = f"The workspace's identity lacks the role {one.role} on {one.scope.rsplit('/', 1)[-1]}. {one.symptom}"
        yield _error("C121", "role", message, required=one.role, fix=one.command)
    for name in facts.look_alikes if facts.missing_roles else ():
        message = f"{name} is granted, which is another role than the one that is needed, for all its name."
        yield _warning("C122", "role", message)


@rule
def an_identity_for_data(wanted: Wanted, facts: AttachFacts) -> Iterator[Finding]:
    """Field guide compute section 7, issue 8: without an identity, jobs reach data by keys only."""
    if wanted.identity is None and facts.compute(wanted.name) is None:
        message = "The compute gets no managed identity; its jobs can reach data by account keys only."
        yield _warning("C123", "--identity-type", message, fix="--identity-type SystemAssigned")


def _trusted(facts: AttachFacts) -> bool:
    workspace = str(facts.workspace.get("id")).lower()
    return any(
        str((one.get("properties") or {}).get("sourceResourceId")).lower() == workspace for one in facts.trusted_access
    )


def _type(extension: Mapping[str, Any]) -> str:
    return str((extension.get("properties") or {}).get("extensionType")).lower()


def _where(wanted: Wanted, option: str = "-n") -> str:
    return f"-g {shlex.quote(wanted.cluster.group)} {option} {shlex.quote(wanted.cluster.name)}"


def _error(rule_id: str, subject: str, message: str, *, required: str = "", found: str = "", fix: str = "") -> Finding:
    return Finding(rule_id, Severity.ERROR, subject, message, required, found, fix, GUIDE)


def _warning(rule_id: str, subject: str, message: str, *, fix: str = "") -> Finding:
    return Finding(rule_id, Severity.WARNING, subject, message, fix=fix, source=GUIDE)
