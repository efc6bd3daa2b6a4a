"""The template that sets up one cluster: the resources beneath the extension, the extension, roles, the compute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from azext_amlk8s.computes.roles import RoleNeeded
from azext_amlk8s.refs import EXTENSION_TYPE
from azext_amlk8s.rendering.backing_resources import Backing, backing_of, is_reported
from azext_amlk8s.rendering.cluster_fields import Shape, computed_settings, protected_keys
from azext_amlk8s.rendering.declarations import api_version, describe_parameter
from azext_amlk8s.rendering.expressions import (
    Call,
    Expression,
    Fields,
    Item,
    Not,
    Note,
    Parameter,
    Property,
    ResourceId,
    Text,
    Variable,
)
from azext_amlk8s.rendering.inputs import SecretReference
from azext_amlk8s.rendering.template_model import (
    RESOURCE_GROUP,
    Module,
    Resource,
    Template,
    TemplateParameter,
    TemplateVariable,
)
from azext_amlk8s.settings.plan import RELEASE_NAMESPACE

TYPES = {bool: "bool", list: "array", dict: "object", str: "string"}
# Fields that say where a module is deployed; the module itself needs no parameter for them.
PLACES = ("subscriptionId", "resourceGroup")
COMPUTE_PLACES = ("workspaceSubscriptionId", "workspaceResourceGroup")
COMPUTE_TYPE = "Microsoft.MachineLearningServices/workspaces/computes"
WORKSPACE_TYPE = "Microsoft.MachineLearningServices/workspaces"
EXTENSIONS = "Microsoft.KubernetesConfiguration/extensions"
ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
ATTACHED = "attachedComputes"
IDENTITY_COMMENT = "Sent with every installation by az; the extension does not work without them."
FIXED_COMMENTS = {
    "relayserver.enabled": {
        "False": "An AKS cluster is reached without Azure Relay.",
        "True": "Azure Machine Learning reaches an Arc-connected cluster through Azure Relay.",
    },
    "nginxIngress.enabled": {"True": "Routes requests to endpoints on AKS.", "False": "Only used on AKS."},
    "servicebus.enabled": {
        "False": "No Service Bus namespace is needed.",
        "True": "States of computes and jobs go through Service Bus.",
    },
}


def cluster_template(shape: Shape) -> Template:
    """The module for the clusters of a shape, deployed to the resource group of a cluster."""
    kind = "an AKS cluster" if shape.is_aks else "an Arc-connected cluster"
    fields = {key: value for key, value in shape.fields[0].items() if key not in PLACES}
    cluster = cluster_resource(shape)
    backing = [backing_of(need) for need in shape.first.backing]
    resources = [cluster, *(resource for need in backing for resource in need.resources)]
    variables: list[TemplateVariable] = []
    extension = None
    if shape.first.extension is not None:
        variables.append(_injected_settings(shape, cluster, backing))
        extension = extension_resource(shape, cluster, backing)
        resources.append(extension)
    roles = tuple(_role_assignments(shape, cluster))
    modules: tuple[Module, ...] = ()
    if "computeName" in fields:
        modules = (_compute_module(fields, cluster, tuple(role for role in (extension, *roles) if role)),)
    parameters = [parameter_of(name, value) for name, value in fields.items()]
    parameters += [secret_parameter(secret, secret.parameter) for secret in shape.secrets]
    if modules:
        parameters.append(parameter_of(ATTACHED, []))
    return Template(
        RESOURCE_GROUP,
        f"Sets up {kind} for Azure Machine Learning.",
        tuple(parameters),
        tuple(variables),
        (*resources, *roles),
        modules,
    )


def compute_template(fields: Mapping[str, Any]) -> Template:
    """The module that attaches a cluster, deployed to the resource group of the workspace."""
    names = [name for name in fields if name.startswith(("compute", "workspace")) and name not in COMPUTE_PLACES]
    names = [name for name in names if name != "workspacePrincipalIds"]
    parameters = [parameter_of(name, fields[name]) for name in names]
    cluster_id = TemplateParameter("clusterId", "string", "Resource ID of the cluster that is attached.")
    workspace = Resource(
        "workspace", WORKSPACE_TYPE, api_version(WORKSPACE_TYPE), Parameter("workspaceName"), existing=True
    )
    properties: dict[str, Any] = {
        "computeType": "Kubernetes",
        "resourceId": Parameter("clusterId"),
        "properties": {"namespace": Parameter("computeNamespace")},
    }
    if "computeDescription" in fields:
        properties["description"] = Parameter("computeDescription")
    body: dict[str, Any] = {"location": Parameter("workspaceLocation")}
    if "computeTags" in fields:
        body["tags"] = Parameter("computeTags")
    if "computeIdentity" in fields:
        body["identity"] = Parameter("computeIdentity")
    body["properties"] = properties
    compute = Resource(
        "compute", COMPUTE_TYPE, api_version(COMPUTE_TYPE), Parameter("computeName"), body, parent=workspace
    )
    description = "Attaches a cluster to an Azure Machine Learning workspace as a compute."
    return Template(RESOURCE_GROUP, description, (cluster_id, *parameters), resources=(workspace, compute))


def cluster_resource(shape: Shape) -> Resource:
    """The cluster, which exists."""
    version = api_version(shape.cluster_type)
    return Resource("cluster", shape.cluster_type, version, Parameter("clusterName"), existing=True)


def extension_resource(shape: Shape, cluster: Resource, backing: list[Backing]) -> Resource:
    """The extension on the cluster, with the settings that az adds and the secrets."""
    body = shape.first.extension
    assert body is not None
    given = body["properties"]
    protected = _protected_settings(shape, backing)
    properties: dict[str, Any] = {"extensionType": EXTENSION_TYPE}
    if "version" in given:
        properties["version"] = Parameter("extensionVersion")
        properties["autoUpgradeMinorVersion"] = Note("Azure rejects a version together with automatic upgrades.", False)
    else:
        properties["releaseTrain"] = Parameter("releaseTrain")
        if "autoUpgradeMinorVersion" in given:
            properties["autoUpgradeMinorVersion"] = Parameter("autoUpgradeMinorVersion")
    properties["scope"] = {"cluster": {"releaseNamespace": RELEASE_NAMESPACE}}
    reported = tuple(item for need in backing for item in _deployed_config(shape, need) if is_reported(item[1]))
    found = (Fields(reported),) if reported else ()
    properties["configurationSettings"] = Call("union", (Variable("injectedSettings"), *found, Parameter("settings")))
    if protected:
        comment = "A PUT replaces all protected settings, so that they are always sent together."
        properties["configurationProtectedSettings"] = Note(comment, protected)
    identity = {"identity": {"type": "SystemAssigned"}} if "identity" in body else {}
    return Resource(
        "extension",
        EXTENSIONS,
        api_version(EXTENSIONS),
        Parameter("extensionName"),
        {**identity, "properties": properties},
        scope=cluster,
    )


def secret_parameter(secret: SecretReference, name: str) -> TemplateParameter:
    """The secure parameter for a secret."""
    return TemplateParameter(name, "string", secret.description, secure=True)


def parameter_of(name: str, value: Any, default: Any = None) -> TemplateParameter:
    """A parameter with its description, for values like this one."""
    return TemplateParameter(name, TYPES[type(value)], describe_parameter(name), default)


def role_comment(role: RoleNeeded) -> str:
    """Why a role is assigned."""
    return f"Without {role.role}: {role.symptom[0].lower()}{role.symptom[1:]}"


def _injected_settings(shape: Shape, cluster: Resource, backing: list[Backing]) -> TemplateVariable:
    """The settings that az adds to those of the user."""
    location = Parameter("location")
    values: dict[str, Any] = {
        "id": ResourceId(cluster),
        "name": Parameter("clusterName"),
        "location": location,
        "domain": Text((location, f".{shape.first.facts.cloud.domain}")),
    }
    settings: dict[str, Any] = {key: values[kind] for key, kind in computed_settings(shape.first).items()}
    for key, value in shape.fixed.items():
        comment = FIXED_COMMENTS.get(key, {}).get(value)
        settings[key] = Note(comment, value) if comment else value
    for need in backing:
        settings |= {key: value for key, value in _deployed_config(shape, need) if not is_reported(value)}
    return TemplateVariable("injectedSettings", settings, IDENTITY_COMMENT)


def _deployed_config(shape: Shape, backing: Backing) -> Iterator[tuple[str, Any]]:
    """The settings that are made of a resource beneath the extension, unless the user gives others."""
    own = shape.fields[0]["settings"]
    yield from ((key, value) for key, value in backing.config.items() if key not in own)


def _protected_settings(shape: Shape, backing: list[Backing]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for need in backing:
        settings |= need.protected
    for key, secret in protected_keys(shape.first).items():
        value: Expression = Parameter(secret.parameter)
        settings[key] = Call("base64", (value,)) if secret.encoded else value
    return settings


def _role_assignments(shape: Shape, cluster: Resource) -> Iterator[Resource]:
    """The roles of the identities of the workspace. Their names are the same in every deployment."""
    each = Item(Parameter("workspacePrincipalIds"), "principalId")
    for role in shape.roles:
        on_cluster = shape.is_on_cluster(role)
        scope_id: Expression = ResourceId(cluster) if on_cluster else Property(Call("resourceGroup", ()), "id")
        definition = Call("subscriptionResourceId", ("Microsoft.Authorization/roleDefinitions", role.role_id))
        words = role.role.split()
        yield Resource(
            words[0].lower() + "".join(words[1:]),
            ASSIGNMENTS,
            api_version(ASSIGNMENTS),
            Call("guid", (scope_id, each, role.role_id)),
            {
                "properties": {
                    "principalId": each,
                    "principalType": "ServicePrincipal",
                    "roleDefinitionId": definition,
                }
            },
            scope=cluster if on_cluster else None,
            loop=each,
            comment=role_comment(role),
        )


def _compute_path(fields: Mapping[str, Any]) -> str:
    """The file of the module that attaches; modules with other parameters are in other files."""
    parts = {"computeIdentity": "identity", "computeDescription": "description"}
    present = [part for name, part in parts.items() if name in fields]
    return f"kubernetes-compute{'-with-' * bool(present)}{'-and-'.join(present)}.bicep"


def _compute_module(fields: Mapping[str, Any], cluster: Resource, waits_for: tuple[Resource, ...]) -> Module:
    template = compute_template(fields)
    arguments: dict[str, Any] = {
        parameter.name: ResourceId(cluster) if parameter.name == "clusterId" else Parameter(parameter.name)
        for parameter in template.parameters
    }
    contains = Call("contains", (Parameter(ATTACHED), Parameter("computeName")))
    unique = Call("uniqueString", (ResourceId(cluster),))
    name = Text(("compute-", Parameter("computeName"), "-", unique))
    subscription = "workspaceSubscriptionId"
    return Module(
        "compute",
        _compute_path(fields),
        template,
        name,
        Parameter("workspaceResourceGroup"),
        arguments,
        Parameter(subscription) if subscription in fields else None,
        condition=Not(contains),
        depends_on=waits_for,
        comment="Azure rejects a second PUT of an attached compute.",
    )
