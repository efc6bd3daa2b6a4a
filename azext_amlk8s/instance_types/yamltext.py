"""YAML (and so JSON) as plain values that still know where in the file they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

Step = str | int
Pairs = list[tuple[yaml.Node, yaml.Node]]


class NotYaml(Exception):
    """The text is not YAML; place says where, as file:line:column."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(problem)
        self.place, self.problem = place, problem


@dataclass(frozen=True)
class Document:
    """A value and the node it was made of; root is None for what comes from no file."""

    source: str
    told: Any
    root: Any = None

    def place(self, *path: Step) -> str:
        """file:line:column and the path of a key, or of the last of its parents that is there."""
        shown = f" ({'.'.join(map(str, path))})" if path else ""
        if self.root is None:
            return self.source + shown
        node = self.root
        for number, word in enumerate(path, 1):
            found = _child(node, word)
            if found is None:
                break
            key, value = found
            last = number == len(path)
            node = key if last and key.start_mark.line != value.start_mark.line else value
        mark = node.start_mark
        return f"{self.source}:{mark.line + 1}:{mark.column + 1}{shown}"

    def places(self, *paths: tuple[str, ...]) -> dict[tuple[str, ...], str]:
        """The places of several keys, those that are not there left out."""
        return {path: self.place(*path) for path in paths if self._has(path)}

    def part(self, *path: Step) -> Document:
        """The document that a part of this one would be; the part must be there."""
        told, node = self.told, self.root
        for word in path:
            told = told[word]
            found = _child(node, word) if node is not None else None
            node = found[1] if found else None
        return Document(self.source, told, node)

    def repeated_keys(self) -> Iterator[tuple[str, str]]:
        """Keys that stand twice in a mapping, each with its place; of such a key YAML keeps the last."""
        yield from _repeated(self.source, self.root, set())

    def _has(self, path: tuple[str, ...]) -> bool:
        told: Any = self.told
        for word in path:
            if not isinstance(told, Mapping) or word not in told:
                return False
            told = told[word]
        return True


def read(text: str, source: str) -> list[Document]:
    """The documents of a text, empty ones left out. Raises NotYaml."""
    if text.lstrip()[:1] in ("{", "["):
        text = text.replace("\t", " ")  # JSON may be indented by tabs, YAML may not
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    found = []
    try:
        while loader.check_node():
            node = loader.get_node()
            told = loader.construct_document(node)
            if told is not None:
                found.append(Document(source, told, node))
    except (yaml.YAMLError, ValueError) as wrong:  # a date such as 2024-13-99 is a ValueError
        mark = getattr(wrong, "problem_mark", None)
        place = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else source
        raise NotYaml(place, getattr(wrong, "problem", None) or "it cannot be parsed") from wrong
    except RecursionError as wrong:
        raise NotYaml(source, "it is nested too deep") from wrong
    finally:
        loader.dispose()
    return found


def _child(node: Any, word: Step) -> tuple[yaml.Node, yaml.Node] | None:
    """Key and value of a mapping, or an item of a sequence as both."""
    if isinstance(node, yaml.MappingNode):
        pairs: Pairs = node.value
        return next((pair for pair in reversed(pairs) if pair[0].value == word), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(word, int) and word < len(node.value):
        return node.value[word], node.value[word]
    return None


def _repeated(source: str, node: Any, seen: set[int]) -> Iterator[tuple[str, str]]:
    if not isinstance(node, yaml.CollectionNode) or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(source, item, seen)
        return
    keys: set[str] = set()
    for key, value in node.value:
        word = str(key.value)
        if word in keys and word != "<<":
            yield word, f"{source}:{key.start_mark.line + 1}:{key.start_mark.column + 1}"
        keys.add(word)
        yield from _repeated(source, value, seen)
