"""The template for all clusters of setup files: a module for each kind of cluster, in a loop over its clusters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.rendering.cluster_fields import BACKING_NAMES, Shape, common_fields, common_settings, group_by_shape
from azext_amlk8s.rendering.cluster_module import ATTACHED, cluster_template, parameter_of, secret_parameter
from azext_amlk8s.rendering.declarations import api_version
from azext_amlk8s.rendering.expressions import Call, Item, Parameter, Property, Text
from azext_amlk8s.rendering.inputs import ClusterInput, SecretReference
from azext_amlk8s.rendering.template_model import (
    SUBSCRIPTION,
    Module,
    Resource,
    Template,
    TemplateParameter,
    VaultSecret,
)

VAULTS = "Microsoft.KeyVault/vaults"
# Fields that are properties of each cluster even where they are the same for all.
OF_EACH = ("clusterName", "subscriptionId", "resourceGroup", "location", "computeName", *BACKING_NAMES.values())
# Fields that differ between environments: their values belong into the file with parameters.
OF_ENVIRONMENT = ("workspacePrincipalIds", "workspaceName", "workspaceResourceGroup",
                  "workspaceSubscriptionId", "workspaceLocation")  # fmt: skip
SHORTER = {"clusterName": "name"}
# So much of the name of a cluster is in that of its nested deployment.
MOST_OF_NAME = 38


@dataclass(frozen=True)
class Fleet:
    """A template, values for its parameters, and the secrets that its other parameters take, by name of parameter."""

    template: Template
    values: Mapping[str, Any]
    secrets: Mapping[str, SecretReference]


def fleet_template(
    clusters: Sequence[ClusterInput], subscription: str, *, computes: bool = True, vaults: bool = True
) -> Fleet:
    """The template that sets up the clusters, to be deployed to a subscription.

    Without computes nothing is attached. Without vaults each secret of a key vault is a secure parameter too, whose
    value the caller reads.
    """
    shapes = group_by_shape(clusters, subscription=subscription, computes=computes)
    return _Builder(shapes, subscription, vaults).build()


class _Builder:
    """Collects the parameters of the template while the modules are made."""

    def __init__(self, shapes: Sequence[Shape], subscription: str, vaults: bool) -> None:
        self._shapes, self._subscription, self._vaults = shapes, subscription, vaults
        self._everywhere = self._common_to_all()
        self._parameters: dict[str, TemplateParameter] = {}
        self._values: dict[str, Any] = {}
        self._secrets: dict[str, SecretReference] = {}
        self._vault_resources: dict[str, Resource] = {}

    def build(self) -> Fleet:
        modules = tuple(self._module(shape) for shape in self._shapes)
        parameters = sorted(self._parameters.values(), key=_order)
        description = "Sets up Kubernetes clusters for Azure Machine Learning."
        resources = tuple(self._vault_resources.values())
        template = Template(SUBSCRIPTION, description, tuple(parameters), resources=resources, modules=modules)
        return Fleet(template, self._values, self._secrets)

    def _common_to_all(self) -> dict[str, Any]:
        """The fields that have one value wherever they are."""
        values: dict[str, list[Any]] = {}
        for shape in self._shapes:
            for fields in shape.fields:
                for key, value in fields.items():
                    values.setdefault(key, []).append(value)
        return {key: found[0] for key, found in values.items() if all(value == found[0] for value in found)}

    def _module(self, shape: Shape) -> Module:
        template = cluster_template(shape)
        array = f"{shape.name}Clusters"
        each = Item(Parameter(array), "cluster")
        common = {key: value for key, value in common_fields(shape.fields).items() if key not in OF_EACH}
        arguments: dict[str, Any] = {}
        for name in shape.fields[0]:
            arguments[name] = self._argument(shape, name, common, each)
        shared = {} if "settings" in common else common_settings(shape)
        elements = [dict(_own_fields(fields, common, shared)) for fields in shape.fields]
        kind = "AKS clusters" if shape.is_aks else "Arc-connected clusters"
        self._parameters[array] = TemplateParameter(array, "array", f"The {kind}, each with what only it has.")
        self._values[array] = elements
        arguments |= {secret.parameter: self._secret(shape, secret) for secret in shape.secrets}
        if any(parameter.name == ATTACHED for parameter in template.parameters):
            self._parameters[ATTACHED] = parameter_of(ATTACHED, [], [])
            arguments[ATTACHED] = Parameter(ATTACHED)
        named = [parameter.name for parameter in template.parameters]
        group, cluster_name = Property(each, "resourceGroup"), Property(each, "name")
        unique = Call("uniqueString", (group, cluster_name))
        prefix = f"azureml-{'aks' if shape.is_aks else 'arc'}-"
        return Module(
            f"{shape.name}Cluster",
            f"modules/{shape.name}-cluster.bicep",
            template,
            Text((prefix, Call("take", (cluster_name, MOST_OF_NAME)), "-", unique)),
            group,
            {key: arguments[key] for key in named},
            arguments.get("subscriptionId"),
            loop=each,
        )

    def _argument(self, shape: Shape, name: str, common: Mapping[str, Any], each: Item) -> Any:
        """The value of a parameter of the module: a parameter of this template, a property of the cluster, or both."""
        if name == "settings" and name not in common:
            shared = common_settings(shape)
            own = Property(each, name)
            return Call("union", (self._shared(shape, name, shared), own)) if shared else own
        if name not in common:
            return Property(each, SHORTER.get(name, name))
        return self._shared(shape, name, common[name])

    def _shared(self, shape: Shape, name: str, value: Any) -> Parameter:
        """A parameter of this template; with the name of the shape where other shapes have another value."""
        own_name = name
        if name not in self._everywhere and len(self._shapes) > 1:
            own_name = f"{shape.name}{name[0].upper()}{name[1:]}"
        if name == "settings":
            own_name = "extensionSettings" if own_name == name else f"{shape.name}ExtensionSettings"
        declared = parameter_of(name, value)
        default = None if name in OF_ENVIRONMENT else value
        self._parameters[own_name] = TemplateParameter(own_name, declared.type, declared.description, default)
        if default is None:
            self._values[own_name] = value
        return Parameter(own_name)

    def _secret(self, shape: Shape, secret: SecretReference) -> Any:
        """A secure parameter, or the secret of a key vault."""
        if self._vaults and secret.vault:
            vault, name = secret.vault
            return VaultSecret(self._vault(vault, secret.vault_id), name)
        name = secret.parameter
        if self._secrets.get(name, secret) != secret:
            name = f"{shape.name}{name[0].upper()}{name[1:]}"
        self._secrets[name] = secret
        self._parameters[name] = secret_parameter(secret, name)
        return Parameter(name)

    def _vault(self, vault: str, vault_id: str) -> Resource:
        """The key vault; its resource group is a parameter, with a value where it is known."""
        if vault not in self._vault_resources:
            parts = vault_id.split("/")
            words = vault.replace("-", " ").split()
            symbol = words[0].lower() + "".join(word.capitalize() for word in words[1:])
            group = f"{symbol}ResourceGroup"
            text = f"Resource group of the key vault {vault}. It must be enabled for template deployment."
            self._parameters[group] = TemplateParameter(group, "string", text)
            if vault_id:
                self._values[group] = parts[4]
            elsewhere = vault_id and parts[2].lower() != self._subscription.lower()
            self._vault_resources[vault] = Resource(
                symbol if symbol.endswith("ault") else f"{symbol}Vault",
                VAULTS,
                api_version(VAULTS),
                vault,
                existing=True,
                group=Parameter(group),
                subscription=parts[2] if elsewhere else None,
            )
        return self._vault_resources[vault]


def _own_fields(
    fields: Mapping[str, Any], common: Mapping[str, Any], shared_settings: Mapping[str, str]
) -> Iterator[tuple[str, Any]]:
    """A cluster as an element of its array: what only it has."""
    for key, value in fields.items():
        if key == "settings" and key not in common:
            yield key, {name: text for name, text in value.items() if name not in shared_settings}
        elif key not in common:
            yield SHORTER.get(key, key), value


def _order(parameter: TemplateParameter) -> tuple[bool, bool, bool]:
    """Where a parameter stands: clusters first, then what must be given, then what has a default."""
    return parameter.default is not None, parameter.secure, parameter.type != "array"
