"""Terraform text (HCL) into blocks and attributes, with a position for each part.

https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from azext_amlk8s.lint.nodes import Literal, Loop, Name, Node, Object, Template
from azext_amlk8s.lint.reader import IDENTIFIER, Reader
from azext_amlk8s.lint.values import Mark

HEREDOC = re.compile(r"<<(-?)([A-Za-z_]\w*)[ \t]*\n")


@dataclass(frozen=True, slots=True)
class Block(Node):
    """A block with its labels, attributes and inner blocks."""

    keyword: str
    labels: tuple[str, ...]
    attributes: tuple[tuple[str, Mark, Node], ...]
    blocks: tuple[Block, ...]

    def attribute(self, name: str) -> Node | None:
        """The expression of an attribute, None where there is none."""
        return next((node for key, _, node in self.attributes if key == name), None)

    def block(self, name: str) -> Block | None:
        """The first inner block of a kind, also one that is declared as dynamic."""
        for block in self.blocks:
            if block.keyword == name:
                return block
            if block.keyword == "dynamic" and block.labels == (name,):
                return block.block("content") or block
        return None


class TerraformReader(Reader):
    """A position in a Terraform text."""

    quote = '"'
    comments = re.compile(r"#[^\n]*|//[^\n]*|/\*.*?\*/", re.DOTALL)

    def file(self) -> Block:
        """The whole file as a block without keyword. Raises InvalidSyntax."""
        block = self._body(self.mark(), "", (), end="")
        if not self.at_end:
            raise self.error(f"unexpected {self.describe()}")
        return block

    def _body(self, mark: Mark, keyword: str, labels: tuple[str, ...], end: str) -> Block:
        attributes: list[tuple[str, Mark, Node]] = []
        blocks: list[Block] = []
        self.skip()
        while not self.at_end and not (end and self.take(end)):
            place = self.mark()
            name = self.match(IDENTIFIER)
            if not name and self.at_string():  # quoted attribute names are read by old versions
                name = str(getattr(self.string(), "data", ""))
            if not name:
                raise self.error(f"expected an attribute or a block, got {self.describe()}")
            self.skip(lines=False)
            if self.looking_at("=") and not self.looking_at("=="):
                self.take("=")
                self.skip(lines=False)
                attributes.append((name, place, self.expression()))
            else:
                blocks.append(self._block(place, name))
            self.skip(lines=False)
            self.take(",")
            self.skip()
        if end and self.at_end and self.text[self.offset - 1 : self.offset] != end:
            raise self.error(f"block '{keyword}' has no closing '{end}'")
        return Block(mark, keyword, labels, tuple(attributes), tuple(blocks))

    def _block(self, mark: Mark, keyword: str) -> Block:
        labels: list[str] = []
        while not self.looking_at("{"):
            if self.at_string():
                labels.append(str(getattr(self.string(), "data", "")))
            elif label := self.match(IDENTIFIER):
                labels.append(label)
            else:
                raise self.error(f"expected '=' or '{{' after '{keyword}', got {self.describe()}")
            self.skip(lines=False)
        self.expect("{")
        return self._body(mark, keyword, tuple(labels), "}")

    def at_string(self) -> bool:
        """Whether a text or a heredoc begins here."""
        return self.looking_at('"') or bool(HEREDOC.match(self.text, self.offset))

    def string(self) -> Node:
        """A text in quotation marks, or a heredoc."""
        mark = self.mark()
        heredoc = HEREDOC.match(self.text, self.offset)
        if not heredoc:
            return super().string()
        self.offset = heredoc.end()
        end = re.compile(rf"^[ \t]*{heredoc.group(2)}[ \t]*$", re.MULTILINE).search(self.text, self.offset)
        if not end:
            raise self.error(f"the heredoc has no closing '{heredoc.group(2)}'")
        limit = end.start()
        node = self.interpolated(self.mark(), lambda: self.offset >= limit, self._directive)
        self.offset = end.end()
        return _indented(node, bool(heredoc.group(1)), mark)

    def escape(self) -> str:
        """An escape sequence, or a directive of a template."""
        return self._directive() or super().escape()

    def _directive(self) -> str:
        """%{if …} and other directives are left out of the text; %%{ stands for %{."""
        if self.looking_at("%%{"):
            self.offset += 3
            return "%{"
        if self.looking_at("%{"):
            end = self.text.find("}", self.offset)
            self.offset = end + 1 if end >= 0 else len(self.text)
            return "\ufffd"
        return ""

    def object(self) -> Node:
        """{ key = value } or a loop."""
        mark = self.mark()
        self.expect("{")
        self.skip()
        if self.at_word("for"):
            return self.loop(mark, "}")
        pairs: list[tuple[Node | None, Node]] = []
        while not self.take("}"):
            key = self._key()
            self.skip()
            if not self.take("=") and not self.take(":"):
                raise self.error(f"expected '=' after a key, got {self.describe()}")
            self.skip()
            pairs.append((key, self.expression()))
            self.skip()
            self.take(",")
            self.skip()
        return Object(mark, tuple(pairs))

    def _key(self) -> Node:
        mark = self.mark()
        bare = re.compile(r"([A-Za-z_][\w-]*)\s*(?:=(?!=)|:)").match(self.text, self.offset)
        if bare:
            self.offset += len(bare.group(1))
            return Name(mark, bare.group(1))
        return self.expression()

    def loop(self, mark: Mark, end: str) -> Node:
        """[for x in xs : value if condition] or {for k, v in xs : key => value...}"""
        self.take("for")
        match = re.compile(r"\s*[\w-]+(\s*,\s*[\w-]+)?\s+in\b").match(self.text, self.offset)
        if not match:
            raise self.error("expected names and 'in' after 'for'")
        self.offset = match.end()
        self.expression(lines=True)
        self.expect(":")
        self.skip()
        body = self.expression(lines=True)
        self.skip()
        if self.take("=>"):
            body = self.expression(lines=True)
            self.skip()
        self.take("...")
        self.skip()
        if self.at_word("if"):
            self.take("if")
            self.expression(lines=True)
        self.expect(end)
        return Loop(mark, body)


def _indented(node: Node, strips: bool, mark: Mark) -> Node:
    """The text of a heredoc; <<- strips the indentation that all lines have."""
    if not strips:
        return node
    literals = (
        [node] if isinstance(node, Literal) else [p for p in getattr(node, "parts", ()) if isinstance(p, Literal)]
    )
    text = "".join(str(literal.data) for literal in literals)
    indents = [len(line) - len(line.lstrip()) for line in text.splitlines() if line.strip()]
    width = min(indents, default=0)

    def stripped(part: Node) -> Node:
        if not isinstance(part, Literal):
            return part
        return Literal(part.mark, re.sub(rf"(?m)^[ \t]{{{width}}}", "", str(part.data)))

    if isinstance(node, Template):
        return Template(node.mark, tuple(stripped(part) for part in node.parts))
    return stripped(node)


def read_terraform(text: str, source: str) -> Block:
    """A Terraform file as a block. Raises InvalidSyntax."""
    return TerraformReader(text, Mark(source)).file()
