"""Rules over what Terraform's providers and Azure Verified Modules do differently from what their users expect."""

from __future__ import annotations

from azext_amlk8s.knowledge import load
from azext_amlk8s.lint.languages import EVERYWHERE, OF_AZURERM, VERIFIED_MODULES
from azext_amlk8s.lint.model import COMPUTES, CONNECTED, RELAY_NAMESPACES, ExtensionUse, Resource, cluster_kind
from azext_amlk8s.lint.sources import AVM, AZURERM, EXTENSION_SPEC
from azext_amlk8s.lint.values import Value
from azext_amlk8s.rules import Finding, Problem, Problems, Severity, rule

ERROR, WARNING = Severity.ERROR, Severity.WARNING
LEGACY = "azurerm_machine_learning_inference_cluster"
SHORTEST_HYBRID_CONNECTION = 6


@rule(
    "L150",
    WARNING,
    title="Version in Terraform",
    requires="In Terraform, version and release_train of the extension are not changed later.",
    source=AZURERM,
    why="azurerm deletes the extension and creates it again when they change, and with it what runs on it.",
    languages=(OF_AZURERM,),
)
def version_replaces(use: ExtensionUse) -> Problems:
    """A version whose change replaces the extension."""
    resource = use.resource
    if use.dialect != "azurerm" or resource is None or use.version is None:
        return
    if {"version", "all"} & set(resource.ignored) or use.version.data == "":
        return
    message = "version: azurerm deletes the extension and creates it again when it changes."
    fix = "Leave out version to have Azure upgrade it, or add version to ignore_changes."
    yield Problem("properties.version", message, found=use.version.text, fix=fix)


@rule(
    "L151",
    ERROR,
    title="Version and release train in Terraform",
    requires="version and release_train are not given together.",
    source=AZURERM,
    why="azurerm rejects the plan.",
    languages=(OF_AZURERM,),
)
def version_with_train(use: ExtensionUse) -> Problems:
    """Both arguments, which conflict in azurerm."""
    if use.dialect == "azurerm" and _is_given(use.version) and _is_given(use.release_train):
        message = "release_train: cannot be combined with version."
        yield Problem("properties.releaseTrain", message, fix="Leave out release_train or version.")


def _is_given(value: Value | None) -> bool:
    return value is not None and value.known and bool(value.data)


@rule(
    "L152",
    ERROR,
    title="Empty settings in Terraform",
    requires="In Terraform, a setting of the extension has a value.",
    source=AZURERM,
    why="azurerm rejects empty values.",
    languages=(OF_AZURERM,),
)
def empty_values(use: ExtensionUse) -> Problems:
    """An empty text as the value of a setting."""
    if use.dialect != "azurerm":
        return
    for section in (use.config, use.protected):
        for key, value in section.items() if section is not None else ():
            if value.known and value.data == "" and not value.inputs:
                yield Problem(key, f"{key}: empty value, which azurerm rejects.", fix=f"Leave out {key}.")


@rule(
    "L153",
    ERROR,
    title="Extension resource for the type of the cluster",
    requires="The resource of azurerm, or clusterType of the verified module, is that for the type of the cluster.",
    source=AZURERM,
    why="azurerm rejects the ID of another type of cluster, and the module does not find the cluster.",
    languages=(OF_AZURERM, VERIFIED_MODULES),
)
def resource_of_cluster(use: ExtensionUse) -> Problems:
    """The resource or the module for AKS with an Arc-connected cluster, or the reverse."""
    resource = use.resource
    if resource is not None and resource.form == "module":
        yield from _cluster_of_module(resource)
        return
    if use.dialect != "azurerm" or resource is None:
        return
    kinds: dict[str, str] = load("lint")["azurerm"]
    given, expected = cluster_kind(resource.scope), kinds.get(resource.label, "")
    if given and expected and given != expected:
        other = next((name for name, kind in kinds.items() if kind == given), "")
        message = f"{resource.label}: its cluster_id is of the type {given}; expected {other}."
        yield Problem("azurerm.cluster_id", message, expected=other, found=resource.label, fix=f"Use {other}.")


