"""An Azure Policy that installs the extension on clusters that join later (DeployIfNotExists)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from azext_amlk8s import knowledge
from azext_amlk8s.refs import EXTENSION_TYPE
from azext_amlk8s.rendering.arm_and_bicep import Source
from azext_amlk8s.rendering.arm_json import as_json, template_object
from azext_amlk8s.rendering.cluster_fields import (
    BACKING_NAMES,
    Shape,
    common_settings,
    computed_settings,
    group_by_shape,
)
from azext_amlk8s.rendering.cluster_module import EXTENSIONS, cluster_template
from azext_amlk8s.rendering.declarations import api_version, describe_parameter
from azext_amlk8s.rendering.expressions import Call, Expression, Parameter, Property, Text
from azext_amlk8s.rendering.fleet_template import VAULTS
from azext_amlk8s.rendering.inputs import ClusterInput
from azext_amlk8s.rendering.template_model import (
    RESOURCE_GROUP,
    Module,
    Resource,
    Template,
    TemplateParameter,
    VaultSecret,
)
from azext_amlk8s.setup_files.model import Selector
from azext_amlk8s.shell import quote
from azext_amlk8s.values import region_name

API_VERSION = "2023-04-01"
EFFECTS = ("DeployIfNotExists", "AuditIfNotExists", "Disabled")
# Settings that follow from the number of nodes of one cluster, and that no other cluster needs.
OF_ONE_CLUSTER = ("clusterPurpose", "inferenceRouterHA")
VALUES_OF_POLICY = ("releaseTrain", "extensionVersion", "settings")
# What the clusters of one type must have in common, since one policy is for all of them.
OF_EXTENSION = ("extensionName", "releaseTrain", "extensionVersion", "autoUpgradeMinorVersion")


def render_policy(clusters: Sequence[ClusterInput], selectors: Sequence[Selector], source: Source) -> dict[str, str]:
    """A policy definition for each type of cluster in the setup, and the commands that assign it.

    selectors say which clusters of a subscription the setup is for; without one it is for all. Secrets in environment
    variables and files are not supported: the caller checks that there are none.
    https://learn.microsoft.com/azure/governance/policy/concepts/effect-deploy-if-not-exists
    """
    own = _extensions(clusters)
    files: dict[str, str] = {}
    names = {kind: shapes[0] for kind, shapes in _shapes(own).items()}
    for kind, shape in names.items():
        definition = _definition(shape, selectors, source)
        files[f"azureml-{kind}.policy.json"] = as_json(definition)
    if files:
        files["assign.sh"] = _script(names, own, source)
    return files


def policy_differences(clusters: Sequence[ClusterInput]) -> tuple[str, str, list[str]] | None:
    """Two clusters of one type that no policy can treat alike, and the names of what differs; None without any.

    Settings that follow from the number of nodes do not count.
    """
    for shapes in _shapes(_extensions(clusters)).values():
        members = [
            (cluster, _content(shape, number)) for shape in shapes for number, cluster in enumerate(shape.clusters)
        ]
        first, content = members[0]
        for other, other_content in members[1:]:
            keys = {*content, *other_content}
            if differing := sorted(key for key in keys if content.get(key) != other_content.get(key)):
                return first.facts.name, other.facts.name, differing
    return None


def _extensions(clusters: Sequence[ClusterInput]) -> list[ClusterInput]:
    """The clusters with an extension, and without what a policy leaves out."""
    return [replace(cluster, compute=None, roles=()) for cluster in clusters if cluster.extension is not None]


def _shapes(clusters: Sequence[ClusterInput]) -> dict[str, list[Shape]]:
    """The shapes of the clusters by their type: aks or arc."""
    found: dict[str, list[Shape]] = {}
    for shape in group_by_shape(clusters, subscription=clusters[0].subscription, computes=False) if clusters else ():
        found.setdefault("aks" if shape.is_aks else "arc", []).append(shape)
    return found


def _content(shape: Shape, number: int) -> dict[str, Any]:
    """What a policy would install on a cluster of a shape, by the names that users know."""
    cluster, fields = shape.clusters[number], shape.fields[number]
    settings = {key: value for key, value in (fields.get("settings") or {}).items() if key not in OF_ONE_CLUSTER}
    secrets = {secret.key: (secret.kind, secret.source) for secret in cluster.secrets}
    computed = dict.fromkeys(computed_settings(cluster), True)
    extension = {key: fields[key] for key in OF_EXTENSION if key in fields}
    return {**extension, **computed, **shape.fixed, **settings, **secrets}


def _definition(shape: Shape, selectors: Sequence[Selector], source: Source) -> dict[str, Any]:
    display = "AKS clusters" if shape.is_aks else "Azure Arc-enabled Kubernetes clusters"
    fields = shape.fields[0]
    settings = {key: value for key, value in common_settings(shape).items() if key not in OF_ONE_CLUSTER}
    parameters: dict[str, Any] = {
        "effect": _parameter("String", "Effect", "What the policy does.", EFFECTS[0], EFFECTS),
        **{
            name: _parameter("String", title, describe_parameter(name), fields[name])
            for name, title in (("releaseTrain", "Release train"), ("extensionVersion", "Version"))
            if name in fields
        },
        "settings": _parameter(
            "Object", "Settings", "Settings of the extension. Every value is a string. Never a secret.", settings
        ),
    }
    details = {
        "type": EXTENSIONS,
        "evaluationDelay": "AfterProvisioning",
        "roleDefinitionIds": [
            f"/providers/Microsoft.Authorization/roleDefinitions/{role['id']}" for role in policy_roles(shape)
        ],
        "existenceCondition": {
            "allOf": [
                {"field": f"{EXTENSIONS}/extensionType", "equals": EXTENSION_TYPE},
                {"field": f"{EXTENSIONS}/provisioningState", "equals": "Succeeded"},
            ]
        },
        "deployment": {"properties": _deployment(shape, fields)},
    }
    return {
        "properties": {
            "displayName": f"Install the Azure Machine Learning extension on {display}",
            "policyType": "Custom",
            "mode": "Indexed",
            "description": f"Installs the extension on {display} that do not have it. {source.note}",
            "metadata": {"category": "Kubernetes", "version": "1.0.0"},
            "parameters": parameters,
            "policyRule": {
                "if": _condition(shape.cluster_type, selectors),
                "then": {"effect": "[parameters('effect')]", "details": details},
            },
        }
    }


def policy_roles(shape: Shape) -> list[Mapping[str, str]]:
    """The built-in roles that the identity of the assignment needs for what the policy creates."""
    roles: Mapping[str, Mapping[str, str]] = knowledge.load("rendering")["policyRoles"]
    return [roles["extension"], *(roles[need.kind] for need in shape.first.backing)]


def _parameter(kind: str, name: str, description: str, default: Any, allowed: Sequence[str] = ()) -> dict[str, Any]:
    metadata = {"displayName": name, "description": description}
    choices = {"allowedValues": list(allowed)} if allowed else {}
    return {"type": kind, "metadata": metadata, **choices, "defaultValue": default}


def _condition(cluster_type: str, selectors: Sequence[Selector]) -> dict[str, Any]:
    """Which clusters the policy is for: those of the type that one of the selectors matches."""
    of_type = {"field": "type", "equals": cluster_type}
    wanted = cluster_type.rpartition("/")[2].lower()
    matching = [selector for selector in selectors if not selector.type or selector.type.lower() == wanted]
    options = [list(_selector_conditions(match)) for match in matching]
    if not options or not all(options):
        return of_type
    any_of = [parameter[0] if len(parameter) == 1 else {"allOf": parameter} for parameter in options]
    return {"allOf": [of_type, any_of[0] if len(any_of) == 1 else {"anyOf": any_of}]}


def _selector_conditions(selector: Selector) -> Iterator[dict[str, str]]:
    if selector.name:
        yield {"field": "name", "like" if "*" in selector.name else "equals": selector.name}
    if selector.location:
        yield {"field": "location", "equals": region_name(selector.location)}
    if selector.resource_group:
        yield {"value": "[resourceGroup().name]", "equals": selector.resource_group}
    for key, value in selector.tags.items():
        yield {"field": f"tags['{key}']", "equals": value}


def _deployment(shape: Shape, fields: Mapping[str, Any]) -> dict[str, Any]:
    template = _policy_template(shape, fields)
    values = {"clusterName": "[field('name')]", "location": "[field('location')]"}
    values |= {name: f"[parameters('{name}')]" for name in VALUES_OF_POLICY}
    given = [parameter.name for parameter in template.parameters if parameter.name in values]
    return {
        "mode": "incremental",
        "parameters": {name: {"value": values[name]} for name in given},
        "template": template_object(template),
    }


def _policy_template(shape: Shape, fields: Mapping[str, Any]) -> Template:
    """The module for a cluster, with defaults in place of values that a setup has for each cluster.

    Secrets of key vaults are passed to it by a template around it, so that no parameter of the policy has them.
    """
    template = cluster_template(shape)
    own = ("clusterName", "location", *VALUES_OF_POLICY)
    secrets = {secret.parameter: secret for secret in shape.secrets}
    parameters = tuple(
        parameter
        if parameter.name in own or parameter.name in secrets
        else replace(parameter, default=_default(parameter, fields))
        for parameter in template.parameters
    )
    if not secrets:
        return replace(template, parameters=parameters)
    vaults = {secret.vault_id: _vault(secret.vault_id) for secret in shape.secrets}
    outer = tuple(parameter for parameter in parameters if parameter.name not in secrets)
    arguments: dict[str, Any] = {parameter.name: Parameter(parameter.name) for parameter in outer}
    for name, secret in secrets.items():
        arguments[name] = VaultSecret(vaults[secret.vault_id], (secret.vault or ("", ""))[1])
    module = Module(
        "cluster",
        "",
        template,
        Text((f"azureml-{'aks' if shape.is_aks else 'arc'}-", Call("uniqueString", (Parameter("clusterName"),)))),
        Property(Call("resourceGroup", ()), "name"),
        arguments,
    )
    return Template(RESOURCE_GROUP, template.description, outer, resources=tuple(vaults.values()), modules=(module,))


def _vault(vault_id: str) -> Resource:
    parts = vault_id.split("/")
    return Resource(
        "vault", VAULTS, api_version(VAULTS), parts[-1], existing=True, group=parts[4], subscription=parts[2]
    )


def _default(parameter: TemplateParameter, fields: Mapping[str, Any]) -> Any:
    """The default of a parameter: names of Azure resources must differ between clusters, other values are the same."""
    if parameter.name not in BACKING_NAMES.values():
        return fields.get(parameter.name)
    group_id: Expression = Property(Call("resourceGroup", ()), "id")
    unique = Call("uniqueString", (group_id, Parameter("clusterName")))
    return Text((f"azureml-{parameter.name.removesuffix('Name').lower()}-", unique))


def _script(names: Mapping[str, Shape], clusters: Sequence[ClusterInput], source: Source) -> str:
    """Commands that create, assign and remediate the policies; they can be repeated."""
    subscription = clusters[0].subscription
    location = region_name(clusters[0].facts.location)
    lines = [
        "#!/usr/bin/env bash",
        f"# {source.note}",
        "# Assigns the policies to a scope, and remediates the clusters that exist there.",
        f"# Usage: bash assign.sh [SCOPE]    for example /subscriptions/{subscription}/resourceGroups/stores",
        "set -euo pipefail",
        f'scope="${{1:-/subscriptions/{subscription}}}"',
        'folder="$(dirname "$0")"',
        'subscription="$(cut -d/ -f3 <<<"$scope")"',
        'group="$(cut -d/ -f5 <<<"$scope")"',
        'definitions="/subscriptions/$subscription/providers/Microsoft.Authorization/policyDefinitions"',
    ]
    for kind, shape in names.items():
        lines += ["", *_assignment(f"azureml-{kind}", shape, location)]
    return "\n".join([*lines, ""])


def _assignment(name: str, shape: Shape, location: str) -> Iterator[str]:
    yield f'az rest --method put --url "$definitions/{name}?api-version={API_VERSION}" \\'
    yield f'  --body "@$folder/{name}.policy.json" --output none'
    yield f'az policy assignment create --name {name} --policy "$definitions/{name}" --scope "$scope" \\'
    yield f"  --mi-system-assigned --location {quote(location)} --output none"
    yield f'show=(az policy assignment show --name {name} --scope "$scope" --output tsv)'
    yield 'principal="$("${show[@]}" --query identity.principalId)"'
    yield "# The identity of the assignment deploys what is missing."
    grants = [(role, '"$scope"') for role in policy_roles(shape)]
    vaults = dict.fromkeys(secret.vault_id for secret in shape.secrets)
    grants += [(knowledge.load("rendering")["policyRoles"]["keyVault"], quote(vault)) for vault in vaults]
    for role, scope in grants:
        yield f"# {role['role']}"
        yield f"az role assignment create --role {role['id']} --scope {scope} --output none \\"
        yield '  --assignee-object-id "$principal" --assignee-principal-type ServicePrincipal'
    yield "# New clusters are evaluated when they are created; clusters that exist need a remediation, which runs in"
    yield "# the background (az policy remediation list). A role takes effect after some minutes: if deployments fail"
    yield "# with AuthorizationFailed, run this script again."
    yield f'az policy remediation create --name "{name}-$(date -u +%Y%m%d%H%M%S)" \\'
    yield '  --policy-assignment "$("${show[@]}" --query id)" \\'
    yield '  --resource-discovery-mode ReEvaluateCompliance --subscription "$subscription" --output none \\'
    yield '  ${group:+--resource-group "$group"}'
