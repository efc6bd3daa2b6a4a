"""Reads the expressions of Bicep, Terraform and ARM templates, with a position for each part.

One reader for the three languages, because their expressions differ in little: how texts are quoted, how the pairs of
an object are written, and whether a line break ends an expression.
https://learn.microsoft.com/azure/azure-resource-manager/bicep/operators
https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
https://learn.microsoft.com/azure/azure-resource-manager/templates/template-expressions
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable

from azext_amlk8s.lint.nodes import (
    Array,
    Call,
    Index,
    InvalidSyntax,
    Literal,
    Loop,
    Member,
    Name,
    Node,
    Operation,
    Spread,
    Template,
)
from azext_amlk8s.lint.values import Mark

BLANKS = re.compile(r"[ \t\r\f\v\u00a0]+")
IDENTIFIER = re.compile(r"[A-Za-z_][\w-]*")
BICEP_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
NUMBER = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?")
OPERATOR = re.compile(r"\?\?|\|\||&&|==|!=|=~|!~|<=|>=|[<>+*/%?-]")
PRECEDENCE = {
    "?": 1, "??": 2, "||": 3, "&&": 4, "==": 5, "!=": 5, "=~": 5, "!~": 5,
    "<": 6, "<=": 6, ">": 6, ">=": 6, "+": 7, "-": 7, "*": 8, "/": 8, "%": 8,
}  # fmt: skip
WORDS = {"true": True, "false": False, "null": None}
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "'": "'", '"': '"', "\\": "\\", "$": "$"}
MAX_DEPTH = 60


class Positions:
    """Offsets of a text as lines and columns; start is where the text begins in its file, whose lines are indented."""

    def __init__(self, text: str, start: Mark, indent: int = 0) -> None:
        self._start, self._indent = start, indent
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]

    def mark(self, offset: int) -> Mark:
        """The position of an offset."""
        line = bisect_right(self._lines, offset) - 1
        column = offset - self._lines[line]
        start = self._start
        return Mark(start.source, start.line + line, (start.column if line == 0 else 1) + self._indent + column)


class Cursor:
    """An offset in a text."""

    def __init__(self, text: str, start: Mark, depth: int = 0, indent: int = 0) -> None:
        self.text, self.offset, self.depth = text, 0, depth
        self.positions = Positions(text, start, indent)

    def mark(self, offset: int | None = None) -> Mark:
        """The position of an offset, or the current one."""
        return self.positions.mark(self.offset if offset is None else offset)

    def match(self, pattern: re.Pattern[str]) -> str:
        """Step over what matches here; empty where nothing does."""
        match = pattern.match(self.text, self.offset)
        if not match:
            return ""
        self.offset = match.end()
        return match.group()


class Reader(Cursor):
    """A position in a text of one language, and what can be read from there."""

    quote = "'"
    identifier = IDENTIFIER
    comments = re.compile(r"(?!)")
    continues: tuple[str, ...] = ()  # operators that may begin a line of their own
    escapes_dollars = True  # $${ stands for ${

    # Single characters

    def error(self, problem: str) -> InvalidSyntax:
        """What to raise at the current position."""
        return InvalidSyntax(self.mark(), problem)

    def skip(self, *, lines: bool = True) -> None:
        """Skip blanks and comments, and line breaks unless they matter."""
        while self.offset < len(self.text):
            match = BLANKS.match(self.text, self.offset) or self.comments.match(self.text, self.offset)
            if match:
                self.offset = match.end()
            elif lines and self.text[self.offset] == "\n":
                self.offset += 1
            else:
                return

    def looking_at(self, word: str) -> bool:
        """Whether the text goes on with this."""
        return self.text.startswith(word, self.offset)

    def take(self, word: str) -> bool:
        """Step over this, if the text goes on with it."""
        if self.looking_at(word):
            self.offset += len(word)
            return True
        return False

    def expect(self, word: str) -> None:
        """Step over this. Raises InvalidSyntax where the text goes on differently."""
        self.skip()
        if not self.take(word):
            raise self.error(f"expected '{word}', got {self.describe()}")

    def describe(self) -> str:
        """What comes next, for messages."""
        if self.offset >= len(self.text):
            return "the end of the file"
        found = re.compile(r"[\w-]+|.", re.DOTALL).match(self.text, self.offset)
        word = found.group() if found else ""
        return "the end of the line" if word == "\n" else f"'{word[:20]}'"

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self.offset >= len(self.text)

    # Expressions

    def expression(self, least: int = 0, *, lines: bool = False) -> Node:
        """An expression of operators that bind at least so strongly; lines says that line breaks do not end it."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error("it is nested too deeply")
        node = self._operand(lines)
        while operator := self._operator(least, lines):
            self.offset += len(operator)
            self.skip()
            if operator == "?":
                chosen = self.expression(0, lines=lines)
                self.expect(":")
                self.skip()
                node = Operation(node.mark, "?", (node, chosen, self.expression(1, lines=lines)))
            else:
                right = self.expression(PRECEDENCE[operator] + 1, lines=lines)
                node = Operation(node.mark, operator, (node, right))
        self.depth -= 1
        return node

    def _operator(self, least: int, lines: bool) -> str:
        """The operator that continues an expression; the offset stays where it is if there is none."""
        start = self.offset
        self.skip(lines=lines)
        match = OPERATOR.match(self.text, self.offset)
        if match is None and self.continues:
            self.skip()
            match = OPERATOR.match(self.text, self.offset)
            match = match if match and match.group() in self.continues else None
        if match and PRECEDENCE[match.group()] >= max(least, 1):
            return match.group()
        self.offset = start
        return ""

    def _operand(self, lines: bool) -> Node:
        self.skip(lines=lines)
        mark = self.mark()
        for sign in ("!", "-"):
            if self.take(sign):
                return Operation(mark, sign, (self._operand(lines),))
        return self._postfix(self._primary(), lines)

    def _primary(self) -> Node:
        mark = self.mark()
        if self.take("("):
            node = self.expression(lines=True)
            self.expect(")")
            return node
        if self.looking_at("["):
            return self.array()
        if self.looking_at("{"):
            return self.object()
        if self.at_string():
            return self.string()
        if number := self.match(NUMBER):
            return Literal(mark, float(number) if re.search(r"[.eE]", number) else int(number))
        if name := self.match(self.identifier):
            if name in WORDS:
                return Literal(mark, WORDS[name])
            if self.looking_at("("):
                return self._call(mark, name, None)
            return Name(mark, name)
        raise self.error(f"expected a value, got {self.describe()}")

    def _postfix(self, node: Node, lines: bool) -> Node:
        while True:
            start = self.offset
            if lines or self.continues:
                self.skip(lines=True)
            if self.take("::") or self.take(".?") or (self.looking_at(".") and not self.looking_at("...")):
                self.take(".")
                node = self._member(node)
            elif self.offset == start and self.take("["):
                self.take("?")
                node = self._index(node)
            elif self.offset == start and self._asserts():
                self.offset += 1
            else:
                self.offset = start
                return node

    def _asserts(self) -> bool:
        """Whether a Bicep assertion that something is not null comes next, which is no operator."""
        return self.looking_at("!") and self.text[self.offset + 1 : self.offset + 2] not in ("=", "~")

    def _member(self, node: Node) -> Node:
        mark = self.mark()
        if self.take("*"):
            return Loop(mark, None)
        name = self.match(self.identifier) or self.match(NUMBER)
        if not name:
            raise self.error(f"expected a name, got {self.describe()}")
        return self._call(mark, name, node) if self.looking_at("(") else Member(node.mark, node, name)

    def _index(self, node: Node) -> Node:
        self.skip()
        if self.take("*"):
            index: Node = Loop(node.mark, None)
        else:
            index = self.expression(lines=True)
        self.expect("]")
        return Index(node.mark, node, index)

    def _call(self, mark: Mark, name: str, target: Node | None) -> Node:
        self.expect("(")
        arguments: list[Node] = []
        expands = False
        self.skip()
        while not self.take(")"):
            arguments.append(self.argument())
            self.skip()
            expands = self.take("...") or expands
            self.skip()
            if not self.take(",") and not self.looking_at(")"):
                raise self.error(f"expected ',' or ')', got {self.describe()}")
            self.skip()
        return Call(mark, name, tuple(arguments), target, expands)

    def argument(self) -> Node:
        """One argument of a call."""
        return self.expression(lines=True)

    # Collections and texts, which the languages write in their own way

    def array(self) -> Node:
        """A list, or a loop in brackets."""
        mark = self.mark()
        self.expect("[")
        self.skip()
        if self.at_word("for"):
            return self.loop(mark, "]")
        items: list[Node] = []
        while not self.take("]"):
            items.append(self._spread() or self.expression())
            self.skip()
            self.take(",")
            self.skip()
        return Array(mark, tuple(items))

    def _spread(self) -> Node | None:
        mark = self.mark()
        return Spread(mark, self.expression()) if self.take("...") else None

    def at_word(self, word: str) -> bool:
        """Whether the text goes on with this word."""
        return bool(re.compile(rf"{word}\b").match(self.text, self.offset))

    def object(self) -> Node:
        """A mapping."""
        raise self.error("a mapping is not expected here")

    def loop(self, mark: Mark, end: str) -> Node:
        """A for expression up to its closing bracket; the offset is at `for`."""
        raise self.error("a loop is not expected here")

    def at_string(self) -> bool:
        """Whether a text begins here."""
        return self.looking_at(self.quote)

    def string(self) -> Node:
        """A text with its interpolations."""
        mark = self.mark()
        self.expect(self.quote)
        return self.interpolated(mark, self._ends_string, self.escape)

    def _ends_string(self) -> bool:
        if self.looking_at("\n") or self.at_end:
            raise self.error("the text has no closing quotation mark")
        return self.take(self.quote)

    def escape(self) -> str:
        """Step over an escape sequence and return what it stands for; empty where none begins."""
        if not self.looking_at("\\"):
            return ""
        character = self.text[self.offset + 1 : self.offset + 2]
        self.offset += 2
        if character == "u":
            digits = self.match(re.compile(r"\{?[0-9A-Fa-f]{1,8}\}?")).strip("{}")
            return chr(int(digits, 16)) if digits and int(digits, 16) < 0x110000 else ""
        return ESCAPES.get(character, character)

    def interpolated(self, mark: Mark, ends: Callable[[], bool], escape: Callable[[], str]) -> Node:
        """The parts of a text up to where it ends."""
        parts: list[Node] = []
        characters: list[str] = []
        while not ends():
            if self.looking_at("${"):
                if characters:
                    parts.append(Literal(mark, "".join(characters)))
                    characters = []
                self.offset += 2
                self.take("~")
                parts.append(self.expression(lines=True))
                self.skip()
                self.take("~")
                self.expect("}")
            elif self.escapes_dollars and self.looking_at("$${"):
                characters.append("${")
                self.offset += 3
            elif sequence := escape():
                characters.append(sequence)
            else:
                characters.append(self.text[self.offset])
                self.offset += 1
        if not parts:
            return Literal(mark, "".join(characters))
        return Template(mark, (*parts, Literal(mark, "".join(characters))) if characters else tuple(parts))


class ArmReader(Reader):
    """Expressions of ARM templates: function calls, members and indexes."""

    identifier = BICEP_IDENTIFIER

    def string(self) -> Node:
        """A text; two quotation marks stand for one."""
        mark = self.mark()
        match = re.compile(r"'((?:[^']|'')*)'").match(self.text, self.offset)
        if not match:
            raise self.error("the text has no closing quotation mark")
        self.offset = match.end()
        return Literal(mark, match.group(1).replace("''", "'"))

    def object(self) -> Node:
        """ARM expressions have none."""
        raise self.error("unexpected '{'")


def read_arm_expression(text: str, start: Mark) -> Node:
    """The expression of an ARM template, without its brackets. Raises InvalidSyntax."""
    reader = ArmReader(text, start)
    node = reader.expression(lines=True)
    reader.skip()
    if not reader.at_end:
        raise reader.error(f"unexpected {reader.describe()} in the expression")
    return node
