"""JSON with comments and trailing commas, as Azure accepts it in templates, with the position of each value."""

from __future__ import annotations

import json
import re

from azext_amlk8s.lint.reader import Reader
from azext_amlk8s.lint.values import Mark, Value

STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
MULTI_LINE = re.compile(r'"(?:[^"\\]|\\.)*"')
SCALAR = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?|true|false|null")
MAX_DEPTH = 100


class JsonReader(Reader):
    """A position in a JSON text."""

    comments = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)

    def document(self) -> Value:
        """The value of the whole text. Raises InvalidSyntax."""
        value = self.value()
        self.skip()
        if not self.at_end:
            raise self.error(f"unexpected {self.describe()} after the end of the document")
        return value

    def value(self) -> Value:
        """The next value."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error("it is nested too deeply")
        self.skip()
        mark = self.mark()
        if self.take("{"):
            value = self._mapping(mark)
        elif self.take("["):
            value = self._list(mark)
        elif self.looking_at('"'):
            value = Value(self._text(), mark)
        elif scalar := self.match(SCALAR):
            value = Value(json.loads(scalar), mark, spelling=scalar)
        else:
            raise self.error(f"expected a value, got {self.describe()}")
        self.depth -= 1
        return value

    def _text(self) -> str:
        found = self.match(STRING) or self.match(MULTI_LINE)  # Azure accepts line breaks in texts
        if not found:
            raise self.error(f"expected a text in quotation marks, got {self.describe()}")
        try:
            return str(json.loads(found, strict=False))
        except ValueError:
            raise self.error("the text has an invalid escape sequence") from None

    def _mapping(self, mark: Mark) -> Value:
        data: dict[str, Value] = {}
        keys: dict[str, Mark] = {}
        self.skip()
        while not self.take("}"):
            key_mark, key = self.mark(), self._text()
            self.expect(":")
            data[key], keys[key] = self.value(), key_mark
            self._separator("}")
        return Value(data, mark, keys=keys)

    def _list(self, mark: Mark) -> Value:
        items: list[Value] = []
        self.skip()
        while not self.take("]"):
            items.append(self.value())
            self._separator("]")
        return Value(tuple(items), mark)

    def _separator(self, end: str) -> None:
        self.skip()
        if not self.take(",") and not self.looking_at(end):
            raise self.error(f"expected ',' or '{end}', got {self.describe()}")
        self.skip()


def read_json(text: str, source: str) -> Value:
    """The value of a JSON text. Raises InvalidSyntax."""
    return JsonReader(text, Mark(source)).document()
