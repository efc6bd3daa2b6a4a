"""Shell scripts into commands of words, as people write them: continued lines, quotes, variables, arrays.

https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html
"""

from __future__ import annotations

import re

from azext_amlk8s.lint.nodes import Call, Literal, Loop, Name, Node, Operation
from azext_amlk8s.lint.script_reader import (
    MAX_DEPTH,
    OUTPUT,
    PLACEHOLDER,
    TEMPLATE,
    Heredoc,
    ScriptContent,
    ScriptReader,
    Word,
    matching,
)
from azext_amlk8s.lint.values import Mark

ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\[[^\]\n]*\])?(\+?=)")
EXPANSION = re.compile(r"!?#?([A-Za-z_]\w*|[0-9@*#?])(\[[@*\w$]+\])?(?:(:?[-=])(.*))?$", re.DOTALL)
VARIABLE = re.compile(r"\$([A-Za-z_]\w*|[0-9@*#?$!-])")
REDIRECTION = re.compile(r"\d*(&>>?|>>?|<|>\|)(&\d|&-)?[ \t]*")
HEREDOC = re.compile(r"<<(-?)[ \t]*(['\"\\]?)([A-Za-z_]\w*)['\"]?")
ENDS = "\n;&|()"
BETWEEN_ITEMS = re.compile(r"(?:\s|\\\n|#[^\n]*(?=\n))+")
RUN = re.compile(r"[^\\\s\"'$`;&|()<>{]+|.", re.DOTALL)


