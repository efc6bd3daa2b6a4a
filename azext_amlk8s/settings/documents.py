"""Files of settings: JSON or YAML, nested or dotted, as keys and texts in their order, repeats included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from azext_amlk8s.yaml_files import MAX_DEPTH, YamlProblem, compose_documents, merged_pairs

if TYPE_CHECKING:
    from yaml.nodes import Node

ASSIGNMENT = re.compile(r"^[A-Za-z_][\w.\\/\[\]-]*=")
LABELS = "nodeselector"
# Each unknown one is compared with all known ones.
MAX_SETTINGS = 500
Tree = Any  # a _Pairs, a tuple of trees, or a str


class NotSettings(ValueError):
    """The text has no settings; the message is a clause that says why."""


class _Pairs(list[tuple[str, Tree]]):
    """A mapping with its repeated keys."""


def is_document(word: str) -> bool:
    """Whether an argument is the content of a whole file, as az makes it of @file."""
    if word.lstrip().startswith("{"):
        return True
    return "\n" in word.strip() and not ASSIGNMENT.match(word.strip())


def split_lines(word: str) -> list[str]:
    """The key=value lines of an argument that has one on each line, or the argument itself where it is not."""
    lines = [line.strip() for line in word.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return lines if len(lines) > 1 and all(ASSIGNMENT.match(line) for line in lines) else [word]


def read_document(text: str) -> list[tuple[str, str]]:
    """The settings of a JSON or YAML text as (key, value) in its order. Raises NotSettings.

    Nesting is joined with dots, items of lists get [i], values keep the spelling of the text (yes stays yes). The dots
    of a label below nodeSelector are escaped, as Helm requires (https://helm.sh/docs/intro/using_helm/).
    """
    tree = _read_json(text) if text.lstrip().startswith("{") else None
    tree = tree if tree is not None else _read_yaml(text)
    if not isinstance(tree, _Pairs):
        raise NotSettings("it is not a mapping of keys to values")
    if not tree:
        raise NotSettings("it has no settings")
    settings: list[tuple[str, str]] = []
    for setting in _flatten("", tree):
        if len(settings) == MAX_SETTINGS:
            raise NotSettings(f"it has more than {MAX_SETTINGS} settings")
        settings.append(setting)
    return settings


def _flatten(prefix: str, tree: Tree) -> Iterator[tuple[str, str]]:
    if isinstance(tree, _Pairs):
        for key, value in tree:
            yield from _flatten(nested_name(prefix, key), value)
    elif isinstance(tree, tuple):
        for index, value in enumerate(tree):
            yield from _flatten(f"{prefix}[{index}]", value)
    else:
        yield prefix, str(tree)


def nested_name(prefix: str, key: str) -> str:
    """The name of a key below others, joined with dots; those of a label below nodeSelector are escaped."""
    label = re.sub(r"(?<!\\)\.", r"\\.", key) if prefix.lower() == LABELS else key
    return f"{prefix}.{label}" if prefix else label


def _read_json(text: str) -> Tree | None:
    """None for text that is not JSON."""
    import json

    try:
        loaded = json.loads(text, object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
    except ValueError:
        return None
    except RecursionError:
        raise NotSettings(f"it is nested more than {MAX_DEPTH} levels deep") from None
    return _texts(loaded)


def _texts(tree: Any, depth: int = 0) -> Tree:
    if depth > MAX_DEPTH:
        raise NotSettings(f"it is nested more than {MAX_DEPTH} levels deep")
    if isinstance(tree, _Pairs):
        return _Pairs((key, _texts(value, depth + 1)) for key, value in tree)
    if isinstance(tree, list):
        return tuple(_texts(value, depth + 1) for value in tree)
    return "" if tree is None else str(tree)


def _read_yaml(text: str) -> Tree:
    try:
        nodes = compose_documents(text)
        if len(nodes) > 1:
            raise NotSettings(f"it has {len(nodes)} YAML documents instead of one")
        return _of_node(nodes[0]) if nodes else _Pairs()
    except YamlProblem as problem:
        # What the parser adds behind the colon may quote the file, and with it a secret.
        clause = str(problem).partition(": ")[0].replace("not valid YAML", "neither JSON nor YAML")
        raise NotSettings(clause) from None


def _of_node(node: Node) -> Tree:
    import yaml

    if isinstance(node, yaml.MappingNode):
        pairs = merged_pairs(node)
        if not all(isinstance(key, yaml.ScalarNode) for key, _ in pairs):
            raise NotSettings("it has a key that is not a text")
        return _Pairs((key.value, _of_node(value)) for key, value in pairs)
    if isinstance(node, yaml.SequenceNode):
        return tuple(_of_node(value) for value in node.value)
    return "" if node.tag == "tag:yaml.org,2002:null" else str(node.value)
