"""Bicep text into declarations, with a position for each part.

https://learn.microsoft.com/azure/azure-resource-manager/bicep/file
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from azext_amlk8s.lint.nodes import Literal, Loop, Name, Node, Object, Spread
from azext_amlk8s.lint.reader import BICEP_IDENTIFIER, Reader
from azext_amlk8s.lint.values import Mark

KEYWORDS = re.compile(
    r"(?:@|(?:param|var|resource|module|output|type|func|metadata|import|using|extension|targetScope|provider|assert)\b)"
)
LINE_START = re.compile(r"^(?=\S)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Declaration(Node):
    """A statement of a Bicep file. target is the type of a resource or the path of a module."""

    keyword: str
    name: str
    target: str = ""
    value: Node | None = None
    decorators: tuple[str, ...] = ()
    is_existing: bool = False
    has_condition: bool = False


class BicepReader(Reader):
    """A position in a Bicep text."""

    identifier = BICEP_IDENTIFIER
    comments = re.compile(r"//[^\n]*|/\*.*?\*/|#(?:disable|restore)[^\n]*", re.DOTALL)
    continues = ("?", "??", "||", "&&", "==", "!=", "+")
    escapes_dollars = False

    def declarations(self) -> list[Declaration]:
        """Every statement of the file. Raises InvalidSyntax for one that cannot be parsed."""
        found: list[Declaration] = []
        decorators: list[str] = []
        self.skip()
        while not self.at_end:
            if self.looking_at("@"):
                decorators.append(self._decorator())
            elif declaration := self._declaration(tuple(decorators)):
                found.append(declaration)
                decorators = []
            self.skip()
        return found

    def _decorator(self) -> str:
        self.expect("@")
        node = self.expression(lines=False)
        name = getattr(node, "name", "")
        return str(name)

    def _declaration(self, decorators: tuple[str, ...]) -> Declaration | None:
        mark = self.mark()
        keyword = self.match(BICEP_IDENTIFIER)
        readers = {"param": self._typed, "var": self._typed, "resource": self._resource, "module": self._resource}
        if keyword in readers:
            self.skip(lines=False)
            name = self.match(BICEP_IDENTIFIER)
            if not name:
                raise self.error(f"expected the name of a {keyword}, got {self.describe()}")
            return readers[keyword](mark, keyword, name, decorators)
        if keyword == "using":
            self.skip(lines=False)
            node = self.string() if self.at_string() else None
            return Declaration(mark, keyword, "", str(getattr(node, "data", "")))
        if not KEYWORDS.match(keyword):
            self.offset -= len(keyword)
            raise self.error(f"expected a declaration, got {self.describe()}")
        self._skip_statement()
        return None

    def _skip_statement(self) -> None:
        """Go on at the next line that begins with a declaration."""
        for match in LINE_START.finditer(self.text, self.offset):
            if match.start() > self.offset and KEYWORDS.match(self.text, match.start()):
                self.offset = match.start()
                return
        self.offset = len(self.text)

    def _typed(self, mark: Mark, keyword: str, name: str, decorators: tuple[str, ...]) -> Declaration:
        """A parameter or a variable: its type is skipped."""
        kind = self._skip_type()
        value = None
        if self.take("="):
            self.skip()
            value = self.expression()
        return Declaration(mark, keyword, name, kind, value, decorators)

    def _skip_type(self) -> str:
        """Step over a type up to the equals sign or the end of the line; its brackets may span lines."""
        start, depth = self.offset, 0
        while not self.at_end:
            if self.at_string():
                self.string()
                continue
            character = self.text[self.offset]
            if depth == 0 and (character == "=" or (character == "\n" and not self._type_continues())):
                break
            depth += {"{": 1, "[": 1, "(": 1, "}": -1, "]": -1, ")": -1}.get(character, 0)
            self.offset += 1
            if depth < 0:
                break
        return self.text[start : self.offset].partition("//")[0].strip()

    def _type_continues(self) -> bool:
        return bool(re.compile(r"\s*\|").match(self.text, self.offset))

    def _resource(self, mark: Mark, keyword: str, name: str, decorators: tuple[str, ...]) -> Declaration:
        self.skip(lines=False)
        target = self.string()
        self.skip(lines=False)
        is_existing = self.at_word("existing") and self.take("existing")
        self.expect("=")
        self.skip()
        value, has_condition = self._body()
        data = target.data if isinstance(target, Literal) else ""
        return Declaration(mark, keyword, name, str(data), value, decorators, bool(is_existing), has_condition)

    def _body(self) -> tuple[Node, bool]:
        """The value of a resource or module: an object, with a condition or in a loop."""
        has_condition = False
        if self.at_word("if"):
            self.take("if")
            self.skip()
            has_condition = True
            self.expression(lines=True, least=99)
            self.skip()
        return self.expression(), has_condition

    def string(self) -> Node:
        """A text in single quotes, or in three of them without interpolation."""
        mark = self.mark()
        if self.take("'''"):
            end = self.text.find("'''", self.offset)
            if end < 0:
                raise self.error("the text has no closing quotation marks")
            content = self.text[self.offset : end].removeprefix("\n")
            self.offset = end + 3
            return Literal(mark, content)
        return super().string()

    def object(self) -> Node:
        """An object, with nested resources."""
        mark = self.mark()
        self.expect("{")
        pairs: list[tuple[Node | None, Node]] = []
        resources: list[Node] = []
        decorators: list[str] = []
        self.skip()
        while not self.take("}"):
            if self.take("..."):
                pairs.append((None, Spread(mark, self.expression())))
            elif self.looking_at("@"):
                decorators.append(self._decorator())
            elif nested := self._nested_resource(tuple(decorators)):
                resources.append(nested)
            else:
                pairs.append(self._pair())
            self.skip()
            self.take(",")
            self.skip()
        return Object(mark, tuple(pairs), tuple(resources))

    def _nested_resource(self, decorators: tuple[str, ...]) -> Node | None:
        match = re.compile(r"resource[ \t]+\w+[ \t]+'").match(self.text, self.offset)
        return self._declaration(decorators) if match else None

    def _pair(self) -> tuple[Node, Node]:
        mark = self.mark()
        if self.at_string():
            key = self.string()
        else:
            name = self.match(BICEP_IDENTIFIER)
            if not name:
                raise self.error(f"expected the name of a property, got {self.describe()}")
            key = Name(mark, name)
        self.skip(lines=False)
        if not self.take(":"):
            raise self.error(f"expected ':' after the name of a property, got {self.describe()}")
        self.skip()
        return key, self.expression()

    def loop(self, mark: Mark, end: str) -> Node:
        """[for item in items: body]"""
        self.take("for")
        self.skip()
        if self.take("("):
            self._until(")")
        else:
            self.match(BICEP_IDENTIFIER)
        self.skip()
        if not self.at_word("in"):
            raise self.error(f"expected 'in', got {self.describe()}")
        self.take("in")
        self.expression(lines=True)
        self.expect(":")
        self.skip()
        body, _ = self._body()
        self.expect(end)
        return Loop(mark, body)

    def _until(self, end: str) -> None:
        found = self.text.find(end, self.offset)
        self.offset = found + 1 if found >= 0 else len(self.text)

    def argument(self) -> Node:
        """An argument, which may be a lambda: (a, b) => value."""
        match = re.compile(r"(?:\([\w\s,]*\)|\w+)\s*=>").match(self.text, self.offset)
        if match:
            mark = self.mark()
            self.offset = match.end()
            self.skip()
            self.expression(lines=True)
            return Loop(mark, None)
        return self.expression(lines=True)


def read_bicep(text: str, source: str) -> list[Declaration]:
    """The declarations of a Bicep file. Raises InvalidSyntax."""
    return BicepReader(text, Mark(source)).declarations()
