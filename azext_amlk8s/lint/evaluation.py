"""Evaluates expressions of templates as far as they can be known; nothing that is unknown is an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from azext_amlk8s.lint.nodes import (
    Array,
    Call,
    Index,
    Literal,
    Loop,
    Member,
    Name,
    Node,
    Object,
    Operation,
    Spread,
    Template,
)
from azext_amlk8s.lint.values import HOLE, Mark, Value, known, to_scalar_text, unknown

MAX_DEPTH = 60
# A text may double with each name that it refers to.
MOST_CHARACTERS = 100_000
Function = Callable[[Mark, list[Value]], Value]


class Definitions:
    """The values of names that a file defines, each evaluated once."""

    def __init__(self) -> None:
        self._values: dict[str, Value | None] = {}

    def once(self, name: str, find: Callable[[], Value], mark: Mark, circular: str) -> Value:
        """The value that find gives; unknown, because of what circular says, where finding it leads to it again."""
        if name not in self._values:
            self._values[name] = None
            self._values[name] = find()
        return self._values[name] or unknown(mark, circular)


class Scope(Protocol):
    """What the names of a file mean."""

    def name(self, name: str, mark: Mark) -> Value:
        """The value of a name."""

    def member(self, node: Member, evaluate: Callable[[Node], Value]) -> Value | None:
        """The value of a reference such as var.x, None where it is an ordinary member."""

    def call(self, node: Call, arguments: Callable[[], list[Value]]) -> Value | None:
        """The value of a call that the language or the file defines; None for a function of the common table."""


class Evaluator:
    """Evaluates the nodes of one file."""

    def __init__(self, scope: Scope, functions: Mapping[str, Function]) -> None:
        self._scope, self._functions, self._depth = scope, functions, 0

    def evaluate(self, node: Node) -> Value:
        """The value of a node."""
        if self._depth > MAX_DEPTH:
            return unknown(node.mark, "it refers to itself, or is nested too deeply")
        self._depth += 1
        try:
            return self._evaluate(node)
        finally:
            self._depth -= 1

    def _evaluate(self, node: Node) -> Value:
        if isinstance(node, Literal):
            return Value(node.data, node.mark)
        if isinstance(node, Template):
            return join_texts(node.mark, map(self.evaluate, node.parts))
        if isinstance(node, Name):
            return self._scope.name(node.name, node.mark)
        if isinstance(node, Member):
            return self._member(node)
        if isinstance(node, Index):
            return self._index(node)
        if isinstance(node, Call):
            return self._call(node)
        if isinstance(node, Operation):
            return self._operation(node)
        if isinstance(node, Array):
            return self._array(node)
        if isinstance(node, Object):
            return self._object(node)
        is_loop = isinstance(node, Loop) and node.body is not None
        return unknown(node.mark, "loops are not evaluated" if is_loop else "it is known when the script runs")

    def _member(self, node: Member) -> Value:
        found = self._scope.member(node, self.evaluate)
        return found if found is not None else member_of(self.evaluate(node.target), node.name, node.mark)

    def _index(self, node: Index) -> Value:
        target, index = self.evaluate(node.target), self.evaluate(node.index)
        if isinstance(index.data, int) and not isinstance(index.data, bool):
            items = target.elements()
            if -len(items) <= index.data < len(items):
                return items[index.data]
        if isinstance(index.data, str):
            return member_of(target, index.data, node.mark)
        return unknown(node.mark, "", target, index, hint=target.hint)

    def _call(self, node: Call) -> Value:
        arguments: list[Value] = []

        def evaluated() -> list[Value]:
            if not arguments:
                arguments.extend(self._arguments(node))
            return arguments

        found = self._scope.call(node, evaluated)
        if found is not None:
            return found
        function = self._functions.get(node.name.lower()) if node.target is None else None
        if function is None:
            return unknown(node.mark, f"function '{node.name}' is not evaluated", *evaluated())
        try:
            return function(node.mark, evaluated())
        except (ValueError, TypeError, IndexError, AttributeError, OverflowError):
            return unknown(node.mark, f"the arguments of '{node.name}' cannot be evaluated", *evaluated())

    def _arguments(self, node: Call) -> list[Value]:
        values = [self.evaluate(argument) for argument in node.arguments]
        if node.expands and values:
            last = values.pop()
            values += last.elements() if last.known else [last]
        return values

    def _operation(self, node: Operation) -> Value:
        operator = node.operator
        first = self.evaluate(node.operands[0])
        if operator == "?":
            return conditional(node.mark, first, *map(self.evaluate, node.operands[1:]))
        if len(node.operands) == 1:
            return negated(node.mark, operator, first)
        second = self.evaluate(node.operands[1])
        if operator == "??":
            return first if first.known and first.data is not None else second if first.known else unknown(
                node.mark, "", first, second, choices=(first, second)
            )  # fmt: skip
        if operator in ("&&", "||"):
            return logical(node.mark, operator == "&&", [first, second])
        return compared(node.mark, operator, first, second)

    def _array(self, node: Array) -> Value:
        items: list[Value] = []
        is_open = False
        for item in node.items:
            if isinstance(item, Spread):
                inner = self.evaluate(item.value)
                items += inner.elements()
                is_open = is_open or not inner.known
            else:
                items.append(self.evaluate(item))
        return replace(known(tuple(items), node.mark, *items), is_open=is_open)

    def _object(self, node: Object) -> Value:
        data: dict[str, Value] = {}
        keys: dict[str, Mark] = {}
        is_open = False
        for key, value in node.pairs:
            inner = self.evaluate(value.value if isinstance(value, Spread) else value)
            if key is None:
                is_open = is_open or not inner.known or inner.is_open
                data.update(inner.items())
                keys.update(inner.keys)
                continue
            name = self._key(key)
            if name is None:
                is_open = True
                continue
            data.pop(name, None)
            data[name] = inner
            keys[name] = key.mark
        return Value(data, node.mark, keys=keys, is_open=is_open)

    def _key(self, key: Node) -> str | None:
        if isinstance(key, Name):
            return key.name
        value = self.evaluate(key)
        return str(value.data) if value.known and isinstance(value.data, (str, int)) else None


def member_of(value: Value, name: str, mark: Mark) -> Value:
    """The value below a name, unknown where it is not known whether there is one."""
    if value.known and value.is_mapping:
        found = value.get(name)
        if found is not None:
            return found
        if not value.is_open:
            return Value(None, mark)
    return unknown(mark, "", value, hint=value.hint)


def join_texts(mark: Mark, values: Iterable[Value]) -> Value:
    """Texts and numbers joined; partly unknown where one of them is, unknown where they are too long together."""
    parts = list(values)
    texts = [to_text(part) for part in parts]
    shown = [text if text is not None else part.hint or HOLE for text, part in zip(texts, parts, strict=True)]
    if sum(map(len, shown)) > MOST_CHARACTERS:
        return unknown(mark, "the text is too long", *parts)
    if all(text is not None for text in texts):
        return known("".join(shown), mark, *parts)
    return unknown(mark, "", *parts, hint="".join(shown))


def to_text(value: Value) -> str | None:
    """A scalar as the languages write it into a text; None where it is not known or no scalar."""
    text = to_scalar_text(value)
    return text.lower() if text is not None and isinstance(value.data, bool) else text


def conditional(mark: Mark, condition: Value, chosen: Value, other: Value) -> Value:
    """One of two values; both as choices where the condition is not known."""
    decided = to_bool(condition)
    if decided is not None:
        value = chosen if decided else other
        return replace(value, inputs=value.inputs | condition.inputs) if condition.inputs else value
    if chosen.is_complete() and other.is_complete() and chosen.plain() == other.plain():
        return chosen
    return unknown(mark, "", condition, chosen, other, choices=(chosen, other), hint=chosen.hint or other.hint)


def to_bool(value: Value) -> bool | None:
    """A Boolean, also one in a text; None for anything else."""
    if isinstance(value.data, bool):
        return value.data
    return {"true": True, "false": False}.get(value.text.lower()) if value.known else None


def logical(mark: Mark, is_and: bool, values: list[Value]) -> Value:
    """All or any of the values; one that decides is enough."""
    decided = [to_bool(value) for value in values]
    deciding = not is_and
    if deciding in decided:
        return known(deciding, mark, *values)
    return unknown(mark, "", *values) if None in decided else known(is_and, mark, *values)


def compared(mark: Mark, operator: str, first: Value, second: Value) -> Value:
    """A comparison, or arithmetic."""
    if not (first.is_complete() and second.is_complete()):
        return unknown(mark, "", first, second)
    try:
        return known(_compute(operator, first.plain(), second.plain()), mark, first, second)
    except (TypeError, ZeroDivisionError, ValueError):
        return unknown(mark, "", first, second)


def _compute(operator: str, first: Any, second: Any) -> Any:
    if operator in ("=~", "!~"):
        return (str(first).lower() == str(second).lower()) == (operator == "=~")
    operations: dict[str, Callable[[], Any]] = {
        "==": lambda: first == second,
        "!=": lambda: first != second,
        "<": lambda: first < second,
        "<=": lambda: first <= second,
        ">": lambda: first > second,
        ">=": lambda: first >= second,
        "+": lambda: first + second,
        "-": lambda: first - second,
        "*": lambda: first * second,
        "/": lambda: first / second,
        "%": lambda: first % second,
    }
    return operations[operator]()


def negated(mark: Mark, operator: str, value: Value) -> Value:
    """A value behind ! or a minus sign."""
    if operator == "!":
        decided = to_bool(value)
        return unknown(mark, "", value) if decided is None else known(not decided, mark, value)
    if isinstance(value.data, (int, float)) and not isinstance(value.data, bool):
        return known(-value.data, mark, value)
    return unknown(mark, "", value)


def merged(mark: Mark, values: Iterable[Value]) -> Value:
    """Mappings joined, later ones first; keys that only a choice of an unknown mapping has are unknown values."""
    parts = list(values)
    data: dict[str, Value] = {}
    keys: dict[str, Mark] = {}
    is_open = False
    for part in parts:
        if part.known and part.is_mapping:
            data.update(part.items())
            keys.update(part.keys)
            is_open = is_open or part.is_open
        elif part.choices and all(_is_mapping_or_nothing(choice) for choice in part.choices):
            is_open = _merge_choices(mark, part, data, keys) or is_open
        elif not (part.known and part.data in (None, "")):
            is_open = True
    return replace(known(data, mark, *parts), keys=keys, is_open=is_open)


def _is_mapping_or_nothing(value: Value) -> bool:
    return (value.known and (value.is_mapping or value.data in (None, ""))) or bool(
        value.choices and all(map(_is_mapping_or_nothing, value.choices))
    )


def _merge_choices(mark: Mark, part: Value, data: dict[str, Value], keys: dict[str, Mark]) -> bool:
    """Add the keys of an unknown mapping's choices; returns whether one of them may have more."""
    is_open = False
    for choice in part.choices:
        if choice.known:
            is_open = is_open or choice.is_open
            for key, value in choice.items():
                data[key] = unknown(value.mark, "it depends on a condition", value, choices=(value,))
                keys.setdefault(key, choice.key_mark(key))
        else:
            is_open = _merge_choices(mark, choice, data, keys) or is_open
    return is_open
