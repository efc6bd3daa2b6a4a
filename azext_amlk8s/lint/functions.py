"""The functions of templates that are evaluated, by language.

https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions
https://developer.hashicorp.com/terraform/language/functions
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from azext_amlk8s.lint.evaluation import Function, compared, conditional, join_texts, logical, merged, negated, to_text
from azext_amlk8s.lint.values import HOLE, Mark, Value, known, literal, unknown
from azext_amlk8s.values import parse_json

# A list may double with each name that it refers to.
MOST_ITEMS = 100_000
Texts = Callable[..., Any]


def _of_texts(function: Texts) -> Function:
    """A function of texts and other plain values, unknown where one of its arguments is."""

    def call(mark: Mark, values: list[Value]) -> Value:
        if not all(value.is_complete() for value in values):
            return unknown(mark, "", *values, hint=next((value.hint for value in values if value.hint), ""))
        result = literal(function(*(value.plain() for value in values)), mark)
        return known(result.data, mark, *values)

    return call


def _concat(mark: Mark, values: list[Value]) -> Value:
    if sum(len(value.elements()) for value in values) > MOST_ITEMS:
        return unknown(mark, "the list is too long", *values)
    if values and all(isinstance(value.data, tuple) for value in values):
        return known(tuple(item for value in values for item in value.elements()), mark, *values)
    return join_texts(mark, values)


def _arm_format(mark: Mark, values: list[Value]) -> Value:
    pattern = values[0].text
    parts: list[Value] = []
    for piece in re.split(r"(\{\d+[^}]*\})", pattern):
        number = re.match(r"\{(\d+)", piece)
        parts.append(values[int(number.group(1)) + 1] if number else Value(piece, mark))
    return join_texts(mark, parts)


def _terraform_format(mark: Mark, values: list[Value]) -> Value:
    parts: list[Value] = []
    rest = list(values[1:])
    for piece in re.split(r"(%[-+ #0-9.]*[a-zA-Z%])", values[0].text):
        if piece == "%%":
            parts.append(Value("%", mark))
        elif piece.startswith("%") and len(piece) > 1 and rest:
            parts.append(rest.pop(0))
        else:
            parts.append(Value(piece, mark))
    return join_texts(mark, parts)


def _coalesce(mark: Mark, values: list[Value]) -> Value:
    for value in values:
        if not value.known:
            return unknown(mark, "", *values, choices=tuple(values))
        if value.data not in (None, ""):
            return value
    return Value(None, mark)


def _if(mark: Mark, values: list[Value]) -> Value:
    return conditional(mark, values[0], values[1], values[2])


def _create_object(mark: Mark, values: list[Value]) -> Value:
    names, contents = values[::2], values[1::2]
    data = {name.text: content for name, content in zip(names, contents, strict=False) if name.known}
    keys = {name.text: name.mark for name in names if name.known}
    return Value(data, mark, keys=keys, is_open=not all(name.known for name in names))


def _create_array(mark: Mark, values: list[Value]) -> Value:
    return known(tuple(values), mark, *values)


def _first(mark: Mark, values: list[Value]) -> Value:
    """A function that gives its argument as it is, as far as lint is concerned."""
    return values[0]


def _to_text(mark: Mark, values: list[Value]) -> Value:
    value = values[0]
    text = to_text(value)
    if text is not None:
        return known(text, mark, value)
    if value.is_complete():
        return known(json.dumps(value.plain()), mark, value)
    choices = tuple(_to_text(mark, [choice]) for choice in value.choices)
    return unknown(mark, "", value, hint=value.hint, choices=choices)


def _arm_string(mark: Mark, values: list[Value]) -> Value:
    """string(true()) is True in ARM, and 'true' in Terraform."""
    if isinstance(values[0].data, bool):
        return known(str(values[0].data), mark, values[0])
    return _to_text(mark, values)


def _empty(mark: Mark, values: list[Value]) -> Value:
    value = values[0]
    if not value.known:
        return unknown(mark, "", value)
    if value.is_mapping and value.is_open:
        return known(False, mark, value) if value.data else unknown(mark, "", value)
    return known(not value.data, mark, value)


def _not(mark: Mark, values: list[Value]) -> Value:
    return negated(mark, "!", values[0])


def _equals(mark: Mark, values: list[Value]) -> Value:
    return compared(mark, "==", values[0], values[1])


def _lookup(mark: Mark, values: list[Value]) -> Value:
    found = values[0].get(values[1].text) if values[1].known else None
    if found is not None:
        return found
    if values[0].known and not values[0].is_open and len(values) > 2:
        return values[2]
    return unknown(mark, "", *values)


def _try(mark: Mark, values: list[Value]) -> Value:
    if values[0].known:
        return values[0]
    return unknown(mark, "", *values, choices=tuple(values), hint=values[0].hint)


def _json_decoded(mark: Mark, values: list[Value]) -> Value:
    if not values[0].known:
        return unknown(mark, "", *values)
    return literal(parse_json(values[0].text), mark)


def _secret(mark: Mark, values: list[Value]) -> Value:
    """Keys of a resource: secret, whatever the parameters are that name the resource."""
    return unknown(mark, "", is_secret=True)


def _resource_id(mark: Mark, values: list[Value]) -> Value:
    kind = next((value.text for value in values if value.text.count("/") >= 1 and "." in value.text), "")
    hint = f"/providers/{kind}/" + "/".join(value.text or HOLE for value in values[-max(kind.count("/"), 1) :])
    return unknown(mark, "resource IDs are not evaluated", *values, hint=hint)


def _encoded(text: Any) -> str:
    return base64.b64encode(str(text).encode()).decode()


def _decoded(text: str) -> str:
    return base64.b64decode(text, validate=True).decode()


def _length(value: Any) -> int:
    return len(value)


def _contains(container: Any, item: Any) -> bool:
    return item in container


def _bool(value: Any) -> bool:
    return {"true": True, "false": False, "1": True, "0": False}[str(value).lower()]


COMMON: Mapping[str, Function] = {
    "contains": _of_texts(_contains),
    "replace": _of_texts(lambda text, old, new: str(text).replace(old, new)),
    "length": _of_texts(_length),
    "startswith": _of_texts(lambda text, start: str(text).lower().startswith(str(start).lower())),
    "endswith": _of_texts(lambda text, end: str(text).lower().endswith(str(end).lower())),
    "coalesce": _coalesce,
    "max": _of_texts(max),
    "min": _of_texts(min),
}
ARM: Mapping[str, Function] = {
    **COMMON,
    "concat": _concat,
    "format": _arm_format,
    "tolower": _of_texts(lambda text: str(text).lower()),
    "toupper": _of_texts(lambda text: str(text).upper()),
    "trim": _of_texts(lambda text: str(text).strip()),
    "substring": _of_texts(lambda text, start, size=None: text[start : None if size is None else start + size]),
    "take": _of_texts(lambda value, size: value[:size]),
    "skip": _of_texts(lambda value, size: value[size:]),
    "split": _of_texts(lambda text, separator: text.split(separator)),
    "join": _of_texts(lambda items, separator: separator.join(map(str, items))),
    "first": _of_texts(lambda value: value[0]),
    "last": _of_texts(lambda value: value[-1]),
    "base64": _of_texts(_encoded),
    "base64tostring": _of_texts(_decoded),
    "string": _arm_string,
    "bool": _of_texts(_bool),
    "int": _of_texts(int),
    "json": _json_decoded,
    "if": _if,
    "and": lambda mark, values: logical(mark, True, values),
    "or": lambda mark, values: logical(mark, False, values),
    "not": _not,
    "true": _of_texts(lambda: True),
    "false": _of_texts(lambda: False),
    "null": lambda mark, values: Value(None, mark),
    "equals": _equals,
    "greater": _of_texts(lambda first, second: first > second),
    "greaterorequals": _of_texts(lambda first, second: first >= second),
    "less": _of_texts(lambda first, second: first < second),
    "lessorequals": _of_texts(lambda first, second: first <= second),
    "empty": _empty,
    "union": merged,
    "shallowmerge": lambda mark, values: merged(mark, values[0].elements()),
    "createobject": _create_object,
    "createarray": _create_array,
    "array": _create_array,
    "any": _first,
    "nameof": lambda mark, values: unknown(mark, ""),
    "resourceid": _resource_id,
    "extensionresourceid": _resource_id,
    "subscriptionresourceid": _resource_id,
    "tenantresourceid": _resource_id,
    "listkeys": _secret,
    "listsecrets": _secret,
}
TERRAFORM: Mapping[str, Function] = {
    **COMMON,
    "concat": _concat,
    "format": _terraform_format,
    "lower": _of_texts(lambda text: str(text).lower()),
    "upper": _of_texts(lambda text: str(text).upper()),
    "trimspace": _of_texts(lambda text: str(text).strip()),
    "chomp": _of_texts(lambda text: str(text).rstrip("\n")),
    "substr": _of_texts(lambda text, start, size: text[start:] if size < 0 else text[start : start + size]),
    "split": _of_texts(lambda separator, text: text.split(separator)),
    "join": _of_texts(lambda separator, items: separator.join(map(str, items))),
    "element": _of_texts(lambda items, index: items[index % len(items)]),
    "base64encode": _of_texts(_encoded),
    "base64decode": _of_texts(_decoded),
    "tostring": _to_text,
    "tobool": _of_texts(_bool),
    "tonumber": _of_texts(float),
    "tomap": _first,
    "tolist": _first,
    "toset": _first,
    "merge": merged,
    "lookup": _lookup,
    "try": _try,
    "sensitive": _first,
    "nonsensitive": _first,
    "jsonencode": _first,  # what is encoded is looked at as it is
    "yamlencode": _first,
    "jsondecode": _json_decoded,
    "not": _not,
}
