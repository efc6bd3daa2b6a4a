"""The Terraform module that sets up one cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from azext_amlk8s.computes.roles import RoleNeeded
from azext_amlk8s.refs import EXTENSION_TYPE
from azext_amlk8s.rendering.cluster_fields import Shape, computed_settings, protected_keys
from azext_amlk8s.rendering.cluster_module import (
    COMPUTE_TYPE,
    EXTENSIONS,
    FIXED_COMMENTS,
    IDENTITY_COMMENT,
    role_comment,
)
from azext_amlk8s.rendering.declarations import api_version, describe_parameter
from azext_amlk8s.rendering.hcl import Attribute, Block, Raw, hcl_text, merge_call
from azext_amlk8s.rendering.inputs import ClusterInput, SecretReference
from azext_amlk8s.rendering.terraform_backing import BackingBlocks, backing_blocks
from azext_amlk8s.settings.plan import RELEASE_NAMESPACE

# What the IDs of cluster and workspace say takes the place of these parameters of the templates.
IN_IDS = ("clusterName", "subscriptionId", "resourceGroup", "workspaceSubscriptionId", "workspaceResourceGroup",
          "workspaceName")  # fmt: skip
TYPES = {
    "settings": Raw("map(string)"),
    "compute_tags": Raw("map(string)"),
    "compute_identity": Raw("object({ type = string, identity_ids = optional(list(string)) })"),
    "workspace_principal_ids": Raw("list(string)"),
    "auto_upgrade_minor_version": Raw("bool"),
}
DESCRIPTIONS = {
    "cluster_id": "Resource ID of the cluster.",
    "workspace_id": "Resource ID of the Azure Machine Learning workspace.",
}
REPLACES = "A change of these would delete the extension and what runs on it. Use az amlk8s extension update instead."
ATTACHED = "Azure rejects a second PUT of an attached compute. To attach it again, which ends its jobs, use -replace."
DEFINITIONS = "/providers/Microsoft.Authorization/roleDefinitions"
PROVIDERS = {"azurerm": ("hashicorp/azurerm", "~> 4.0"), "azapi": ("Azure/azapi", "~> 2.0")}


def snake_case(name: str) -> str:
    """The name of a variable for a parameter of a template."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def subscription_of(resource_id: str) -> str:
    """The expression for the ID of the subscription, with /subscriptions/, of a resource ID."""
    return f'join("/", slice(split("/", {resource_id}), 0, 3))'


def group_of(resource_id: str) -> str:
    """The expression for the ID of the resource group of a resource ID."""
    return f'join("/", slice(split("/", {resource_id}), 0, 5))'


def variables_of(fields: dict[str, Any], cluster_input: ClusterInput) -> dict[str, Any]:
    """The values of the variables of the module for a cluster with these fields."""
    values: dict[str, Any] = {"cluster_id": cluster_input.facts.resource_id}
    for name, value in fields.items():
        if name == "computeIdentity":
            ids = list(value.get("userAssignedIdentities") or ())
            value = {"type": value["type"], **({"identity_ids": ids} if ids else {})}
        # azurerm upgrades automatically where there is no version.
        if name not in IN_IDS and not (name == "autoUpgradeMinorVersion" and value):
            values[snake_case(name)] = value
        if name == "computeName" and cluster_input.compute:
            values["workspace_id"] = cluster_input.compute.workspace.id
    return values


def module_files(shape: Shape, variables: dict[str, Any], note: str) -> dict[str, str]:
    """The files of the module for the clusters of a shape; variables are the values for one of them."""
    folder = f"modules/{shape.name}-cluster"
    backing = [backing_blocks(need) for need in shape.first.backing]
    blocks = [_locals(shape, variables, backing), *(block for need in backing for block in need.blocks)]
    if shape.first.extension is not None:
        blocks.append(_extension(shape, variables, backing))
    blocks += _role_assignments(shape)
    if "compute_name" in variables:
        blocks.append(_compute(shape, variables))
    declared = [variable_block(name) for name in variables]
    declared += [secret_variable(secret, snake_case(secret.parameter)) for secret in shape.secrets]
    return {
        f"{folder}/main.tf": hcl_text(blocks, [note]),
        f"{folder}/variables.tf": hcl_text(declared, [note]),
        f"{folder}/outputs.tf": hcl_text(_outputs(shape, variables), [note]),
        f"{folder}/versions.tf": hcl_text([versions_block(_providers(shape, variables))], [note]),
    }


def variable_block(name: str, **more: Any) -> Block:
    """The declaration of a variable."""
    camel = re.sub(r"_([a-z])", lambda match: match[1].upper(), name)
    description = DESCRIPTIONS.get(name) or describe_parameter(camel)
    attributes = (Attribute("description", description), Attribute("type", more.pop("type", type_of(name))))
    return Block("variable", (more.pop("own_name", name),), (*attributes, *(Attribute(*item) for item in more.items())))


