"""PowerShell scripts into commands of words: backticks at the end of lines, variables, arrays, splatting.

https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_parsing
"""

from __future__ import annotations

import re

from azext_amlk8s.lint.nodes import Literal, Loop, Name, Node
from azext_amlk8s.lint.script_reader import (
    MAX_DEPTH,
    PLACEHOLDER,
    TEMPLATE,
    ScriptReader,
    Word,
    matching,
)

ASSIGNMENT = re.compile(r"\$(?:\w+:)?(\w+)[ \t]*(\+?=)[ \t]*(?!=)")
VARIABLE = re.compile(r"\$\{?((?:env:)?[A-Za-z_]\w*)\}?(\.\w+|\[[^\]\n]*\])?", re.IGNORECASE)
HERE_STRING = re.compile(r"@(['\"])\n(.*?)\n\1@", re.DOTALL)
ENDS = "\n;|(){}"
BETWEEN_ITEMS = re.compile(r"(?:[\s,;]|`\n|#[^\n]*(?=\n))+")
SINGLE_QUOTED = re.compile(r"'((?:[^']|'')*)'?")
SPLAT = re.compile(r"@(\w+)")
LINE_BREAK = re.compile(r"`[ \t]*\n")
RUN = re.compile(r"[^\s\"'$`;|(){}<,]+|.", re.DOTALL)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}


class PowerShellReader(ScriptReader):
    """A position in a PowerShell script."""

    blanks = re.compile(r"(?:[ \t\r]|`[ \t]*\r?\n|<#.*?#>)+", re.DOTALL)

    def read_part(self) -> None:
        if self.text[self.offset] in ENDS:
            self.end_command()
            self.offset += 1
        elif self.text.startswith("#", self.offset):
            self.skip_line()
        elif self.words or not self._assignment():
            before = self.offset
            self.words.append(self.word())
            self.offset = max(self.offset, before + 1)

    def _assignment(self) -> bool:
        match = ASSIGNMENT.match(self.text, self.offset)
        if not match:
            return False
        name, sign = match.group(1).lower(), match.group(2)
        self.offset = match.end()
        mark = self.mark()
        if self.text.startswith("@(", self.offset):
            self.content.assign(name, self._array(), appends=sign == "+=")
        elif sign == "=" and (self.text[self.offset : self.offset + 1] in "'\"@" or self._simple_value()):
            word = self.word()
            is_whole = re.compile(r"[ \t]*(#[^\n]*)?(\n|;|$)").match(self.text, self.offset)
            self.content.assign(name, word if is_whole else Word(mark, (Loop(mark, None),)))
        else:
            self.content.assign(name, Word(mark, (Loop(mark, None),)))
        return True

    def _simple_value(self) -> bool:
        """Whether a variable or a number follows, and nothing else on the line."""
        return bool(re.compile(r"(\$\w+|[\d.]+)[ \t]*(#[^\n]*)?(\n|;|$)").match(self.text, self.offset))

    def _array(self) -> list[Word]:
        end = matching(self.text, self.offset + 1, "(", ")")
        reader = PowerShellReader(self.text[self.offset + 2 : end], self.mark(self.offset + 2), None, self.depth + 1)
        self.offset = end + 1
        words: list[Word] = []
        while reader.offset < len(reader.text):
            if reader.match(BETWEEN_ITEMS):
                continue
            before = reader.offset
            words.append(reader.word(ends=" \t\r\n,;"))
            reader.offset = max(reader.offset, before + 1)
        return words

    def word(self, ends: str = " \t\r\n;|(){}") -> Word:
        """The next word."""
        mark = self.mark()
        parts: list[Node] = []
        expands, is_quoted = "", False
        splat = SPLAT.match(self.text, self.offset)
        if splat:
            self.offset = splat.end()
            return Word(mark, (Name(mark, splat.group(1).lower()),), splat.group(1).lower())
        while self.offset < len(self.text) and self.text[self.offset] not in ends:
            character = self.text[self.offset]
            here = HERE_STRING.match(self.text, self.offset)
            template = TEMPLATE.match(self.text, self.offset)
            if here:
                self.offset = here.end()
                parts.append(Literal(mark, here.group(2)) if here.group(1) == "'" else Loop(mark, None))
            elif template:
                self.offset = template.end()
                parts.append(Loop(self.mark(), None))
            elif character == "'":
                is_quoted = True
                match = SINGLE_QUOTED.match(self.text, self.offset)
                assert match
                self.offset = match.end()
                parts.append(Literal(self.mark(match.start()), match.group(1).replace("''", "'")))
            elif character == '"':
                is_quoted = True
                self._double_quoted(parts)
            elif character == "`":
                if LINE_BREAK.match(self.text, self.offset):
                    break
                parts.append(Literal(self.mark(), self.text[self.offset + 1 : self.offset + 2]))
                self.offset += 2
            else:
                self._expansion(parts)
        if len(parts) == 1 and isinstance(parts[0], Name) and not is_quoted:
            expands = parts[0].name
        return Word(mark, tuple(parts), expands, is_quoted)

    def _double_quoted(self, parts: list[Node]) -> None:
        self.offset += 1
        parts.append(Literal(self.mark(), ""))
        while self.offset < len(self.text) and self.text[self.offset] != '"':
            if self.text[self.offset] == "`":
                character = self.text[self.offset + 1 : self.offset + 2]
                parts.append(Literal(self.mark(), ESCAPES.get(character, character)))
                self.offset += 2
            else:
                self._expansion(parts)
        self.offset += 1

    def _expansion(self, parts: list[Node]) -> None:
        mark = self.mark()
        placeholder = PLACEHOLDER.match(self.text, self.offset)
        if self.text.startswith("$(", self.offset):
            end = matching(self.text, self.offset + 1, "(", ")")
            if self.depth < MAX_DEPTH:
                inner = self.text[self.offset + 2 : end]
                PowerShellReader(inner, self.mark(self.offset + 2), self.content, self.depth + 1).read()
            self.offset = end + 1
            parts.append(Loop(mark, None))
        elif placeholder:
            self.offset = placeholder.end()
            parts.append(Literal(mark, placeholder.group()))
        elif variable := VARIABLE.match(self.text, self.offset):
            self.offset = variable.end()
            is_plain = not variable.group(2) and ":" not in variable.group(1)
            parts.append(Name(mark, variable.group(1).lower()) if is_plain else Loop(mark, None))
        else:
            parts.append(Literal(mark, self.match(RUN)))