class ShellReader(ScriptReader):
    """A position in a script for sh, bash or zsh."""

    blanks = re.compile(r"(?:[ \t\r]|\\\r?\n)+")

    def __init__(
        self, text: str, start: Mark, content: ScriptContent | None = None, depth: int = 0, indent: int = 0
    ) -> None:
        super().__init__(text, start, content, depth, indent)
        self._heredocs: list[tuple[str, bool]] = []
        self._targets: list[str] = []
        self._first = 0  # of the commands of the line

    def read_part(self) -> None:
        character = self.text[self.offset]
        if character in ENDS:
            self.end_command()
            self.offset += 1
            if character == "\n":
                self._read_heredocs()
        elif character == "#":
            self.skip_line()
        elif not self._redirection() and (self.words or not self._assignment()):
            self.words.append(self.word())

    def _redirection(self) -> bool:
        """Step over a redirection with its target, or remember a heredoc."""
        if self.text.startswith("<<<", self.offset):
            self.offset += 3
            self.match(self.blanks)
            self.word()
            return True
        heredoc = HEREDOC.match(self.text, self.offset)
        if heredoc:
            self.offset = heredoc.end()
            self._heredocs.append((heredoc.group(3), bool(heredoc.group(2))))
            return True
        if PLACEHOLDER.match(self.text, self.offset):
            return False
        match = REDIRECTION.match(self.text, self.offset)
        if not match:
            return False
        self.offset = match.end()
        if not match.group(2) and self.offset < len(self.text) and self.text[self.offset] not in ENDS:
            target = self.word()
            self._targets += [target.text] if ">" in match.group(1) and target.text else []
        return True

    def _read_heredocs(self) -> None:
        """Remember the documents that follow a line, with the files that redirections of the line and tee write."""
        commands = self.content.commands[self._first :]
        tee = [word.text for words in commands if words[0].text == "tee" for word in words[1:]]
        targets = tuple(name for name in (*self._targets, *tee) if name and not name.startswith("-"))
        for name, is_quoted in self._heredocs:
            end = re.compile(rf"^[ \t]*{name}[ \t]*$", re.MULTILINE).search(self.text, self.offset)
            text = self.text[self.offset : end.start() if end else len(self.text)]
            self.content.heredocs.append(Heredoc(self.mark(), text, is_quoted, targets))
            self.offset = end.end() if end else len(self.text)
        self._heredocs, self._targets, self._first = [], [], len(self.content.commands)

    def _assignment(self) -> bool:
        match = ASSIGNMENT.match(self.text, self.offset)
        if not match:
            return False
        name, index, sign = match.groups()
        self.offset = match.end()
        mark = self.mark()
        if index:
            self.word()
            self.content.assign(name, Word(mark, (Loop(mark, None),)))
        elif self.text.startswith("(", self.offset):
            self.content.assign(name, self._array(), appends=sign == "+=")
        else:
            word = self.word()
            value = Word(mark, (Loop(mark, None),)) if sign == "+=" else word
            self.content.assign(name, value)
        return True

    def _array(self) -> list[Word]:
        """The words between parentheses, which may be on several lines."""
        self.offset += 1
        words: list[Word] = []
        while self.offset < len(self.text):
            self.match(BETWEEN_ITEMS)
            if self.text.startswith(")", self.offset) or self.offset >= len(self.text):
                self.offset += 1
                break
            before = self.offset
            words.append(self.word())
            if self.offset == before:
                self.offset += 1
        return words

    # Words

    def word(self) -> Word:
        """The next word."""
        mark = self.mark()
        parts: list[Node] = []
        expands, is_quoted = "", False
        while self.offset < len(self.text):
            character = self.text[self.offset]
            if character in " \t\r\n;&|()" or (character in "<>" and not PLACEHOLDER.match(self.text, self.offset)):
                break
            if character == "'":
                is_quoted = True
                self._single_quoted(parts)
            elif character == '"':
                is_quoted = True
                expands = self._double_quoted(parts) or expands
            elif self.text.startswith("\\\n", self.offset):
                self.offset += 2
            elif character == "\\":
                parts.append(Literal(self.mark(), self.text[self.offset + 1 : self.offset + 2]))
                self.offset += 2
            elif placeholder := PLACEHOLDER.match(self.text, self.offset):
                parts.append(Literal(self.mark(), placeholder.group()))
                self.offset = placeholder.end()
            else:
                expands = self._expansion(parts) or expands
        return Word(mark, tuple(parts), expands if len(parts) == 1 else "", is_quoted)

    def _single_quoted(self, parts: list[Node]) -> None:
        end = self.text.find("'", self.offset + 1)
        end = end if end >= 0 else len(self.text)
        mark, content = self.mark(), self.text[self.offset + 1 : end]
        self.offset = end + 1
        _add_text(parts, mark, content)

    def _double_quoted(self, parts: list[Node]) -> str:
        self.offset += 1
        expands = ""
        parts.append(Literal(self.mark(), ""))
        start = len(parts)
        while self.offset < len(self.text) and self.text[self.offset] != '"':
            if self.text[self.offset] == "\\":
                following = self.text[self.offset + 1 : self.offset + 2]
                kept = "" if following in '$`"\\\n' else "\\"
                parts.append(Literal(self.mark(), kept + ("" if following == "\n" else following)))
                self.offset += 2
            else:
                expands = self._expansion(parts) or expands
        self.offset += 1
        if expands and len(parts) == start + 1:
            parts.pop(start - 1)
        return expands

    def _expansion(self, parts: list[Node]) -> str:
        """One variable, command substitution or run of characters; returns the name of an array that is expanded."""
        mark = self.mark()
        template = TEMPLATE.match(self.text, self.offset)
        if template:
            self.offset = template.end()
            parts.append(Loop(mark, None))
        elif self.text.startswith("$(", self.offset) or self.text[self.offset] == "`":
            parts.append(Call(mark, OUTPUT, (Literal(mark, self._substitution()),)))
        elif self.text.startswith("${", self.offset):
            return self._braced(parts)
        elif variable := VARIABLE.match(self.text, self.offset):
            self.offset = variable.end()
            parts.append(Name(mark, variable.group(1)))
        else:
            _add_text(parts, mark, self.match(RUN))
        return ""

    def _braced(self, parts: list[Node]) -> str:
        mark, end = self.mark(), matching(self.text, self.offset + 1, "{", "}")
        content = self.text[self.offset + 2 : end]
        self.offset = end + 1
        match = EXPANSION.match(content)
        if not match or content.startswith(("!", "#")):
            parts.append(Loop(mark, None))
            return ""
        name, index, operator, default = match.groups()
        if index:
            parts.append(Name(mark, name))
            return str(name) if index in ("[@]", "[*]") else ""
        if operator:
            inner = ShellReader(default.strip("\"'"), mark, ScriptContent(), self.depth + 1).word_of_all()
            parts.append(Operation(mark, "??", (Name(mark, name), inner)))
        else:
            parts.append(Name(mark, name))
        return ""

    def word_of_all(self) -> Node:
        """The whole text as one value."""
        parts: list[Node] = []
        while self.offset < len(self.text) and self.depth < MAX_DEPTH:
            if self.text[self.offset] in " \t\n;&|()<>\"'\\":
                _add_text(parts, self.mark(), self.text[self.offset])
                self.offset += 1
            else:
                self._expansion(parts)
        if len(parts) == 1:
            return parts[0]
        return Literal(self.mark(0), "") if not parts else Loop(self.mark(0), None)

    def _substitution(self) -> str:
        """Step over $(…) or `…`, whose commands are commands of the script too; returns the text inside."""
        if self.text[self.offset] == "`":
            end = self.text.find("`", self.offset + 1)
            start = self.offset + 1
            end = end if end >= 0 else len(self.text)
        else:
            start, end = self.offset + 2, matching(self.text, self.offset + 1, "(", ")")
        if self.depth < MAX_DEPTH and not self.text.startswith("$((", self.offset):
            type(self)(self.text[start:end], self.mark(start), self.content, self.depth + 1).read()
        self.offset = end + 1
        return self.text[start:end]


def _add_text(parts: list[Node], mark: Mark, text: str) -> None:
    """Add text, to the last part where that is text as well."""
    if parts and isinstance(parts[-1], Literal):
        last = parts.pop()
        assert isinstance(last, Literal)
        parts.append(Literal(last.mark, f"{last.data}{text}"))
    else:
        parts.append(Literal(mark, text))
