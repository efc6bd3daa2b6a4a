"""Setups as Terraform: a module for each kind of cluster, called for each of its clusters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from azext_amlk8s.rendering.arm_and_bicep import Source, deployment_subscription
from azext_amlk8s.rendering.cluster_fields import Shape, common_fields, common_settings, group_by_shape
from azext_amlk8s.rendering.fleet_template import OF_EACH
from azext_amlk8s.rendering.hcl import Attribute, Block, Raw, hcl_text, merge_call
from azext_amlk8s.rendering.inputs import ENV, FILE, ClusterInput, SecretReference
from azext_amlk8s.rendering.terraform_module import (
    cluster_roles,
    group_of,
    module_files,
    role_assignment,
    role_label,
    secret_variable,
    snake_case,
    subscription_of,
    type_of,
    uses_azapi_for_extension,
    variable_block,
    variables_of,
    versions_block,
)

EACH = {"cluster_id", "location", *map(snake_case, OF_EACH)}
OF_ENVIRONMENT = ("workspace_principal_ids", "workspace_id", "workspace_location")


def render_terraform(clusters: Sequence[ClusterInput], source: Source) -> dict[str, str]:
    """A root module with the clusters as variables, and a module for each kind of cluster.

    https://developer.hashicorp.com/terraform/language/style
    """
    subscription = deployment_subscription(clusters, source)
    shapes = group_by_shape(clusters, subscription=subscription)
    return _Root(shapes, subscription, source).files()


class _Root:
    """Collects the variables of the root module while its modules are called."""

    def __init__(self, shapes: Sequence[Shape], subscription: str, source: Source) -> None:
        self._shapes, self._subscription, self._note = shapes, subscription, source.note
        self._members = {
            shape.name: [
                variables_of(dict(fields), cluster)
                for fields, cluster in zip(shape.fields, shape.clusters, strict=True)
            ]
            for shape in shapes
        }
        everything = [member for members in self._members.values() for member in members]
        keys = dict.fromkeys(key for member in everything for key in member)
        self._everywhere = {key for key in keys if _same([member[key] for member in everything if key in member])}
        self._variables: dict[str, Block] = {}
        self._clusters: dict[str, Block] = {}
        self._values: dict[str, Any] = {"subscription_id": subscription}
        self._cluster_values: dict[str, Any] = {}
        self._secrets: dict[str, SecretReference] = {}
        self._vaults: dict[str, list[str]] = {}
        self._vault_ids: dict[str, str] = {}

    def files(self) -> dict[str, str]:
        self._variables["subscription_id"] = Block(
            "variable",
            ("subscription_id",),
            (Attribute("description", "ID of the subscription of the clusters."), Attribute("type", Raw("string"))),
        )
        calls = {shape.name: list(self._modules(shape)) for shape in self._shapes}
        modules = [block for blocks in calls.values() for block in blocks]
        roles = list(self._group_roles())
        files: dict[str, str] = {}
        for shape in self._shapes:
            files |= module_files(shape, self._members[shape.name][0], self._note)
        data = list(self._vault_blocks())
        values = {**self._values, **self._cluster_values}
        return {
            "main.tf": hcl_text([*data, *roles, *modules], [self._note, *self._usage()]),
            "variables.tf": hcl_text([*self._variables.values(), *self._clusters.values()], [self._note]),
            "azureml.auto.tfvars": hcl_text([Attribute(*item) for item in values.items()], [self._note]),
            "outputs.tf": hcl_text(self._outputs(calls), [self._note]),
            "versions.tf": hcl_text([versions_block(self._provider_names()), *self._providers()], [self._note]),
            **files,
        }

    def _modules(self, shape: Shape) -> Iterator[Block]:
        """A call of the module for the clusters of each subscription."""
        members = self._members[shape.name]
        common = self._common(shape)
        arguments = [Attribute(name, self._argument(shape, name, common)) for name in members[0]]
        arguments += [Attribute(snake_case(secret.parameter), self._secret(shape, secret)) for secret in shape.secrets]
        name = f"{shape.name}_clusters"
        self._declare_clusters(shape, common)
        aliases = self._aliases()
        own = dict.fromkeys(cluster.subscription.lower() for cluster in shape.clusters)
        for subscription in own:
            alias = aliases[subscription]
            for_each = Raw(f"var.{name}")
            if len(own) > 1:
                start = f"/subscriptions/{subscription}/"
                condition = f'startswith(lower(cluster.cluster_id), "{start}")'
                for_each = Raw(f"{{ for name, cluster in var.{name} : name => cluster if {condition} }}")
            providers = [Attribute("providers", {"azurerm": Raw(f"azurerm.{alias}")}), None] if alias else []
            label = f"{shape.name}_cluster" + (f"_{alias}" if alias and len(own) > 1 else "")
            head = [Attribute("source", f"./modules/{shape.name}-cluster"), Attribute("for_each", for_each), None]
            waits = [
                Raw(f"azurerm_role_assignment.{role_label(role)}") for role in cluster_roles(shape, on_cluster=False)
            ]
            depends = [None, Attribute("depends_on", waits)] if waits else []
            yield Block("module", (label,), [*head, *providers, *arguments, *depends])

    def _group_roles(self) -> Iterator[Block]:
        """The roles on resource groups, which several clusters may share."""
        shapes = [shape for shape in self._shapes if cluster_roles(shape, on_cluster=False)]
        if not shapes:
            return
        group = group_of("cluster.cluster_id")
        groups = ", ".join(f"[for cluster in var.{shape.name}_clusters : {group}]" for shape in shapes)
        groups = f"concat({groups})" if len(shapes) > 1 else groups
        principals = self._argument(shapes[0], "workspace_principal_ids", self._common(shapes[0])).text
        value = "{ scope = pair[0], principal_id = pair[1] }"
        for_each = f'{{\n  for pair in setproduct(distinct({groups}), {principals}) :\n  join("/", pair) => {value}\n}}'
        for role in cluster_roles(shapes[0], on_cluster=False):
            yield role_assignment(
                role, for_each, "each.value.scope", "each.value.principal_id", subscription_of("each.value.scope")
            )

    def _common(self, shape: Shape) -> dict[str, Any]:
        """The variables that have one value for all clusters of a shape."""
        return {key: value for key, value in common_fields(self._members[shape.name]).items() if key not in EACH}

    def _argument(self, shape: Shape, name: str, common: Mapping[str, Any]) -> Raw:
        if name == "settings" and name not in common:
            shared = common_settings(shape)
            own = Raw("each.value.settings")
            return merge_call(Raw(f"var.{self._shared(shape, name, shared)}"), own) if shared else own
        if name not in common:
            return Raw(f"each.value.{name}")
        return Raw(f"var.{self._shared(shape, name, common[name])}")

    def _shared(self, shape: Shape, name: str, value: Any) -> str:
        """The name of a variable of the root module; with the shape where others have another value."""
        own = name if name in self._everywhere or len(self._shapes) == 1 else f"{shape.name}_{name}"
        own = own.removesuffix("settings") + "extension_settings" if name == "settings" else own
        more = {} if name in OF_ENVIRONMENT else {"default": value}
        self._variables[own] = variable_block(name, own_name=own, **more)
        if name in OF_ENVIRONMENT:
            self._values[own] = value
        return own

    def _declare_clusters(self, shape: Shape, common: Mapping[str, Any]) -> None:
        members = self._members[shape.name]
        shared = {} if "settings" in common else common_settings(shape)
        names = [cluster.facts.name for cluster in shape.clusters]
        keys = (
            names
            if len(set(names)) == len(names)
            else [f"{cluster.facts.group}/{cluster.facts.name}" for cluster in shape.clusters]
        )
        elements = {}
        for key, member in zip(keys, members, strict=True):
            element = {name: value for name, value in member.items() if name not in common}
            if "settings" in element:
                element["settings"] = {name: text for name, text in element["settings"].items() if name not in shared}
            elements[key] = element
        first = next(iter(elements.values()))
        fields = "\n".join(f"  {line}" for line in _aligned_types(list(first)))
        variable = f"{shape.name}_clusters"
        kind = "AKS clusters" if shape.is_aks else "Arc-connected clusters"
        description = Attribute("description", f"The {kind} by name, each with what only it has.")
        value_type = Attribute("type", Raw(f"map(object({{\n{fields}\n}}))"))
        self._clusters[variable] = Block("variable", (variable,), (description, value_type))
        self._cluster_values[variable] = elements

    def _secret(self, shape: Shape, secret: SecretReference) -> Raw:
        if secret.vault:
            vault, name = secret.vault
            self._vaults.setdefault(vault, [])
            self._vault_ids[vault] = secret.vault_id
            if name not in self._vaults[vault]:
                self._vaults[vault].append(name)
            return Raw(f"data.azurerm_key_vault_secret.{_label(vault)}_{_label(name)}.value")
        variable = snake_case(secret.parameter)
        if self._secrets.get(variable, secret) != secret:
            variable = f"{shape.name}_{variable}"
        self._secrets[variable] = secret
        self._variables[variable] = secret_variable(secret, variable)
        return Raw(f"var.{variable}")

    def _vault_blocks(self) -> Iterator[Block]:
        for vault, secrets in self._vaults.items():
            group = f"{_label(vault)}_resource_group_name"
            description = Attribute("description", f"Resource group of the key vault {vault}.")
            self._variables[group] = Block("variable", (group,), (description, Attribute("type", Raw("string"))))
            if vault_id := self._vault_ids[vault]:
                self._values[group] = vault_id.split("/")[4]
            body = (Attribute("name", vault), Attribute("resource_group_name", Raw(f"var.{group}")))
            yield Block("data", ("azurerm_key_vault", _label(vault)), body)
            for secret in secrets:
                of_vault = Attribute("key_vault_id", Raw(f"data.azurerm_key_vault.{_label(vault)}.id"))
                yield Block(
                    "data",
                    ("azurerm_key_vault_secret", f"{_label(vault)}_{_label(secret)}"),
                    (Attribute("name", secret), of_vault),
                )

    def _aliases(self) -> dict[str, str]:
        """The alias of the provider for each subscription in lower case, empty for that of the deployment."""
        subscriptions = [cluster.subscription.lower() for shape in self._shapes for cluster in shape.clusters]
        others = [
            subscription for subscription in dict.fromkeys(subscriptions) if subscription != self._subscription.lower()
        ]
        return {self._subscription.lower(): "", **{other: f"subscription{at}" for at, other in enumerate(others, 2)}}

    def _providers(self) -> Iterator[Block]:
        features = Block("features")
        yield Block(
            "provider", ("azurerm",), (Attribute("subscription_id", Raw("var.subscription_id")), None, features)
        )
        for subscription, alias in self._aliases().items():
            if alias:
                body = (Attribute("alias", alias), Attribute("subscription_id", subscription), None, features)
                yield Block("provider", ("azurerm",), body)
        if "azapi" in self._provider_names():
            yield Block("provider", ("azapi",), (Attribute("subscription_id", Raw("var.subscription_id")),))

    def _provider_names(self) -> list[str]:
        members = [member for members in self._members.values() for member in members]
        azapi = any("compute_name" in member or uses_azapi_for_extension(member) for member in members)
        return ["azurerm", *(["azapi"] if azapi else [])]

    def _outputs(self, calls: Mapping[str, Sequence[Block]]) -> Iterator[Block]:
        """The outputs of all clusters; calls are the calls of the module of each shape."""
        labels: dict[str, list[str]] = {}
        for shape in self._shapes:
            member = self._members[shape.name][0]
            for output, has in (
                ("extension_id", shape.first.extension is not None),
                ("compute_id", "compute_name" in member),
            ):
                if has:
                    labels.setdefault(output, []).extend(block.labels[0] for block in calls[shape.name])
        for output, modules in labels.items():
            each = [Raw(f"{{ for name, cluster in module.{module} : name => cluster.{output} }}") for module in modules]
            kind = output.removesuffix("_id")
            description = Attribute("description", f"Resource IDs of the {kind}s by cluster.")
            yield Block("output", (f"{kind}_ids",), (description, Attribute("value", merge_call(*each))))

    def _usage(self) -> Iterator[str]:
        yield "To deploy it: terraform init && terraform apply"
        for name, secret in self._secrets.items():
            value = {ENV: f'"${secret.source}"', FILE: f'"$(cat {secret.source})"'}.get(secret.kind, "")
            origin = value or f"<the value of {secret.source}>"
            yield f"The value of {name} is not in these files: export TF_VAR_{name}={origin}"
        yield "What exists already is imported first: terraform import ADDRESS RESOURCE_ID"


def _aligned_types(names: Sequence[str]) -> Iterator[str]:
    width = max(map(len, names))
    yield from (f"{name.ljust(width)} = {type_of(name).text}" for name in names)


def _label(text: str) -> str:
    return text.replace("-", "_").lower()


def _same(values: Sequence[Any]) -> bool:
    return all(value == values[0] for value in values)
