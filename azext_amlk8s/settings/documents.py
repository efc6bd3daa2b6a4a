"""Settings written in a file: JSON or YAML, nested or dotted, as key and text; nothing is lost, repeats included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

LINE = re.compile(r"^[A-Za-z_][\w.\\/\[\]-]*=")
LABELS = "nodeselector"


class Pairs(list[tuple[str, Any]]):
    """A mapping with its repeats."""


class NotSettings(ValueError):
    """The text holds no settings; the message is a clause that says why."""


def is_document(word: str) -> bool:
    """Whether a word of the command line is a whole file, as az makes one of @file."""
    if word.lstrip().startswith("{"):
        return True
    return "\n" in word.strip() and not LINE.match(word.strip())


def lines_of(word: str) -> list[str]:
    """The key=value words of a text with one on each line, or the word itself where it is something else."""
    lines = [line.strip() for line in word.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return lines if len(lines) > 1 and all(LINE.match(line) for line in lines) else [word]


def read_document(text: str) -> list[tuple[str, str]]:
    """The settings of a JSON or YAML text as (key, value) in its order. Raises NotSettings.

    Nesting is joined with dots, items of lists get [i], values keep the spelling of the text (yes stays yes). The dots
    of a label below nodeSelector are escaped, as Helm wants them.
    """
    tree = _json(text) if text.lstrip().startswith("{") else None
    tree = tree if tree is not None else _yaml(text)
    if not isinstance(tree, Pairs):
        raise NotSettings("it is not a mapping of keys to values")
    if not tree:
        raise NotSettings("it holds no settings")
    return list(_flat("", tree))


def _flat(above: str, tree: Any) -> Iterator[tuple[str, str]]:
    if isinstance(tree, Pairs):
        for key, value in tree:
            label = _escaped(key) if above.lower() == LABELS else key
            yield from _flat(f"{above}.{label}" if above else label, value)
    elif isinstance(tree, tuple):
        for index, value in enumerate(tree):
            yield from _flat(f"{above}[{index}]", value)
    else:
        yield above, str(tree)


def _escaped(label: str) -> str:
    return re.sub(r"(?<!\\)\.", r"\\.", label)


def _json(text: str) -> Any:
    """A tree of Pairs, tuples and texts; None for what is not JSON."""
    import json

    try:
        return _worded(json.loads(text, object_pairs_hook=Pairs, parse_int=str, parse_float=str))
    except ValueError:
        return None


def _worded(tree: Any) -> Any:
    if isinstance(tree, Pairs):
        return Pairs((key, _worded(value)) for key, value in tree)
    if isinstance(tree, list):
        return tuple(_worded(value) for value in tree)
    return "" if tree is None else str(tree)


def _yaml(text: str) -> Any:
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise NotSettings(f"it is neither JSON nor YAML{where}") from error
    return _of_node(node) if node else Pairs()


def _of_node(node: Any) -> Any:
    import yaml

    if isinstance(node, yaml.MappingNode):
        return Pairs((str(key.value), _of_node(value)) for key, value in node.value)
    if isinstance(node, yaml.SequenceNode):
        return tuple(_of_node(value) for value in node.value)
    return "" if node.tag == "tag:yaml.org,2002:null" else str(node.value)
