"""Terraform modules into resources: variables, locals, local modules and .tfvars files are evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from azext_amlk8s.knowledge import load
from azext_amlk8s.lint.evaluation import Definitions, Evaluator, member_of, merged
from azext_amlk8s.lint.functions import TERRAFORM
from azext_amlk8s.lint.json_documents import read_json
from azext_amlk8s.lint.model import EXTENSIONS, RELAY_NAMESPACES, Resource, Script
from azext_amlk8s.lint.modules import module_kind, module_resources
from azext_amlk8s.lint.nodes import Array, Call, Index, InvalidSyntax, Literal, Member, Name, Node
from azext_amlk8s.lint.terraform_reader import Block
from azext_amlk8s.lint.values import Mark, Value, unknown

EXTENSION_ATTRIBUTES = {
    "extension_type": "extensionType",
    "configuration_settings": "configurationSettings",
    "configuration_protected_settings": "configurationProtectedSettings",
    "release_train": "releaseTrain",
    "version": "version",
}
OTHER_TYPES = {
    "azurerm_relay_namespace_authorization_rule": f"{RELAY_NAMESPACES}/authorizationrules",
    "azurerm_relay_hybrid_connection_authorization_rule": f"{RELAY_NAMESPACES}/hybridconnections/authorizationrules",
    "azurerm_relay_hybrid_connection": f"{RELAY_NAMESPACES}/hybridconnections",
    "azurerm_relay_namespace": RELAY_NAMESPACES,
    "azurerm_role_assignment": "microsoft.authorization/roleassignments",
    "azurerm_machine_learning_inference_cluster": "azurerm_machine_learning_inference_cluster",
    "kubernetes_manifest": "kubernetes_manifest",
    "kubectl_manifest": "kubernetes_manifest",
}
AZAPI = ("azapi_resource", "azapi_update_resource")
# Finds the files of a local module by its path, relative to the module; None where it is not among the files.
FindModule = Callable[[str], "TerraformFiles | None"]


class TerraformFiles:
    """The blocks of the files of one folder, which are one module."""

    def __init__(self, files: list[Block], find_module: FindModule = lambda path: None) -> None:
        self.blocks = [block for file in files for block in file.blocks]
        self.find_module = find_module

    def of(self, keyword: str) -> list[Block]:
        """The blocks of a kind."""
        return [block for block in self.blocks if block.keyword == keyword]

    def module_paths(self) -> list[str]:
        """The paths of the local modules that it calls."""
        sources = [block.attribute("source") for block in self.of("module")]
        texts = [str(node.data) for node in sources if isinstance(node, Literal)]
        return [text for text in texts if text.startswith(".")]


class TerraformModule:
    """A module with the values of its variables; the scope of its expressions."""

    def __init__(self, files: TerraformFiles, variables: Mapping[str, Value] | None = None) -> None:
        self._files = files
        self._given = dict(variables or {})
        self._variables = {block.labels[0]: block for block in files.of("variable") if block.labels}
        self._locals = {name: node for block in files.of("locals") for name, _, node in block.attributes}
        self._declared = {block.labels[:2]: block for block in [*files.of("resource"), *files.of("data")]}
        self._definitions = Definitions()
        self._evaluator = Evaluator(self, TERRAFORM)

    # The scope of expressions

    def name(self, name: str, mark: Mark) -> Value:
        """A name alone: a variable of a loop, or the beginning of a reference."""
        return unknown(mark, f"'{name}' is known when it is applied", hint=name)

    def member(self, node: Member, evaluate: Callable[[Node], Value]) -> Value | None:
        """var.x, local.x, and attributes of resources, which keep the name of their type."""
        if isinstance(node.target, Name):
            if node.target.name == "var":
                return self._once(f"var.{node.name}", lambda: self._variable(node.name, node.mark), node.mark)
            if node.target.name == "local":
                return self._once(f"local.{node.name}", lambda: self._local(node.name, node.mark), node.mark)
        labels = _resource_labels(node)
        if labels is not None and labels in self._declared:
            return unknown(node.mark, "it is known when it is applied", hint=self._hint(labels))
        target = evaluate(node.target)
        if not target.known and target.hint and not target.inputs:
            return unknown(node.mark, "", target, hint=f"{target.hint}.{node.name}")
        return member_of(target, node.name, node.mark)

    def call(self, node: Call, arguments: Callable[[], list[Value]]) -> Value | None:
        """Functions of the common table only."""
        if node.name == "yamldecode" and arguments() and arguments()[0].known:
            return replace(arguments()[0], spelling="yaml")
        return None

    def _hint(self, labels: tuple[str, ...]) -> str:
        block = self._declared[labels]
        kind = block.attribute("type")
        if labels[0].startswith("azapi_") and isinstance(kind, Literal):
            listed = "list of " if "list" in labels[0] else ""
            return f"{listed}{str(kind.data).partition('@')[0].lower()}.{labels[1]}"
        if labels[0] == "azurerm_resources" and isinstance(kind, Literal):
            return f"list of {str(kind.data).lower()}.{labels[1]}"
        return ".".join(labels)

    def _once(self, key: str, find: Callable[[], Value], mark: Mark) -> Value:
        return self._definitions.once(key, find, mark, f"{key} refers to itself")

    def _variable(self, name: str, mark: Mark) -> Value:
        block = self._variables.get(name)
        sensitive = block.attribute("sensitive") if block is not None else None
        is_secure = isinstance(sensitive, Literal) and sensitive.data is True
        given = self._given.get(name)
        default = block.attribute("default") if block is not None else None
        if given is not None:
            value = given
        elif default is not None:
            value = self._evaluator.evaluate(default)
            if value.data is None or (value.is_mapping and not value.data):
                value = unknown(value.mark, f"variable '{name}' has no default value", choices=(value,))
        else:
            value = unknown(block.mark if block is not None else mark, f"variable '{name}' has no default value")
        plain = value.plain_inputs if is_secure or block is None else value.plain_inputs | {name}
        secret = value.is_secret or is_secure
        return replace(value, inputs=value.inputs | {name}, plain_inputs=plain, is_secret=secret)

    def _local(self, name: str, mark: Mark) -> Value:
        node = self._locals.get(name)
        return self._evaluator.evaluate(node) if node is not None else unknown(mark, f"local.{name} is not declared")

    # Resources

    def evaluate(self, node: Node | None, mark: Mark) -> Value:
        """The value of an expression; null where there is none."""
        return self._evaluator.evaluate(node) if node is not None else Value(None, mark)

    def attributes(self, block: Block) -> Value:
        """The attributes of a block as a mapping."""
        data = {name: self._evaluator.evaluate(node) for name, _, node in block.attributes}
        data = {name: value for name, value in data.items() if not (value.known and value.data is None)}
        return Value(data, block.mark, keys={name: mark for name, mark, _ in block.attributes})

    def resources(self, depth: int = 0) -> Iterator[Resource]:
        """The resources of the module and of the local modules that it calls."""
        for block in self._files.of("resource"):
            kind = block.labels[0] if block.labels else ""
            if kind in load("lint")["azurerm"]:
                yield self._extension(block)
            elif kind in AZAPI:
                yield self._azapi(block)
            elif kind in OTHER_TYPES:
                yield self._other(block)
        for block in self._files.of("module"):
            yield from self._module(block, depth)

    def scripts(self) -> Iterator[Script]:
        """The commands of local-exec provisioners."""
        for block in self._files.of("resource"):
            for inner in block.blocks:
                command = inner.attribute("command")
                if inner.keyword == "provisioner" and command is not None:
                    value = self._evaluator.evaluate(command)
                    interpreter = self.evaluate(inner.attribute("interpreter"), inner.mark)
                    is_powershell = any("powershell" in item.text.lower() or "pwsh" in item.text.lower()
                                        for item in interpreter.elements())  # fmt: skip
                    yield Script(value.description, command.mark, "powershell" if is_powershell else "shell")

    def _extension(self, block: Block) -> Resource:
        values = self.attributes(block)
        data = {EXTENSION_ATTRIBUTES[name]: value for name, value in values.items() if name in EXTENSION_ATTRIBUTES}
        keys = {EXTENSION_ATTRIBUTES[name]: mark for name, mark in values.keys.items() if name in EXTENSION_ATTRIBUTES}
        scope = {
            place: Value({name: value}, block.mark, keys={name: values.key_mark(attribute)})
            for attribute, place, name in (
                ("release_namespace", "cluster", "releaseNamespace"),
                ("target_namespace", "namespace", "targetNamespace"),
            )
            if (value := values.get(attribute)) is not None
        }
        data["scope"] = Value(scope, block.mark)
        content = {"properties": Value(data, block.mark, keys=keys), "azurerm": values, **self._identity(block)}
        cluster = values.get("cluster_id")
        return Resource(
            "terraform",
            "azurerm",
            EXTENSIONS,
            block.mark,
            Value(content, block.mark),
            values.get("name"),
            cluster,
            ignored=_ignored_changes(block),
            label=block.labels[0],
        )

    def _identity(self, block: Block) -> dict[str, Value]:
        identity = block.block("identity")
        return {"identity": self.attributes(identity)} if identity is not None else {}

    def _azapi(self, block: Block) -> Resource:
        values = self.attributes(block)
        kind = values.get("type")
        type_name = kind.text.partition("@")[0].lower() if kind is not None else ""
        body = values.get("body")
        content = decoded_body(body) if body is not None else Value({}, block.mark)
        outer = Value(
            {name: values.get(name) or Value(None, block.mark) for name in ("location",) if name in values},
            block.mark,
            keys=values.keys,
        )
        whole = merged(block.mark, [content, outer, Value(self._identity(block), block.mark)])
        is_update = block.labels[0] == "azapi_update_resource"
        return Resource(
            "terraform",
            "azapi_update" if is_update else "azapi",
            type_name,
            block.mark,
            whole,
            values.get("name"),
            values.get("parent_id") or values.get("resource_id"),
            ignored=_ignored_changes(block),
            label=block.labels[0],
        )

    def _other(self, block: Block) -> Resource:
        values = self.attributes(block)
        kind = block.labels[0]
        if kind.endswith("authorization_rule"):
            values = Value({"properties": Value({"rights": self._rights(block)}, block.mark)}, block.mark)
        elif kind == "azurerm_relay_hybrid_connection":
            required = values.get("requires_client_authorization")
            data = {"requiresClientAuthorization": required} if required is not None else {}
            values = Value({"properties": Value(data, block.mark)}, block.mark)
        scope = values.get("scope")
        return Resource(
            "terraform", "azurerm", OTHER_TYPES[kind], block.mark, values, values.get("name"), scope, label=kind
        )

    def _rights(self, block: Block) -> Value:
        values = self.attributes(block)
        rights = tuple(
            Value(name.capitalize(), block.mark)
            for name in ("manage", "send", "listen")
            if (value := values.get(name)) is not None and (not value.known or value.data is True)
        )
        is_known = all(value.known for _, value in values.items())
        return Value(rights, block.mark, is_open=not is_known)

    def _module(self, block: Block, depth: int) -> Iterator[Resource]:
        source = block.attribute("source")
        path = str(source.data) if isinstance(source, Literal) else ""
        values = self.attributes(block)
        if module_kind(path):
            yield from module_resources("terraform", path, block.mark, values, has_condition=False)
            return
        files = self._files.find_module(path) if path.startswith(".") and depth < 8 else None
        if files is not None:
            yield from TerraformModule(files, dict(values.items())).resources(depth + 1)


def decoded_body(value: Value) -> Value:
    """The body of an azapi resource, also one that is written as JSON text."""
    if not value.text:
        return value
    try:
        return read_json(value.text, value.mark.source).at(value.mark)
    except InvalidSyntax:
        return unknown(value.mark, "the body is not JSON")


def _resource_labels(node: Member) -> tuple[str, ...] | None:
    """Type and name of the resource that type.name, data.type.name or type.name[0] refers to; else None."""
    target = node.target
    if isinstance(target, Name):
        return (target.name, node.name)
    if isinstance(target, Member) and isinstance(target.target, Name) and target.target.name == "data":
        return (target.name, node.name)
    return None


def _ignored_changes(block: Block) -> tuple[str, ...]:
    """The paths of lifecycle.ignore_changes; "all" for all of them."""
    lifecycle = block.block("lifecycle")
    node = lifecycle.attribute("ignore_changes") if lifecycle is not None else None
    if isinstance(node, Name):
        return (node.name,)
    items = node.items if isinstance(node, Array) else ()
    return tuple(path for item in items if (path := _path_of(item)))


def _path_of(node: Node) -> str:
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Literal):
        return str(node.data)
    if isinstance(node, Member):
        return f"{_path_of(node.target)}.{node.name}"
    return _path_of(node.target) if isinstance(node, Index) else ""


def read_variables(file: Block) -> dict[str, Value]:
    """The values of a .tfvars file."""
    module = TerraformModule(TerraformFiles([]))
    return dict(module.attributes(file).items())
