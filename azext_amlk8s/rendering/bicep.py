"""Templates as Bicep files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from azext_amlk8s.rendering.expressions import Expression, Item, Note, Value, bicep_argument, bicep_key, escape_bicep
from azext_amlk8s.rendering.inputs import ENV, FILE, SecretReference
from azext_amlk8s.rendering.template_model import (
    Module,
    Resource,
    Template,
    TemplateParameter,
    TemplateVariable,
    VaultSecret,
)

INDENT = "  "


def bicep_text(template: Template, header: Iterable[str] = ()) -> str:
    """A template as the text of a Bicep file; header are lines of the comment at the top.

    https://learn.microsoft.com/azure/azure-resource-manager/bicep/file
    """
    blocks: list[Iterable[str]] = []
    if lines := list(header):
        blocks.append([f"// {line}".rstrip() for line in lines])
    description = escape_bicep(template.description)
    blocks.append([f"metadata description = '{description}'", "", f"targetScope = '{template.scope}'"])
    blocks += [_parameter(parameter) for parameter in template.parameters]
    blocks += [_variable(variable) for variable in template.variables]
    blocks += [_resource(resource) for resource in template.resources]
    blocks += [_module(module) for module in template.modules]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def bicep_files(template: Template, name: str, header: Iterable[str] = ()) -> dict[str, str]:
    """A template and its modules, by path."""
    files = {name: bicep_text(template, header)}
    folder = name.rpartition("/")[0]
    for module in template.modules:
        path = f"{folder}/{module.path}" if folder else module.path
        files |= bicep_files(module.template, path)
    return files


def parameter_file(
    values: Mapping[str, Value], secrets: Mapping[str, SecretReference], using: str, header: Iterable[str] = ()
) -> str:
    """The text of a .bicepparam file. Secrets are read where the setup file says they are, never written."""
    blocks = [[f"// {line}".rstrip() for line in header], [f"using '{using}'"]]
    blocks += [list(_assignment(f"param {name} =", value)) for name, value in values.items()]
    blocks += [list(_secret(name, secret)) for name, secret in secrets.items()]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _secret(name: str, secret: SecretReference) -> Iterator[str]:
    if secret.kind == ENV:
        yield f"param {name} = readEnvironmentVariable('{escape_bicep(secret.source)}')"
    elif secret.kind == FILE:
        yield f"param {name} = loadTextContent('{escape_bicep(secret.source)}')"
    else:
        yield f"// From {secret.source}."
        yield f"param {name} = readEnvironmentVariable('{environment_name(name)}')"


def environment_name(parameter: str) -> str:
    """The environment variable for a parameter, SCORING_FE_SSL_CERT for scoringFeSslCert."""
    return "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in parameter)


def _parameter(parameter: TemplateParameter) -> Iterator[str]:
    yield f"@description('{escape_bicep(parameter.description)}')"
    if parameter.secure:
        yield "@secure()"
    head = f"param {parameter.name} {parameter.type}"
    if parameter.default is None:
        yield head
    else:
        yield from _assignment(f"{head} =", parameter.default)


def _variable(variable: TemplateVariable) -> Iterator[str]:
    if variable.comment:
        yield f"// {variable.comment}"
    yield from _assignment(f"var {variable.name} =", variable.value)


def _resource(resource: Resource) -> Iterator[str]:
    if resource.comment:
        yield f"// {resource.comment}"
    head = f"resource {resource.symbol} '{resource.type}@{resource.api_version}' {'existing ' * resource.existing}="
    body: dict[str, Value] = {}
    if resource.parent:
        body["parent"] = _Raw(resource.parent.symbol)
    if resource.scope:
        body["scope"] = _Raw(resource.scope.symbol)
    if resource.group is not None:
        places = [place for place in (resource.subscription, resource.group) if place is not None]
        body["scope"] = _Raw(f"resourceGroup({', '.join(map(bicep_argument, places))})")
    body["name"] = resource.name
    body |= resource.body
    yield from _declaration(head, body, resource.loop)


def _module(module: Module) -> Iterator[str]:
    if module.comment:
        yield f"// {module.comment}"
    group = bicep_argument(module.group)
    place = f"{bicep_argument(module.subscription)}, {group}" if module.subscription is not None else group
    body: dict[str, Value] = {
        "name": module.name,
        "scope": _Raw(f"resourceGroup({place})"),
        "params": {name: _argument(value) for name, value in module.parameters.items()},
    }
    if module.depends_on:
        body["dependsOn"] = [_Raw(resource.symbol) for resource in module.depends_on]
    yield from _declaration(f"module {module.symbol} '{module.path}' =", body, module.loop, module.condition)


def _argument(value: Value) -> Value:
    if isinstance(value, VaultSecret):
        return _Raw(f"{value.vault.symbol}.getSecret('{escape_bicep(value.secret)}')")
    return value


def _declaration(
    head: str, body: Mapping[str, Value], loop: Item | None, condition: Expression | None = None
) -> Iterator[str]:
    """A resource or a module, with its loop and its condition."""
    guard = f"if ({condition.bicep()}) " if condition else ""
    lines = list(_lines(body))
    if loop:
        lines[0] = f"[for {loop.name} in {loop.array.bicep()}: {guard}{lines[0]}"
        lines[-1] += "]"
    else:
        lines[0] = guard + lines[0]
    yield f"{head} {lines[0]}"
    yield from lines[1:]


class _Raw(Expression):  # pylint: disable=abstract-method
    """A piece of Bicep that ARM JSON does not have."""

    def __init__(self, text: str) -> None:
        self._text = text

    def bicep(self) -> str:
        return self._text


def _assignment(head: str, value: Value) -> Iterator[str]:
    first, *others = _lines(value)
    yield f"{head} {first}"
    yield from others


def _lines(value: Value) -> Iterator[str]:
    """The lines of a value; objects and arrays have a line for each element."""
    if isinstance(value, Mapping) and value:
        yield "{"
        for key, inner in value.items():
            yield from _property(key, inner)
        yield "}"
    elif isinstance(value, (list, tuple)) and value:
        yield "["
        for inner in value:
            yield from (f"{INDENT}{line}" for line in _lines(inner))
        yield "]"
    else:
        yield _scalar(value)


def _property(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, Note):
        yield f"{INDENT}// {value.comment}"
        value = value.value
    first, *others = _lines(value)
    yield f"{INDENT}{bicep_key(key)}: {first}"
    yield from (f"{INDENT}{line}" for line in others)


def _scalar(value: Value) -> str:
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, (list, tuple)):
        return "[]"
    if value is None:
        return "null"
    return bicep_argument(value)
