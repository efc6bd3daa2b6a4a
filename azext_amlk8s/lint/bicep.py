"""Bicep files into resources: parameters, variables, modules and parameter files are evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from azext_amlk8s.lint.arm import SECURE, with_input
from azext_amlk8s.lint.bicep_reader import Declaration
from azext_amlk8s.lint.evaluation import Definitions, Evaluator, member_of
from azext_amlk8s.lint.functions import ARM
from azext_amlk8s.lint.model import Resource
from azext_amlk8s.lint.modules import module_kind, module_resources
from azext_amlk8s.lint.nodes import Call, Loop, Member, Name, Node, Object
from azext_amlk8s.lint.values import Mark, Value, unknown

NAMESPACES = ("sys", "az")
# Finds the declarations of a module by its path, relative to the file; None where it is not among the files.
FindModule = Callable[[str], "tuple[Declaration, ...] | None"]


class BicepFile:
    """A Bicep file with the values of its parameters; the scope of its expressions."""

    def __init__(
        self,
        declarations: tuple[Declaration, ...],
        parameters: Mapping[str, Value] | None = None,
        find_module: FindModule = lambda path: None,
    ) -> None:
        self._declared: dict[str, Declaration] = {}
        self._declarations = declarations
        for declaration in declarations:
            self._declare(declaration)
        self._parameters = dict(parameters or {})
        self._definitions = Definitions()
        self._find_module = find_module
        self._evaluator = Evaluator(self, ARM)

    def _declare(self, declaration: Declaration) -> None:
        self._declared.setdefault(declaration.name, declaration)
        body = declaration.value.body if isinstance(declaration.value, Loop) else declaration.value
        for nested in body.resources if isinstance(body, Object) else ():
            if isinstance(nested, Declaration):
                self._declare(nested)

    # The scope of expressions

    def name(self, name: str, mark: Mark) -> Value:
        """A parameter, a variable, or a resource as a value that only its type is known of."""
        return self._definitions.once(name, lambda: self._find(name, mark), mark, f"'{name}' refers to itself")

    def _find(self, name: str, mark: Mark) -> Value:
        declaration = self._declared.get(name)
        if declaration is None:
            return unknown(mark, f"'{name}' is not declared")
        if declaration.keyword == "param":
            return self._parameter(declaration)
        if declaration.keyword == "var" and declaration.value is not None:
            return self._evaluator.evaluate(declaration.value)
        hint = f"{declaration.target.partition('@')[0]}.{name}"
        return unknown(declaration.mark, "properties of resources are not known", hint=hint)

    def _parameter(self, declaration: Declaration) -> Value:
        name = declaration.name
        is_secure = "secure" in declaration.decorators or declaration.target.lower() in SECURE
        given = self._parameters.get(name)
        if given is not None:
            value = given
        elif declaration.value is not None:
            value = self._evaluator.evaluate(declaration.value)
        elif declaration.target.endswith("?"):
            value = unknown(
                declaration.mark, f"parameter '{name}' is optional", choices=(Value(None, declaration.mark),)
            )
        else:
            value = unknown(declaration.mark, f"parameter '{name}' has no default value")
        if value.is_mapping and not value.data and given is None:
            value = replace(value, is_open=True)
        return with_input(value, name, is_secure)

    def member(self, node: Member, evaluate: Callable[[Node], Value]) -> Value | None:
        """Properties of resources, which keep the type of the resource; ids and names of their kind."""
        if isinstance(node.target, Name) and node.target.name in NAMESPACES:
            return None
        target = evaluate(node.target)
        if not target.known and target.hint:
            return unknown(node.mark, "", target, hint=f"{target.hint}.{node.name}")
        return member_of(target, node.name, node.mark)

    def call(self, node: Call, arguments: Callable[[], list[Value]]) -> Value | None:
        """Methods of resources, and what only Azure knows."""
        name = node.name.lower()
        if name.startswith("list") or name == "getsecret":
            return unknown(node.mark, "", *arguments(), is_secret=True)
        if isinstance(node.target, Name) and node.target.name in NAMESPACES:
            return self._evaluator.evaluate(replace(node, target=None))
        if node.target is not None:
            return unknown(node.mark, "", *arguments())
        if name in ("resourcegroup", "subscription", "deployment", "tenant"):
            return unknown(node.mark, "it is known in Azure only", hint=name)
        if name == "readenvironmentvariable":
            return unknown(node.mark, "it is read from the environment", *arguments(), is_secret=True)
        return None

    # Resources

    def evaluate(self, node: Node) -> Value:
        """The value of a node of the file."""
        return self._evaluator.evaluate(node)

    def resources(self, depth: int = 0) -> Iterator[Resource]:
        """The resources that the file deploys, with those of its modules."""
        for declaration in self._declarations:
            if declaration.keyword == "resource":
                yield from self._resource(declaration, "")
            elif declaration.keyword == "module":
                yield from self._module(declaration, depth)

    def _body(self, declaration: Declaration) -> tuple[Node | None, Value]:
        node = declaration.value
        if isinstance(node, Loop):
            node = node.body
        if node is None:
            return None, unknown(declaration.mark, "")
        return node, self._evaluator.evaluate(node)

    def _resource(self, declaration: Declaration, parent: str) -> Iterator[Resource]:
        node, body = self._body(declaration)
        type_name = "/".join(filter(None, (parent, declaration.target.partition("@")[0]))).lower()
        if not declaration.is_existing:
            yield Resource(
                "bicep",
                "resource",
                type_name,
                declaration.mark,
                body,
                body.get("name"),
                body.get("scope"),
                declaration.has_condition,
                label=declaration.name,
            )
        for nested in node.resources if isinstance(node, Object) else ():
            if isinstance(nested, Declaration):
                yield from self._resource(nested, type_name)

    def _module(self, declaration: Declaration, depth: int) -> Iterator[Resource]:
        _, body = self._body(declaration)
        parameters = body.get("params") or Value({}, declaration.mark)
        if module_kind(declaration.target):
            yield from module_resources(
                "bicep", declaration.target, declaration.mark, parameters, declaration.has_condition
            )
            return
        found = self._find_module(declaration.target) if depth < 8 else None
        if found is None:
            return
        given = dict(parameters.items())
        if parameters.is_open:
            given = {name: unknown(parameters.mark, "") for name in given}
        inner = BicepFile(found, given, self._module_finder(declaration.target))
        for resource in inner.resources(depth + 1):
            yield replace(resource, has_condition=resource.has_condition or declaration.has_condition)

    def _module_finder(self, path: str) -> FindModule:
        """Finds modules relative to a module of this file."""
        folder = path.rpartition("/")[0]

        def find(inner: str) -> tuple[Declaration, ...] | None:
            return self._find_module(f"{folder}/{inner}" if folder else inner)

        return find


def module_paths(declarations: tuple[Declaration, ...]) -> list[str]:
    """The paths of the local modules that a file deploys."""
    return [
        declaration.target
        for declaration in declarations
        if declaration.keyword == "module" and declaration.target.endswith(".bicep")
    ]


def parameter_values(declarations: tuple[Declaration, ...]) -> tuple[str, dict[str, Value]]:
    """The path of the file that a .bicepparam file is for, and its values."""
    file = BicepFile(declarations)
    path = next((each.target for each in declarations if each.keyword == "using"), "")
    values = {
        each.name: file.evaluate(each.value)
        for each in declarations
        if each.keyword == "param" and each.value is not None
    }
    return path, values