def _cluster_of_module(resource: Resource) -> Problems:
    given, expected = cluster_kind(resource.get("clusterName")), cluster_kind(resource.scope)
    if given and expected and given != expected:
        wanted, found = ("connectedCluster", "managedCluster")[:: 1 if given == CONNECTED else -1]
        message = f"clusterType: {found}, but clusterName is that of one of the type {given}; expected {wanted}."
        fix = f"Set clusterType to '{wanted}'."
        yield Problem("clusterType", message, expected=wanted, found=found, fix=fix)


@rule(
    "L154",
    ERROR,
    title="Identity of a compute in verified modules",
    requires="A compute with an identity is declared as a resource, not with the verified module.",
    source=AVM,
    why="The module leaves out identity, tags and properties where resourceId is given, as it is for every cluster.",
    languages=(VERIFIED_MODULES,),
)
def compute_module(resource: Resource) -> Problems:
    """The verified module with resourceId and what it then leaves out."""
    if resource.form != "module" or resource.get("properties", "resourceId") is None:
        return
    lost = [
        name
        for name, path in (
            ("managedIdentities", ("managedIdentities",)),
            ("properties", ("properties", "properties")),
            ("tags", ("tags",)),
        )
        if (value := resource.get(*path)) is not None and (not value.known or value.data)
    ]
    if lost:
        message = f"{' and '.join(lost)}: left out by the module, because resourceId is given."
        fix = "Declare a resource Microsoft.MachineLearningServices/workspaces/computes instead of the module."
        yield Problem(lost[0], message, fix=fix, related=tuple(lost[1:]))


@rule(
    "L155",
    ERROR,
    title="Hybrid connections in verified modules",
    requires="A hybrid connection of the verified module has a name of 6 characters or more.",
    source=AVM,
    why="The module rejects a shorter name; that of the extension's relay is often the short name of a cluster.",
    languages=(VERIFIED_MODULES,),
)
def relay_module(resource: Resource) -> Problems:
    """The verified module with a shorter name."""
    connections = resource.get("hybridConnections")
    if resource.form != "module" or resource.type != RELAY_NAMESPACES or connections is None:
        return
    for item in connections.elements():
        name = item.get("name")
        if name is not None and name.text and len(name.text) < SHORTEST_HYBRID_CONNECTION:
            message = f"hybrid connection '{name.text}': {len(name.text)} characters; the module requires 6."
            fix = "Declare a resource Microsoft.Relay/namespaces/hybridConnections instead of the module."
            yield Problem("hybridConnections", message, found=name.text, fix=fix)


@rule(
    "L156",
    WARNING,
    title="Retired kind of attachment",
    requires="A cluster is attached as a compute of the type Kubernetes.",
    source=EXTENSION_SPEC,
    why="AksCompute, the kind before it, is retired; the extension does not serve it.",
    languages=EVERYWHERE,
)
def legacy_attachment(form: str, replacement: str) -> Problems:
    """A compute of the type AKS; form is what declares it, replacement what attaches the cluster today."""
    yield Problem(form, f"{form}: attaches the cluster as AksCompute, which is retired.", fix=f"Use {replacement}.")


def legacy_resource(resource: Resource) -> tuple[Finding, ...]:
    """The finding on azurerm_machine_learning_inference_cluster, or on a compute of the type AKS."""
    if resource.type == LEGACY:
        return legacy_attachment(
            LEGACY, "azapi_resource with the type Microsoft.MachineLearningServices/workspaces/computes"
        )
    kind = resource.get("properties", "computeType")
    if resource.type == COMPUTES and kind is not None and kind.text.lower() == "aks":
        return legacy_attachment("properties.computeType", "computeType Kubernetes, and install the extension")
    return ()