def type_of(name: str) -> Raw:
    """The type of a variable of the module."""
    return TYPES.get(name, Raw("string"))


def secret_variable(secret: SecretReference, name: str) -> Block:
    """The declaration of the sensitive variable for a secret."""
    attributes = (
        Attribute("description", secret.description),
        Attribute("type", Raw("string")),
        Attribute("sensitive", True),
    )
    return Block("variable", (name,), attributes)


def versions_block(providers: list[str]) -> Block:
    """The versions of Terraform and of the providers."""
    required = [
        Attribute(name, {"source": PROVIDERS[name][0], "version": PROVIDERS[name][1]}) for name in sorted(providers)
    ]
    return Block(
        "terraform", (), (Attribute("required_version", ">= 1.9"), None, Block("required_providers", (), required))
    )


def uses_azapi_for_extension(variables: dict[str, Any]) -> bool:
    """Whether azurerm cannot declare the extension: it always upgrades where there is no version."""
    return variables.get("auto_upgrade_minor_version") is False


def _providers(shape: Shape, variables: dict[str, Any]) -> list[str]:
    azapi = "compute_name" in variables or uses_azapi_for_extension(variables)
    azurerm = shape.first.backing or shape.first.roles or not uses_azapi_for_extension(variables)
    return [*(["azapi"] if azapi else []), *(["azurerm"] if azurerm else [])]


def _locals(shape: Shape, variables: dict[str, Any], backing: list[BackingBlocks]) -> Block:
    items: list[Attribute | Block | None] = [Attribute("cluster_name", Raw("basename(var.cluster_id)"))]
    if shape.first.backing:
        items.append(Attribute("resource_group_name", Raw('split("/", var.cluster_id)[4]')))
    if shape.first.roles:
        items.append(Attribute("subscription_id", Raw(subscription_of("var.cluster_id"))))
    if shape.first.extension is not None:
        items += [None, _injected_settings(shape, variables, backing)]
    return Block("locals", (), items)


def _injected_settings(shape: Shape, variables: dict[str, Any], backing: list[BackingBlocks]) -> Attribute:
    values = {
        "id": Raw("var.cluster_id"),
        "name": Raw("local.cluster_name"),
        "location": Raw("var.location"),
        "domain": Raw(f'"${{var.location}}.{shape.first.facts.cloud.domain}"'),
    }
    settings: dict[str, Any] = {key: values[kind] for key, kind in computed_settings(shape.first).items()}
    for key, value in shape.fixed.items():
        settings[key] = Attribute(key, value, FIXED_COMMENTS.get(key, {}).get(value, ""))
    for need in backing:
        settings |= {key: value for key, value in need.config.items() if key not in variables["settings"]}
    return Attribute("injected_settings", settings, IDENTITY_COMMENT)


def _extension(shape: Shape, variables: dict[str, Any], backing: list[BackingBlocks]) -> Block:
    protected: dict[str, Any] = {key: value for need in backing for key, value in need.protected.items()}
    for key, secret in protected_keys(shape.first).items():
        name = f"var.{snake_case(secret.parameter)}"
        protected[key] = Raw(f"base64encode({name})" if secret.encoded else name)
    settings = merge_call(Raw("local.injected_settings"), Raw("var.settings"))
    if uses_azapi_for_extension(variables):
        return _azapi_extension(shape, settings, protected)
    # azurerm rejects a release train beside a version.
    has_version = "extension_version" in variables
    version, source = ("version", "extension_version") if has_version else ("release_train", "release_train")
    body = [
        Attribute("name", Raw("var.extension_name")),
        Attribute("cluster_id", Raw("var.cluster_id")),
        Attribute("extension_type", EXTENSION_TYPE),
        Attribute(version, Raw(f"var.{source}")),
        Attribute("release_namespace", RELEASE_NAMESPACE),
        None,
        Attribute("configuration_settings", settings),
        *([Attribute("configuration_protected_settings", protected)] if protected else []),
        None,
        *_extension_identity(shape),
        Block("lifecycle", (), (Attribute("ignore_changes", Raw("[release_train, version]"), REPLACES),)),
    ]
    return Block("resource", (_extension_kind(shape, variables), "azureml"), body)


def _azapi_extension(shape: Shape, settings: Raw, protected: dict[str, Any]) -> Block:
    properties = {
        "extensionType": EXTENSION_TYPE,
        "releaseTrain": Raw("var.release_train"),
        "autoUpgradeMinorVersion": Raw("var.auto_upgrade_minor_version"),
        "scope": {"cluster": {"releaseNamespace": RELEASE_NAMESPACE}},
        "configurationSettings": settings,
    }
    secret_body = {"properties": {"configurationProtectedSettings": protected}}
    body = [
        Attribute("type", f"{EXTENSIONS}@{api_version(EXTENSIONS)}"),
        Attribute("name", Raw("var.extension_name")),
        Attribute("parent_id", Raw("var.cluster_id")),
        None,
        *_extension_identity(shape),
        Attribute("body", {"properties": properties}),
        *([Attribute("sensitive_body", secret_body)] if protected else []),
    ]
    return Block("resource", ("azapi_resource", "azureml"), body, "azurerm cannot turn automatic upgrades off.")


