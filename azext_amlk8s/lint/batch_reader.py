"""Batch files of Windows into commands of words: continued lines, quotes, variables.

https://learn.microsoft.com/windows-server/administration/windows-commands/windows-commands
"""

from __future__ import annotations

import re

from azext_amlk8s.lint.nodes import Literal, Loop, Name, Node
from azext_amlk8s.lint.script_reader import PLACEHOLDER, TEMPLATE, ScriptContent, ScriptReader, Word

COMMENT = re.compile(r"@?rem\b|::", re.IGNORECASE)
SET = re.compile(r"@?set\s+(?:/p\s+)?(?P<quote>\"?)(?P<name>[\w.-]+)=", re.IGNORECASE)
PROMPTS = re.compile(r"@?set\s+/[ap]\b", re.IGNORECASE)
# %NAME% and !NAME!; of a part such as %NAME:~0,3%, and of arguments such as %1, nothing is known.
VARIABLE = re.compile(r"%(?P<name>[\w.-]+)%|!(?P<late>[\w.-]+)!")
OTHER_VARIABLE = re.compile(r"%[\w.-]+:[^%\n]*%|%~?\w*\d|%\*|%%~?\w+")
REDIRECTION = re.compile(r"\d?(?:>>?|<)(?:&\d)?[ \t]*")
ENDS = "\n&|()"
RUN = re.compile(r"[^\s\"^%!&|()<>${]+|.", re.DOTALL)


class BatchReader(ScriptReader):
    """A position in a batch file."""

    blanks = re.compile(r"(?:[ \t\r]|\^\r?\n)+")

    def read_part(self) -> None:
        if not self.words and COMMENT.match(self.text, self.offset):
            self.skip_line()
        elif not self.words and self._assignment():
            pass
        elif self.text[self.offset] in ENDS:
            self.end_command()
            self.offset += 1
        elif not self._redirection():
            self._add_word()

    def _add_word(self) -> None:
        """Add the next word; @, and call before a command, are no part of it."""
        if not self.words and self.text[self.offset] == "@":
            self.offset += 1
            return
        word = self.word()
        if self.words or word.text.lower() != "call":
            self.words.append(word)

    def _redirection(self) -> bool:
        if PLACEHOLDER.match(self.text, self.offset) or not self.match(REDIRECTION):
            return False
        if self.offset < len(self.text) and self.text[self.offset] not in f"{ENDS} \t":
            self.word()
        return True

    def _assignment(self) -> bool:
        """set NAME=VALUE or set "NAME=VALUE"; the value goes to the end of the line, or to the quote."""
        is_unknown = PROMPTS.match(self.text, self.offset)
        match = SET.match(self.text, self.offset)
        if not match:
            return False
        self.offset = match.end()
        mark = self.mark()
        end = self.text.find("\n", self.offset)
        line = self.text[self.offset : end if end >= 0 else len(self.text)].rstrip("\r")
        value = line.rpartition('"')[0] if match["quote"] and '"' in line else re.split(r"[&|]", line)[0].rstrip()
        inner = BatchReader(value, mark, ScriptContent(), self.depth + 1)
        parts = (Loop(mark, None),) if is_unknown else inner.parts_of_all()
        self.content.assign(match["name"].lower(), Word(mark, parts))
        self.offset += len(line) if match["quote"] else len(value)
        return True

    def parts_of_all(self) -> tuple[Node, ...]:
        """The whole text as the parts of one word."""
        parts: list[Node] = []
        while self.offset < len(self.text):
            self._expansion(parts)
        return tuple(parts) or (Literal(self.mark(0), ""),)

    def word(self) -> Word:
        """The next word."""
        mark = self.mark()
        parts: list[Node] = []
        is_quoted = False
        while self.offset < len(self.text):
            character = self.text[self.offset]
            is_placeholder = PLACEHOLDER.match(self.text, self.offset)
            if character in f" \t\r{ENDS}" or (character in "<>" and not is_placeholder):
                break
            if character == '"':
                is_quoted = True
                self._quoted(parts)
            elif character == "^":
                if self.text.startswith(("^\n", "^\r\n"), self.offset):
                    break
                parts.append(Literal(self.mark(), self.text[self.offset + 1 : self.offset + 2]))
                self.offset += 2
            else:
                self._expansion(parts)
        return Word(mark, tuple(parts), "", is_quoted)

    def _quoted(self, parts: list[Node]) -> None:
        """A text in quotes, in which \\" and "" are quotes, as programs read them."""
        self.offset += 1
        parts.append(Literal(self.mark(), ""))
        while self.offset < len(self.text) and self.text[self.offset] not in '"\n':
            if self.text.startswith('\\"', self.offset):
                parts.append(Literal(self.mark(), '"'))
                self.offset += 2
            else:
                self._expansion(parts)
        self.offset += self.text.startswith('"', self.offset)

    def _expansion(self, parts: list[Node]) -> None:
        mark = self.mark()
        if template := TEMPLATE.match(self.text, self.offset):
            self.offset = template.end()
            parts.append(Loop(mark, None))
        elif placeholder := PLACEHOLDER.match(self.text, self.offset):
            self.offset = placeholder.end()
            parts.append(Literal(mark, placeholder.group()))
        elif variable := VARIABLE.match(self.text, self.offset):
            self.offset = variable.end()
            parts.append(Name(mark, (variable["name"] or variable["late"]).lower()))
        elif self.match(OTHER_VARIABLE):
            parts.append(Loop(mark, None))
        else:
            parts.append(Literal(mark, self.match(RUN)))
