"""ARM templates: parameters, variables, user functions and nested deployments, into resources.

https://learn.microsoft.com/azure/azure-resource-manager/templates/syntax
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from azext_amlk8s.lint.evaluation import Definitions, Evaluator
from azext_amlk8s.lint.functions import ARM
from azext_amlk8s.lint.model import Resource
from azext_amlk8s.lint.nodes import Call, InvalidSyntax, Member, Name, Node
from azext_amlk8s.lint.reader import read_arm_expression
from azext_amlk8s.lint.values import Mark, Value, unknown

SECURE = ("securestring", "secureobject")
DEPLOYMENTS = "microsoft.resources/deployments"
MAX_DEPTH = 12


class Template:
    """A template with the values of its parameters; the scope of its expressions."""

    def __init__(self, root: Value, parameters: Mapping[str, Value]) -> None:
        self.root = root
        self._parameters = {name.lower(): value for name, value in parameters.items()}
        self._evaluator = Evaluator(self, ARM)
        self._definitions = Definitions()
        self._locals: dict[str, Value] = {}

    # The scope of expressions

    def name(self, name: str, mark: Mark) -> Value:
        """Names stand for nothing in ARM; a namespace of functions is one."""
        return unknown(mark, f"'{name}' is not a function")

    def member(self, node: Member, evaluate: Callable[[Node], Value]) -> Value | None:
        """Members of values only."""
        return None

    def call(self, node: Call, arguments: Callable[[], list[Value]]) -> Value | None:
        """parameters, variables, functions of the template, and what only Azure knows."""
        name = node.name.lower()
        if isinstance(node.target, Name):
            return self._user_function(node.target.name, node.name, arguments(), node.mark)
        if name in ("parameters", "variables"):
            values = arguments()
            key = values[0].text if values else ""
            found = self._parameter(key, node.mark) if name == "parameters" else self._variable(key, node.mark)
            return found
        if name.startswith("list") and name not in ARM:
            return unknown(node.mark, "", *arguments(), is_secret=True)
        return None

    def _parameter(self, name: str, mark: Mark) -> Value:
        if name.lower() in self._locals:
            return self._locals[name.lower()]
        return self._once(f"parameter {name.lower()}", lambda: self._find_parameter(name, mark), mark)

    def _find_parameter(self, name: str, mark: Mark) -> Value:
        declared = self.root.get("parameters", name)
        if declared is None:
            return unknown(mark, f"parameter '{name}' is not declared")
        kind = declared.get("type")
        is_secure = kind is not None and kind.text.lower() in SECURE
        given = self._parameters.get(name.lower())
        default = declared.get("defaultValue")
        value = given if given is not None else self.evaluate(default) if default is not None else None
        if value is None:
            value = unknown(declared.mark, f"parameter '{name}' has no default value")
        if kind is not None and "object" in kind.text.lower() and given is None and not value.data:
            value = replace(value, is_open=True)
        return with_input(value, name, is_secure)

    def _variable(self, name: str, mark: Mark) -> Value:
        return self._once(f"variable {name.lower()}", lambda: self._find_variable(name, mark), mark)

    def _find_variable(self, name: str, mark: Mark) -> Value:
        value = self.root.get("variables", name)
        return self.evaluate(value) if value is not None else unknown(mark, f"variable '{name}' is not declared")

    def _once(self, key: str, find: Callable[[], Value], mark: Mark) -> Value:
        return self._definitions.once(key, find, mark, "it refers to itself")

    def _user_function(self, namespace: str, name: str, arguments: list[Value], mark: Mark) -> Value:
        for group in self._elements("functions"):
            space, member = group.get("namespace"), group.get("members", name)
            if member is None or space is None or space.text.lower() != namespace.lower():
                continue
            names = [parameter.get("name") for parameter in (member.get("parameters") or group).elements()]
            output = member.get("output", "value")
            before = self._locals
            self._locals = {
                each.text.lower(): value for each, value in zip(names, arguments, strict=False) if each is not None
            }
            try:
                return self.evaluate(output) if output is not None else unknown(mark, "")
            finally:
                self._locals = before
        return unknown(mark, f"function '{namespace}.{name}' is not declared", *arguments)

    def _elements(self, name: str) -> tuple[Value, ...]:
        found = self.root.get(name)
        return found.elements() if found is not None else ()

    # Values and resources

    def evaluate(self, value: Value) -> Value:
        """A value of the template with its expressions replaced by what they yield."""
        if value.is_mapping:
            data = {self._key(key, value.mark): self.evaluate(inner) for key, inner in value.items() if key != "copy"}
            return replace(value, data=data, is_open=value.is_open or "copy" in value)
        if isinstance(value.data, tuple):
            return replace(value, data=tuple(self.evaluate(item) for item in value.data))
        if not is_expression(value.text):
            return replace(value, data=value.text[1:]) if value.text.startswith("[[") else value
        try:
            node = read_arm_expression(value.text.strip()[1:-1], value.mark)
        except InvalidSyntax as error:
            return unknown(value.mark, f"the expression is invalid: {error.problem}")
        found = self._evaluator.evaluate(node)
        return found if found.is_mapping or isinstance(found.data, tuple) else found.at(value.mark)

    def _key(self, key: str, mark: Mark) -> str:
        return self.evaluate(Value(key, mark)).text or key if is_expression(key) else key

    def resources(self, depth: int = 0) -> Iterator[Resource]:
        """The resources of the template and of its nested deployments."""
        found = self.root.get("resources")
        if found is None or depth > MAX_DEPTH:
            return
        for label, resource in [*found.items(), *(("", item) for item in found.elements())]:
            yield from self._resource(resource, "", label, depth)

    def _resource(self, raw: Value, parent: str, label: str, depth: int) -> Iterator[Resource]:
        kind = raw.get("type")
        existing = raw.get("existing")
        if kind is None or (existing is not None and existing.data is True):
            return
        type_name = "/".join(filter(None, (parent, self.evaluate(kind).text.lower())))
        if type_name.rsplit("/", 1)[-1:] and type_name.startswith(DEPLOYMENTS):
            yield from self._nested(raw, depth)
            return
        content = {key: value for key, value in raw.items() if key != "resources"}
        body = self.evaluate(replace(raw, data=content))
        yield Resource(
            "arm",
            "resource",
            type_name,
            raw.mark,
            body,
            body.get("name"),
            body.get("scope"),
            "condition" in raw,
            label=label,
        )
        children = raw.get("resources")
        for child in children.elements() if children is not None else ():
            child_type = child.get("type")
            prefix = "" if child_type is not None and "/providers/" in child_type.text else type_name
            yield from self._resource(child, prefix, "", depth)

    def _nested(self, raw: Value, depth: int) -> Iterator[Resource]:
        inner = raw.get("properties", "template")
        if inner is None:
            return
        options = raw.get("properties", "expressionEvaluationOptions", "scope")
        is_inner = options is not None and options.text.lower() == "inner"
        if not is_inner:
            # Expressions of an outer-scoped template are those of its parent.
            outer = Template(
                replace(self.root, data={**dict(self.root.items()), **_resources_of(inner)}), self._parameters
            )
            yield from _guarded(outer.resources(depth + 1), "condition" in raw)
            return
        given = raw.get("properties", "parameters")
        parameters = {
            name: self.evaluate(value)
            for name, entry in (given.items() if given is not None else ())
            if (value := entry.get("value")) is not None
        }
        yield from _guarded(Template(inner, parameters).resources(depth + 1), "condition" in raw)


def _guarded(resources: Iterator[Resource], has_condition: bool) -> Iterator[Resource]:
    for resource in resources:
        yield replace(resource, has_condition=resource.has_condition or has_condition)


def _resources_of(template: Value) -> dict[str, Value]:
    found = template.get("resources")
    return {"resources": found} if found is not None else {"resources": Value((), template.mark)}


def is_expression(text: str) -> bool:
    """Whether a text of a template is an expression."""
    text = text.strip()
    return text.startswith("[") and not text.startswith("[[") and text.endswith("]")


def with_input(value: Value, name: str, is_secure: bool) -> Value:
    """A value that comes from a parameter."""
    plain = value.plain_inputs if is_secure else value.plain_inputs | {name}
    return replace(value, inputs=value.inputs | {name}, plain_inputs=plain, is_secret=value.is_secret or is_secure)


def is_template(root: Value) -> bool:
    """Whether a document is an ARM template."""
    schema = root.get("$schema")
    return "resources" in root and (
        (schema is not None and "deploymenttemplate.json" in schema.text.lower()) or "contentVersion" in root
    )


def is_parameter_file(root: Value) -> bool:
    """Whether a document is a parameter file of an ARM template."""
    schema = root.get("$schema")
    return schema is not None and "deploymentparameters.json" in schema.text.lower()


def read_parameters(root: Value) -> dict[str, Value]:
    """The values of a parameter file; a reference to Key Vault is a secret."""
    found = root.get("parameters")
    values: dict[str, Value] = {}
    for name, entry in found.items() if found is not None else ():
        value = entry.get("value")
        if value is not None:
            values[name] = value
        elif "reference" in entry:
            values[name] = unknown(entry.mark, "it is read from Key Vault", is_secret=True)
    return values


def template_resources(root: Value, parameters: Mapping[str, Value] | None = None) -> list[Resource]:
    """The resources of a template, with its expressions evaluated as far as they can be known."""
    return list(Template(root, parameters or {}).resources())
