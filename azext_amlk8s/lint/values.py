"""Values of templates with their positions: what is known of them, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Scalar = str | int | float | bool | None
HOLE = "\ufffd"  # stands for a part of a text that is not known


@dataclass(frozen=True, slots=True)
class Mark:
    """A position: the name of the file, line and column counted from 1."""

    source: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a template.

    data is a scalar, a tuple of values or a mapping of names to values; None with known False where it cannot be known.
    Of a mapping, keys has the positions of the keys, and is_open says that it may have more. choices are the values
    that an unknown one may have. hint is the text of a partly known value with HOLE in place of what is not known, or
    the type of the resource that a reference leads to. inputs are the names of parameters that it is made of, plain
    ones of them those without protection; is_secret says that Azure or the tool keeps it as a secret. why says why it
    is not known.
    """

    data: Scalar | tuple[Value, ...] | Mapping[str, Value]
    mark: Mark
    known: bool = True
    keys: Mapping[str, Mark] = field(default_factory=dict)
    is_open: bool = False
    choices: tuple[Value, ...] = ()
    hint: str = ""
    inputs: frozenset[str] = frozenset()
    plain_inputs: frozenset[str] = frozenset()
    is_secret: bool = False
    why: str = ""
    spelling: str = ""

    def __contains__(self, key: str) -> bool:
        return isinstance(self.data, Mapping) and key in self.data

    @property
    def is_mapping(self) -> bool:
        """Whether this is a mapping."""
        return isinstance(self.data, Mapping)

    @property
    def text(self) -> str:
        """The text, empty where the value is no text or not known."""
        return self.data if isinstance(self.data, str) else ""

    @property
    def description(self) -> str:
        """The text, or what is known of it."""
        return self.text or self.hint

    def get(self, *path: str) -> Value | None:
        """The value below a mapping, names in any case; None where there is none."""
        value: Value | None = self
        for name in path:
            value = _member(value, name) if value is not None else None
        return value

    def key_mark(self, name: str) -> Mark:
        """The position of a key, or of the mapping."""
        actual = next((key for key in self.keys if key.lower() == name.lower()), "")
        return self.keys.get(actual, self.mark)

    def items(self) -> Iterator[tuple[str, Value]]:
        """The pairs of a mapping; none of anything else."""
        if isinstance(self.data, Mapping):
            yield from self.data.items()

    def elements(self) -> tuple[Value, ...]:
        """The items of a list; none of anything else."""
        return self.data if isinstance(self.data, tuple) else ()

    def plain(self) -> Any:
        """The value as Python has it; what is not known is None."""
        if isinstance(self.data, Mapping):
            return {key: value.plain() for key, value in self.data.items()}
        if isinstance(self.data, tuple):
            return [value.plain() for value in self.data]
        return self.data

    def is_complete(self) -> bool:
        """Whether everything in it is known."""
        if not self.known or self.is_open:
            return False
        if isinstance(self.data, Mapping):
            return all(value.is_complete() for value in self.data.values())
        return all(value.is_complete() for value in self.elements())

    def at(self, mark: Mark) -> Value:
        """The same value at another position."""
        return replace(self, mark=mark)


def _member(value: Value, name: str) -> Value | None:
    if not isinstance(value.data, Mapping):
        return None
    found = value.data.get(name)
    if found is not None:
        return found
    return next((inner for key, inner in value.data.items() if key.lower() == name.lower()), None)


def unknown(
    mark: Mark, why: str, *parts: Value, hint: str = "", choices: tuple[Value, ...] = (), is_secret: bool = False
) -> Value:
    """A value that cannot be known; parts are the values that it is made of."""
    return Value(
        None,
        mark,
        known=False,
        choices=choices,
        hint=hint,
        inputs=frozenset().union(*(part.inputs for part in parts)),
        plain_inputs=frozenset().union(*(part.plain_inputs for part in parts)),
        is_secret=is_secret or any(part.is_secret for part in parts),
        why=why or next((part.why for part in parts if not part.known), ""),
    )


def known(data: Any, mark: Mark, *parts: Value) -> Value:
    """A value that was computed of others, which give it their origin."""
    return Value(
        data,
        mark,
        inputs=frozenset().union(*(part.inputs for part in parts)),
        plain_inputs=frozenset().union(*(part.plain_inputs for part in parts)),
        is_secret=any(part.is_secret for part in parts),
    )


def literal(data: Any, mark: Mark) -> Value:
    """A value of Python's own types as it is written at one position."""
    if isinstance(data, Mapping):
        return Value({str(key): literal(item, mark) for key, item in data.items()}, mark)
    if isinstance(data, (list, tuple)):
        return Value(tuple(literal(item, mark) for item in data), mark)
    return Value(data, mark)


def to_scalar_text(value: Value) -> str | None:
    """A known scalar as Azure gets it as a setting; None for what is not known or no scalar."""
    if not value.known or value.is_mapping or isinstance(value.data, tuple):
        return None
    return "" if value.data is None else str(value.data)


def with_marks(value: Value, moved: Callable[[Mark], Mark]) -> Value:
    """The value with other positions, also those of what is in it."""
    data = value.data
    if isinstance(data, Mapping):
        data = {key: with_marks(inner, moved) for key, inner in data.items()}
    elif isinstance(data, tuple):
        data = tuple(with_marks(item, moved) for item in data)
    return replace(
        value, data=data, mark=moved(value.mark), keys={key: moved(mark) for key, mark in value.keys.items()}
    )
