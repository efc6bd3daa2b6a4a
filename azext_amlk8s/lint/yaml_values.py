"""YAML nodes as values with their positions, and values as YAML nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from azext_amlk8s.instance_types.yaml_documents import Document
from azext_amlk8s.lint.values import Mark, Value, unknown
from azext_amlk8s.settings.documents import nested_name

NULL = "tag:yaml.org,2002:null"
# What a template engine, a pipeline or a shell replaces before the file is used.
EXPRESSION = re.compile(r"\$\{|\$\(|\{\{|<%|#\{|\$(?!schema\b)[A-Za-z_]\w*|__\w+__|%\w+%")
UNKNOWN = "<unknown>"
MAX_DEPTH = 40


def yaml_value(node: yaml.Node, source: str, depth: int = 0) -> Value:
    """A node as a value: scalars as texts with the spelling of the file; unknown where something replaces them."""
    mark = Mark(source, node.start_mark.line + 1, node.start_mark.column + 1)
    if depth > MAX_DEPTH:
        return unknown(mark, "it is nested too deeply")
    if isinstance(node, yaml.MappingNode):
        data: dict[str, Value] = {}
        keys: dict[str, Mark] = {}
        for key, value in node.value:
            name = str(key.value)
            data[name] = yaml_value(value, source, depth + 1)
            keys[name] = Mark(source, key.start_mark.line + 1, key.start_mark.column + 1)
        return Value(data, mark, keys=keys, is_open="<<" in data)
    if isinstance(node, yaml.SequenceNode):
        return Value(tuple(yaml_value(item, source, depth + 1) for item in node.value), mark)
    if node.tag == NULL:
        return Value(None, mark)
    text = str(node.value)
    return unknown(mark, "it is replaced before the file is used") if EXPRESSION.search(text) else Value(text, mark)


def flatten(value: Value) -> Value:
    """A mapping with the names of nested ones joined by dots, as a file of settings may nest them."""
    data: dict[str, Value] = {}
    keys: dict[str, Mark] = {}
    for name, mark, inner in _leaves(value, ""):
        data[name], keys[name] = inner, mark
    return Value(data, value.mark, value.known, keys, value.is_open, value.choices)


def _leaves(value: Value, prefix: str) -> Iterator[tuple[str, Mark, Value]]:
    for key, inner in value.items():
        name = nested_name(prefix, key)
        if inner.is_mapping:
            yield from _leaves(inner, name)
        elif inner.elements():
            for number, item in enumerate(inner.elements()):
                if item.is_mapping:
                    yield from _leaves(item, f"{name}[{number}]")
                else:
                    yield f"{name}[{number}]", item.mark, item
        else:
            yield name, value.key_mark(key), inner


def as_document(value: Value, source: str) -> tuple[Document, set[tuple[int, int]]]:
    """A value as a document with positions, and the positions of what is not known in it."""
    unknowns: set[tuple[int, int]] = set()
    node = _node(value, unknowns)
    return Document(source, _plain(value), node), unknowns


def _plain(value: Value) -> Any:
    if not value.known:
        return UNKNOWN
    if value.is_mapping:
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value.data, tuple):
        return [_plain(item) for item in value.data]
    return value.data


def _node(value: Value, unknowns: set[tuple[int, int]]) -> yaml.Node:
    mark: Any = _yaml_mark(value.mark)
    if not value.known:
        unknowns.add((value.mark.line, value.mark.column))
        return yaml.ScalarNode("tag:yaml.org,2002:str", UNKNOWN, mark, mark)
    if value.is_mapping:
        pairs: list[tuple[yaml.Node, yaml.Node]] = []
        for key, inner in value.items():
            key_mark: Any = _yaml_mark(value.key_mark(key))
            pairs.append((yaml.ScalarNode("tag:yaml.org,2002:str", key, key_mark, key_mark), _node(inner, unknowns)))
        return yaml.MappingNode("tag:yaml.org,2002:map", pairs, mark, mark)
    if isinstance(value.data, tuple):
        items = [_node(item, unknowns) for item in value.data]
        return yaml.SequenceNode("tag:yaml.org,2002:seq", items, mark, mark)
    text = str(value.data).lower() if isinstance(value.data, bool) else str(value.data)
    return yaml.ScalarNode("tag:yaml.org,2002:str", text, mark, mark)


def _yaml_mark(mark: Mark) -> yaml.Mark:
    return yaml.Mark(mark.source, 0, mark.line - 1, mark.column - 1, None, 0)