def _extension_kind(shape: Shape, variables: dict[str, Any]) -> str:
    """The type of Terraform's resource for the extension."""
    if uses_azapi_for_extension(variables):
        return "azapi_resource"
    return "azurerm_kubernetes_cluster_extension" if shape.is_aks else "azurerm_arc_kubernetes_cluster_extension"


def _extension_identity(shape: Shape) -> list[Block | None]:
    """The identity of the extension, which one on an AKS cluster does not have."""
    return [] if shape.is_aks else [Block("identity", (), (Attribute("type", "SystemAssigned"),)), None]


def extension_address(shape: Shape, variables: dict[str, Any]) -> str:
    """The address of the extension inside the module."""
    return f"{_extension_kind(shape, variables)}.azureml"


def cluster_roles(shape: Shape, *, on_cluster: bool) -> list[RoleNeeded]:
    """The roles on the clusters themselves, or those on their resource groups, each once."""
    return [role for role in shape.roles if shape.is_on_cluster(role) == on_cluster]


def role_assignment(role: RoleNeeded, for_each: str, scope: str, principal: str, subscription: str) -> Block:
    """A role for each element; the other arguments are expressions. Its name is the same in every state."""
    body = (
        Attribute("for_each", Raw(for_each)),
        None,
        Attribute("name", Raw(f'uuidv5("url", "${{{scope}}}/${{{principal}}}/{role.role_id}")')),
        Attribute("scope", Raw(scope)),
        Attribute("role_definition_id", Raw(f'"${{{subscription}}}{DEFINITIONS}/{role.role_id}"')),
        Attribute("principal_id", Raw(principal)),
        Attribute("principal_type", "ServicePrincipal"),
    )
    return Block("resource", ("azurerm_role_assignment", role_label(role)), body, role_comment(role))


def role_label(role: RoleNeeded) -> str:
    """The name of the resource of a role."""
    return snake_case(role.role.replace(" ", "_"))


def _role_assignments(shape: Shape) -> Iterator[Block]:
    principals = "toset(var.workspace_principal_ids)"
    for role in cluster_roles(shape, on_cluster=True):
        yield role_assignment(role, principals, "var.cluster_id", "each.value", "local.subscription_id")


def _compute(shape: Shape, variables: dict[str, Any]) -> Block:
    properties: dict[str, Any] = {"computeType": "Kubernetes", "resourceId": Raw("var.cluster_id")}
    if "compute_description" in variables:
        properties["description"] = Raw("var.compute_description")
    properties["properties"] = {"namespace": Raw("var.compute_namespace")}
    identity: tuple[Block | None, ...] = ()
    if "compute_identity" in variables:
        values = (
            Attribute("type", Raw("var.compute_identity.type")),
            Attribute("identity_ids", Raw("var.compute_identity.identity_ids")),
        )
        identity = (Block("identity", (), values), None)
    waits = [extension_address(shape, variables)] if shape.first.extension is not None else []
    waits += [f"azurerm_role_assignment.{role_label(role)}" for role in cluster_roles(shape, on_cluster=True)]
    body = [
        Attribute("type", f"{COMPUTE_TYPE}@{api_version(COMPUTE_TYPE)}"),
        Attribute("name", Raw("var.compute_name")),
        Attribute("parent_id", Raw("var.workspace_id")),
        Attribute("location", Raw("var.workspace_location")),
        *([Attribute("tags", Raw("var.compute_tags"))] if "compute_tags" in variables else []),
        None,
        *identity,
        Attribute("body", {"properties": properties}),
        None,
        *([Attribute("depends_on", [Raw(wait) for wait in waits]), None] if waits else []),
        Block("lifecycle", (), (Attribute("ignore_changes", Raw("[body, identity, location, tags]"), ATTACHED),)),
    ]
    comment = "azurerm has no resource that attaches a Kubernetes cluster."
    return Block("resource", ("azapi_resource", "compute"), body, comment)


def _outputs(shape: Shape, variables: dict[str, Any]) -> Iterator[Block]:
    if shape.first.extension is not None:
        value = Raw(f"{extension_address(shape, variables)}.id")
        yield Block(
            "output",
            ("extension_id",),
            (Attribute("description", "Resource ID of the extension."), Attribute("value", value)),
        )
    if "compute_name" in variables:
        value = Raw("azapi_resource.compute.id")
        yield Block(
            "output",
            ("compute_id",),
            (Attribute("description", "Resource ID of the compute."), Attribute("value", value)),
        )
