"""The parameters of a template: defaults, types, limits, secrets.

https://learn.microsoft.com/azure/azure-resource-manager/templates/parameters
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.azure.deployments.collection_functions import find_key
from sandbox.azure.deployments.evaluation import Evaluator
from sandbox.azure.deployments.expressions import TemplateError

MAX_PARAMETERS = 256
SECURE = ("securestring", "secureobject")
TYPES: Mapping[str, tuple[str, type | tuple[type, ...]]] = {
    "string": ("String", str),
    "securestring": ("SecureString", str),
    "int": ("Int", int),
    "bool": ("Bool", bool),
    "object": ("Object", dict),
    "secureobject": ("SecureObject", dict),
    "array": ("Array", list),
}


def read_parameters(
    template: Mapping[str, Any],
    given: Mapping[str, Any],
    evaluate: Callable[[], Evaluator],
    values: dict[str, Any],
    read_secret: Callable[[Mapping[str, Any]], str],
) -> None:
    """Fill values with those of all parameters, by their names in the template. Raises TemplateError."""
    declared = template.get("parameters") or {}
    if len(declared) > MAX_PARAMETERS:
        raise TemplateError(
            f"The number of template parameters limit exceeded. Limit: '{MAX_PARAMETERS}' and actual: "
            f"'{len(declared)}'. Please see https://aka.ms/arm-syntax-parameters for usage details."
        )
    if unknown := [name for name in given if find_key(declared, name) is None]:
        raise TemplateError(
            f"The template parameters '{', '.join(unknown)}' in the parameters file are not valid; they are not "
            "present in the original template and can therefore not be provided at deployment time. The only "
            f"supported parameters for this template are '{', '.join(declared)}'. Please see "
            "https://aka.ms/arm-pass-parameter-values for usage details."
        )
    for name, entry in declared.items():
        declaration = resolve_type(template, entry)
        key = find_key(given, name)
        sent = given[key] if key is not None else None
        if isinstance(sent, dict) and "reference" in sent:
            value = read_secret(sent["reference"])
        elif (
            isinstance(sent, dict) and "value" in sent and not (sent["value"] is None and "defaultValue" in declaration)
        ):
            value = sent["value"]
        elif "defaultValue" in declaration:
            value = evaluate().value(declaration["defaultValue"])
        elif declaration.get("nullable"):
            value = None
        else:
            raise TemplateError(
                f"The value for the template parameter '{name}' at line '1' and column '1' is not provided. "
                "Please see https://aka.ms/arm-create-parameter-file for usage details."
            )
        _require_valid(name, declaration, value)
        values[name] = value


def resolve_type(template: Mapping[str, Any], entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """A declaration with the definition that its $ref names, if any."""
    reference = str(entry.get("$ref") or "")
    if not reference.startswith("#/definitions/"):
        return entry
    definition = (template.get("definitions") or {}).get(reference.removeprefix("#/definitions/"))
    if definition is None:
        raise TemplateError(f"The type definition reference '{reference}' could not be resolved.")
    return {**resolve_type(template, definition), **{key: value for key, value in entry.items() if key != "$ref"}}


def _require_valid(name: str, declaration: Mapping[str, Any], value: Any) -> None:
    kind = str(declaration.get("type", "")).lower()
    if kind not in TYPES:
        raise TemplateError(
            f"The template parameter '{name}' at line '1' and column '1' has an invalid type "
            f"'{declaration.get('type')}'. Please see https://aka.ms/arm-syntax-parameters for usage details."
        )
    if value is None and declaration.get("nullable"):
        return
    title, expected = TYPES[kind]
    if not isinstance(value, expected) or (kind == "int" and isinstance(value, bool)):
        raise TemplateError(
            f"The provided value for the template parameter '{name}' is not valid. Expected a value of type "
            f"'{title}', but received a value of type '{_type_of(value)}'. Please see "
            "https://aka.ms/arm-create-parameter-file for usage details."
        )
    allowed = declaration.get("allowedValues")
    if allowed is not None and value not in allowed and not (isinstance(value, list) and set(value) <= set(allowed)):
        shown = "" if kind in SECURE else f" The value '{value}' is not part of the allowed value(s):"
        raise TemplateError(
            f"The provided value for the template parameter '{name}' is not valid.{shown} "
            f"'{','.join(str(choice) for choice in allowed)}'."
        )
    _require_limits(name, declaration, value)


def _require_limits(name: str, declaration: Mapping[str, Any], value: Any) -> None:
    if isinstance(value, str | list):
        word, size = "Length", len(value)
    elif isinstance(value, int):
        word, size = "Value", value
    else:
        return
    low, high = declaration.get(f"min{word}"), declaration.get(f"max{word}")
    if low is not None and size < low:
        bound = f"less than the minimum '{low}'"
    elif high is not None and size > high:
        bound = f"greater than the maximum '{high}'"
    else:
        return
    raise TemplateError(
        f"The provided value for the template parameter '{name}' is not valid. The {word.lower()} '{size}' is {bound}."
    )


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "Boolean"
    kinds = {str: "String", int: "Integer", float: "Float", dict: "Object", list: "Array"}
    return kinds.get(type(value), "Null")


def is_secure(declaration: Mapping[str, Any]) -> bool:
    """Whether a parameter or an output is a secret."""
    return str(declaration.get("type", "")).lower() in SECURE


def shown_type(declaration: Mapping[str, Any]) -> str:
    """The type as responses spell it."""
    kind = str(declaration.get("type", "")).lower()
    return TYPES[kind][0] if kind in TYPES else str(declaration.get("type"))


def shown(declaration: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """A parameter or an output in a response; the value of a secret is left out."""
    if is_secure(declaration):
        return {"type": shown_type(declaration)}
    return {"type": shown_type(declaration), "value": value}
