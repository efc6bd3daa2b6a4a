"""YAML (and so JSON) as plain values that know their position in the file and the spelling of each scalar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from azext_amlk8s.yaml_files import YamlProblem, compose_documents

Step = str | int
Path = tuple[Step, ...]
Pairs = list[tuple[yaml.Node, yaml.Node]]


class InvalidYaml(Exception):
    """The text cannot be read as YAML; place says where, as file:line:column, problem is a clause that says why."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(problem)
        self.place, self.problem = place, problem


@dataclass(frozen=True)
class Document:
    """A value and the YAML node it was made of; root is None for a value that comes from no file.

    repeated are the keys that occur twice in a mapping, each with its place.
    """

    source: str
    value: Any
    root: yaml.Node | None = None
    repeated: tuple[tuple[str, str], ...] = ()

    def place(self, *path: Step) -> str:
        """file:line:column (path) of a key, or of the closest parent of it that exists."""
        shown = f" ({'.'.join(map(str, path))})" if path else ""
        return f"{self.position(*path)}{shown}"

    def key_place(self, *path: Step) -> str:
        """The place of a key itself, where `place` may be that of its value."""
        key = self._key(path)
        return self.place(*path) if key is None else f"{_position(self.source, key)} ({'.'.join(map(str, path))})"

    def key_spelling(self, *path: Step) -> str:
        """A key as the file spells it: yes, 010; of one that comes from no file, its str()."""
        key = self._key(path)
        return str(path[-1] if key is None else key.value)

    def _key(self, path: Path) -> yaml.Node | None:
        node = self.root
        for number, step in enumerate(path, 1):
            pair = _child(node, step) if node is not None else None
            if pair is None:
                return None
            node = pair[0] if number == len(path) else pair[1]
        return node

    def position(self, *path: Step) -> str:
        """file:line:column of a key, or of the closest parent of it that exists."""
        if self.root is None:
            return self.source
        node = self.root
        for number, step in enumerate(path, 1):
            pair = _child(node, step)
            if pair is None:
                break
            key, value = pair
            last = number == len(path)
            node = key if last and key.start_mark.line != value.start_mark.line else value
        return _position(self.source, node)

    def places(self, *paths: tuple[str, ...]) -> dict[tuple[str, ...], str]:
        """The places of several keys; keys that do not exist are left out."""
        return {path: self.place(*path) for path in paths if self._has(path)}

    def spelling(self, *path: Step) -> str:
        """A scalar as the file spells it: yes, 010, 1.50; of a value that comes from no file, its str()."""
        value: Any = self.value
        node = self.root
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else value[int(step)] if value else None
            pair = _child(node, step) if node is not None else None
            node = pair[1] if pair else None
        return str(node.value) if isinstance(node, yaml.ScalarNode) else str(value)

    def part(self, *path: Step) -> Document:
        """The document that a part of this one would be. Raises LookupError where it does not exist."""
        value, node = self.value, self.root
        for step in path:
            value = value[step]
            pair = _child(node, step) if node is not None else None
            node = pair[1] if pair else None
        return Document(self.source, value, node)

    def _has(self, path: tuple[str, ...]) -> bool:
        value: Any = self.value
        for step in path:
            if not isinstance(value, Mapping) or step not in value:
                return False
            value = value[step]
        return True


def read(text: str, source: str) -> list[Document]:
    """The documents of a text, empty ones left out. Raises InvalidYaml, for absurdly large or nested texts too."""
    if text.lstrip()[:1] in ("{", "["):
        text = text.replace("\t", " ")  # JSON may be indented by tabs, YAML may not
    documents = []
    try:
        for node in compose_documents(text):
            # Constructing merges `<<` into its mapping, where a key that overrides a merged one is not a repetition.
            repeated = tuple(_repeated(source, node, set()))
            value = yaml.SafeLoader("").construct_document(node)
            if value is not None:
                documents.append(Document(source, value, node, repeated))
    except YamlProblem as error:
        raise _invalid(source, error.__cause__, str(error)) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # a date such as 2024-13-99 is a ValueError
        raise _invalid(source, error, getattr(error, "problem", None) or "it cannot be parsed") from error
    except RecursionError as error:
        raise InvalidYaml(source, "it is nested too deeply") from error
    return documents


def _invalid(source: str, error: BaseException | None, problem: str) -> InvalidYaml:
    mark = getattr(error, "problem_mark", None)
    place = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else source
    return InvalidYaml(place, str(getattr(error, "problem", None) or problem))


def _position(source: str, node: yaml.Node) -> str:
    return f"{source}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"


def _child(node: yaml.Node, step: Step) -> tuple[yaml.Node, yaml.Node] | None:
    """Key and value of a mapping, or an item of a sequence as both."""
    if isinstance(node, yaml.MappingNode):
        pairs: Pairs = node.value
        return next((pair for pair in reversed(pairs) if _is_key(pair[0], step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    return None


def _is_key(node: yaml.Node, step: Step) -> bool:
    """Whether a node is this key; of a key that is no string, the spelling may differ."""
    if node.value == str(step):
        return True
    is_other = not isinstance(step, str) and isinstance(node, yaml.ScalarNode)
    return is_other and bool(yaml.SafeLoader("").construct_object(node) == step)


def _repeated(source: str, node: yaml.Node, seen: set[int]) -> Iterator[tuple[str, str]]:
    if not isinstance(node, yaml.CollectionNode) or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(source, item, seen)
        return
    keys: set[str] = set()
    for key, value in node.value:
        name = str(key.value)
        if name in keys and name != "<<":
            yield name, _position(source, key)
        keys.add(name)
        yield from _repeated(source, value, seen)
