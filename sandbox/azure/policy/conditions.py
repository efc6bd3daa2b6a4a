"""The conditions of policy rules.

https://learn.microsoft.com/azure/governance/policy/concepts/definition-structure-policy-rule#conditions
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

LOGICAL = ("allof", "anyof", "not")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _same(actual: Any, wanted: Any) -> bool:
    if isinstance(actual, (dict, list)) or isinstance(wanted, (dict, list)):
        return bool(actual == wanted)
    return _text(actual).lower() == _text(wanted).lower()


def _contains(actual: Any, wanted: Any) -> bool:
    if isinstance(actual, list):
        return any(_same(element, wanted) for element in actual)
    return _text(wanted).lower() in _text(actual).lower()


def _like(actual: Any, wanted: Any) -> bool:
    before, star, after = _text(wanted).lower().partition("*")
    lower = _text(actual).lower()
    if not star:
        return lower == before
    return lower.startswith(before) and lower.endswith(after) and len(lower) >= len(before) + len(after)


def _match(actual: Any, wanted: Any, flags: int = 0) -> bool:
    """# is a digit, ? is a letter, . is anything."""
    classes = {"#": "[0-9]", "?": "[A-Za-z]", ".": "."}
    pattern = "".join(classes.get(char, re.escape(char)) for char in _text(wanted))
    return bool(re.fullmatch(pattern, _text(actual), flags))


def _has_key(actual: Any, wanted: Any) -> bool:
    return isinstance(actual, Mapping) and _text(wanted).lower() in {key.lower() for key in actual}


def _exists(actual: Any, wanted: Any) -> bool:
    return (actual is not None) == (_text(wanted).lower() == "true")


Compare = Callable[[Any, Any], bool]


def _not(compare: Compare) -> Compare:
    return lambda actual, wanted: not compare(actual, wanted)


OPERATORS: Mapping[str, Compare] = {
    "equals": _same,
    "notequals": _not(_same),
    "like": _like,
    "notlike": _not(_like),
    "match": _match,
    "notmatch": _not(_match),
    "matchinsensitively": lambda actual, wanted: _match(actual, wanted, re.I),
    "notmatchinsensitively": lambda actual, wanted: not _match(actual, wanted, re.I),
    "contains": _contains,
    "notcontains": _not(_contains),
    "in": lambda actual, wanted: any(_same(actual, element) for element in wanted),
    "notin": lambda actual, wanted: not any(_same(actual, element) for element in wanted),
    "containskey": _has_key,
    "notcontainskey": _not(_has_key),
    "less": lambda actual, wanted: actual < wanted,
    "lessorequals": lambda actual, wanted: actual <= wanted,
    "greater": lambda actual, wanted: actual > wanted,
    "greaterorequals": lambda actual, wanted: actual >= wanted,
    "exists": _exists,
}


def holds(condition: Mapping[str, Any], field: Callable[[str], Any], value: Callable[[Any], Any]) -> bool:
    """Whether a condition holds. field: the value of a field of the resource; value: evaluates expressions."""
    parts = {key.lower(): item for key, item in condition.items()}
    if "allof" in parts:
        return all(holds(inner, field, value) for inner in parts["allof"])
    if "anyof" in parts:
        return any(holds(inner, field, value) for inner in parts["anyof"])
    if "not" in parts:
        return not holds(parts["not"], field, value)
    operator = next(key for key in parts if key in OPERATORS)
    actual = field(str(value(parts["field"]))) if "field" in parts else value(parts["value"])
    try:
        return bool(OPERATORS[operator](actual, value(parts[operator])))
    except TypeError:  # an order of values without one
        return False


def require_condition(condition: Any, error: Callable[[str], Exception]) -> None:
    """Raise the error for a condition that is not valid. The sandbox does not evaluate `count` and `source`."""
    if not isinstance(condition, dict):
        raise error("A condition must be an object.")
    parts = {key.lower(): item for key, item in condition.items()}
    inner = [inner_condition for key in ("allof", "anyof") for inner_condition in parts.get(key) or ()] + [
        parts[key] for key in parts if key == "not"
    ]
    for part in inner:
        require_condition(part, error)
    if any(key in parts for key in LOGICAL):
        return
    if sum(key in ("field", "value") for key in parts) != 1:
        raise error("A condition must have exactly one of the properties 'field' and 'value'.")
    operators = [key for key in parts if key not in ("field", "value")]
    if len(operators) != 1 or operators[0] not in OPERATORS:
        raise error(f"The operator '{', '.join(operators) or 'none'}' of a condition is not valid.")
