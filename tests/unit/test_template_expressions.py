"""Template expressions of the sandbox: the examples of Microsoft's reference, and hashes of real Azure."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.azure.deployments.environment import Environment, Scope
from sandbox.azure.deployments.expressions import TemplateError, parse_expression
from sandbox.azure.deployments.unique_string import unique_string

SUBSCRIPTION = "33333333-dddd-4eee-8fff-444444444444"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
TEMPLATE = {
    "variables": {
        "text": "one two",
        "again": "[concat(variables('text'), '!')]",
        "circle": "[variables('circle')]",
        "copy": [{"name": "loop", "count": 3, "input": "[format('item-{0}', copyIndex('loop', 1))]"}],
        "inner": {
            "copy": [{"name": "names", "count": 2, "input": {"name": "[concat('n', string(copyIndex('names')))]"}}]
        },
    },
    "functions": [
        {
            "namespace": "contoso",
            "members": {
                "name": {
                    "parameters": [{"name": "prefix", "type": "string"}],
                    "output": {"type": "string", "value": "[concat(toLower(parameters('prefix')), '-x')]"},
                }
            },
        }
    ],
}
CASES: list[tuple[str, Any]] = [
    ("[format('{0}, {1}. Formatted number: {2:N0}', 'Hello', 'User', 8175133)]", "Hello, User. Formatted number: 8,175,133"),
    ("[format('{{{0:D3}}}', 7)]", "{007}"),
    ("[padLeft('123', 10, '0')]", "0000000123"),
    ("[substring(variables('text'), 4, 3)]", "two"),
    ("[split('one;two,three', createArray(',', ';'))]", ["one", "two", "three"]),
    ("[lastIndexOf('abcdef', 'e')]", 4),
    ("[base64ToJson(base64('{\"one\": \"a\"}')).one]", "a"),
    ("[uriComponent('http://contoso.com/resources/a.json')]", "http%3A%2F%2Fcontoso.com%2Fresources%2Fa.json"),
    ("[uri('http://contoso.com/resources/', 'nested/a.json')]", "http://contoso.com/resources/nested/a.json"),
    ("[startsWith('abcdef', 'AB')]", True),
    ("[string(true())]", "True"),
    ("[string(createObject('a', 1))]", '{"a":1}'),
    ("[concat(createArray(1), createArray(2))]", [1, 2]),
    ("[union(createObject('a', createObject('b', 1)), createObject('a', createObject('c', 2)))]", {"a": {"b": 1, "c": 2}}),
    ("[intersection(createArray('one', 'two'), createArray('two'))]", ["two"]),
    ("[items(createObject('b', 2, 'a', 1))]", [{"key": "a", "value": 1}, {"key": "b", "value": 2}]),
    ("[flatten(createArray(createArray(1), createArray(2, 3)))]", [1, 2, 3]),
    ("[coalesce(null(), 'x')]", "x"),
    ("[empty('')]", True),
    ("[empty(createObject())]", True),
    ("[tryGet(createObject('a', createObject('b', 1)), 'a', 'c')]", None),
    ("[contains(createObject('One', 1), 'one')]", True),
    ("[if(equals('a', 'A'), 1, 2)]", 2),
    ("[if(true(), 'yes', fail('never'))]", "yes"),
    ("[and(true(), not(false()), or(false(), true()))]", True),
    ("[div(-7, 2)]", -3),
    ("[mod(7, 3)]", 1),
    ("[max(createArray(1, 5, 3))]", 5),
    ("[range(3, 3)]", [3, 4, 5]),
    ("[dateTimeAdd('2020-04-07 14:53:14Z', 'PT3H')]", "2020-04-07T17:53:14Z"),
    ("[dateTimeAdd('2020-04-07 14:53:14Z', '-P9D', 'yyyy-MM-dd')]", "2020-03-29"),
    ("[filter(range(0, 6), lambda('i', greater(lambdaVariables('i'), 3)))]", [4, 5]),
    ("[map(createArray('a', 'b'), lambda('x', 'i', concat(lambdaVariables('x'), string(lambdaVariables('i')))))]", ["a0", "b1"]),
    ("[reduce(createArray(5, 3, 2), 0, lambda('cur', 'next', add(lambdaVariables('cur'), lambdaVariables('next'))))]", 10),
    ("[sort(createArray(3, 1, 2), lambda('a', 'b', less(lambdaVariables('a'), lambdaVariables('b'))))]", [1, 2, 3]),
    ("[toObject(createArray('a'), lambda('e', lambdaVariables('e')), lambda('e', 1))]", {"a": 1}),
    ("[variables('again')]", "one two!"),
    ("[variables('LOOP')[1]]", "item-2"),
    ("[variables('inner').names[1].name]", "n1"),
    ("[contoso.name('AB')]", "ab-x"),
    ("[[not an expression]", "[not an expression]"),
    ("text ['x']", "text ['x']"),
    ("['it''s']", "it's"),
    ("[resourceId('Microsoft.Relay/namespaces/hybridConnections', 'ns', 'hc')]", f"{GROUP}/providers/Microsoft.Relay/namespaces/ns/hybridConnections/hc"),
    ("[resourceId('other', 'Microsoft.Relay/namespaces', 'ns')]", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/other/providers/Microsoft.Relay/namespaces/ns"),
    ("[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'x')]", f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/x"),
    ("[extensionResourceId('/subscriptions/s', 'Microsoft.A/b', 'c')]", "/subscriptions/s/providers/Microsoft.A/b/c"),
    ("[tenantResourceId('Microsoft.A/b', 'c')]", "/providers/Microsoft.A/b/c"),
]  # fmt: skip
INVALID = [
    ("[nothing('x')]", "The template function 'nothing' is not valid"),
    ("[concat('x']", "Unable to parse"),
    ("[variables('circle')]", "depends on itself"),
    ("[variables('absent')]", "The template variable 'absent' is not found"),
    ("[parameters('absent')]", "The template parameter 'absent' is not found"),
    ("[variables('inner').other]", "property 'other' doesn't exist, available properties are 'names'"),
    ("[createArray(1)[3]]", "array index '3' is out of bounds"),
    ("[substring('abc', 2, 5)]", "refer to a location within the string"),
    ("[copyIndex()]", "'copyIndex' is not expected at this location"),
    ("[resourceId('Microsoft.Relay/namespaces', 'a', 'b')]", "requires '1' resource name argument"),
    ("[toLower(1)]", "'toLower' expects other parameters"),
    ("[fail('stop here')]", "stop here"),
]


def evaluate(text: str) -> Any:
    return Environment(Scope(SUBSCRIPTION, "rg"), TEMPLATE, lambda name: {"id": name}).evaluator().value(text)


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text for text, _ in CASES])
def test_expression(text: str, expected: Any) -> None:
    assert evaluate(text) == expected


@pytest.mark.parametrize(("text", "message"), INVALID, ids=[text for text, _ in INVALID])
def test_invalid_expression(text: str, message: str) -> None:
    with pytest.raises(TemplateError) as raised:
        evaluate(text)
    assert message in raised.value.message


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("test",), "rbgf3xv4ufgzg"),
        (("hello", "world"), "a7wkljktk6wne"),
        (("abc",), "cgtzqvhu4i23s"),
        (("/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/my-rg",), "bmg7c6xu4tw46"),
    ],
)
def test_unique_string_is_that_of_azure(parts: tuple[str, ...], expected: str) -> None:
    """Values that others have published."""
    assert unique_string(*parts) == expected


def test_guid_is_a_name_based_one() -> None:
    """Version 5, in the namespace of templates."""
    import uuid

    namespace = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")
    assert evaluate("[guid('a', 'b')]") == str(uuid.uuid5(namespace, "a-b"))


def test_syntax_tree_is_shared() -> None:
    assert parse_expression("[true()]") is parse_expression("[true()]")
