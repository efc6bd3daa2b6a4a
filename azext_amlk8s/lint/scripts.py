"""Scripts into command lines of az whose words are values: variables and arrays that are assigned once are known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from azext_amlk8s.lint.batch_reader import BatchReader
from azext_amlk8s.lint.evaluation import Evaluator, join_texts
from azext_amlk8s.lint.model import Script
from azext_amlk8s.lint.nodes import Call, Literal, Member, Name, Node, Operation
from azext_amlk8s.lint.powershell_reader import PowerShellReader
from azext_amlk8s.lint.script_reader import OUTPUT, ScriptContent, Word
from azext_amlk8s.lint.shell_reader import ShellReader
from azext_amlk8s.lint.values import Mark, Value, unknown
from azext_amlk8s.settings.read import PLACEHOLDER

READERS: dict[str, type[ShellReader] | type[PowerShellReader] | type[BatchReader]] = {
    "shell": ShellReader,
    "powershell": PowerShellReader,
    "batch": BatchReader,
}
# Commands that print what follows instead of running it.
PRINTERS = {
    "echo", "printf", "cat", "grep", "alias", "which", "type", "info", "warn", "log", "write-host", "write-output",
    "write-information", "write-verbose", "print", "fail", "error", "fatal", "comment", "rem", "section",
}  # fmt: skip
DECLARATIONS = {"export", "local", "readonly", "declare", "typeset"}
AZ = re.compile(r"(?:.*[/\\])?az(?:\.cmd|\.exe|\.ps1)?$", re.IGNORECASE)
MOST_WORDS_BEFORE = 6
INLINE = "inline"  # the spelling of a text that stands where its value is
# A heredoc that cat prints, as the value of a variable or of an argument.
PRINTED_HEREDOC = re.compile(
    r"\s*cat\s*<<-?[ \t]*(['\"]?)(?P<end>\w+)\1[ \t]*\n(?P<text>.*?)^[ \t]*(?P=end)[ \t]*$", re.DOTALL | re.MULTILINE
)
# The ID of whatever relay comes first.
FIRST_RELAY = re.compile(r"\baz\s+relay\s+namespace\s+list\b.*--query[\s=]+[\"']?\[0\]", re.DOTALL)


@dataclass(frozen=True)
class CommandLine:
    """A command line of az: its words without az. is_open: there are words that are not known."""

    mark: Mark
    words: tuple[Value, ...]
    is_open: bool = False


class ScriptScope:
    """What the variables of a script are."""

    def __init__(self, content: ScriptContent) -> None:
        self._content = content
        self._evaluator = Evaluator(self, {})
        self._active: set[str] = set()
        self._values: dict[str, list[Value]] = {}

    def name(self, name: str, mark: Mark) -> Value:
        """The value of a variable that is assigned once, or always the same; else unknown with what it may be."""
        assigned = self._content.assignments.get(name, [])
        if name in self._active or not assigned:
            return unknown(mark, f"variable '{name}' is defined elsewhere")
        if name not in self._values:
            self._active.add(name)
            try:
                self._values[name] = [self.word(item) for item in assigned if isinstance(item, Word)]
            finally:
                self._active.discard(name)
        values = self._values[name]
        if len(values) != len(assigned):
            return unknown(mark, f"variable '{name}' is an array")
        if any(PLACEHOLDER.match(value.text) for value in values):
            return unknown(mark, f"variable '{name}' is replaced before the script is used")
        if len(values) == 1 or all(value.known and value.data == values[0].data for value in values):
            return values[0]
        return unknown(mark, f"variable '{name}' has several values", *values, choices=tuple(values))

    def member(self, node: Member, evaluate: Callable[[Node], Value]) -> Value | None:
        """Scripts have no members."""
        return None

    def call(self, node: Call, arguments: Callable[[], list[Value]]) -> Value | None:
        """The output of commands is not known, but what may be in it: the first relay of a list."""
        if node.name != OUTPUT or not node.arguments or not isinstance(node.arguments[0], Literal):
            return None
        if document := PRINTED_HEREDOC.match(str(node.arguments[0].data)):
            return replace(unknown(node.mark, "it is a document"), spelling=document.group("text"))
        hint = "list of microsoft.relay/namespaces" if FIRST_RELAY.search(str(node.arguments[0].data)) else ""
        return unknown(node.mark, "the output of a command is not known", hint=hint)

    def word(self, word: Word) -> Value:
        """The value of a word, at its position."""
        nodes = [part for part in word.parts if not (isinstance(part, Literal) and part.data == "")]
        parts = [self._part(part) for part in nodes or word.parts]
        value = parts[0].at(word.mark) if len(parts) == 1 else join_texts(word.mark, parts)
        if word.text:
            return replace(value, spelling=INLINE)
        return replace(value, spelling="") if value.spelling == INLINE else value

    def _part(self, part: Node) -> Value:
        """A part of a word; ${NAME:-default} has its default, which the environment may override."""
        if isinstance(part, Operation) and part.operator == "??" and isinstance(part.operands[0], Name):
            name = part.operands[0].name
            own = [item for item in self._content.assignments.get(name, []) if not _is_default_of(item, name)]
            if own and name not in self._active:
                return self.name(name, part.mark)
            default = self._evaluator.evaluate(part.operands[1])
            return replace(default, inputs=default.inputs | {name})
        return self._evaluator.evaluate(part)

    def expand(self, words: list[Word]) -> tuple[list[Value], bool]:
        """The values of words, arrays expanded; whether there may be more of them."""
        values: list[Value] = []
        is_open = False
        for word in words:
            items = self._items(word.expands) if word.expands else None
            if items is not None:
                inner, more = self.expand(items)
                values += inner
                is_open = is_open or more or len(self._content.assignments[word.expands]) > 1
                is_open = is_open or word.expands in self._content.appended
                continue
            values.append(self.word(word))
        return values, is_open

    def _items(self, name: str) -> list[Word] | None:
        assigned = self._content.assignments.get(name, [])
        return next((item for item in assigned if isinstance(item, list)), None)


def _is_default_of(item: Word | list[Word], name: str) -> bool:
    """Whether an assignment is NAME=${NAME:-default}."""
    return isinstance(item, Word) and any(
        isinstance(part, Operation) and isinstance(part.operands[0], Name) and part.operands[0].name == name
        for part in item.parts
    )


def read_script(script: Script) -> ScriptContent:
    """The commands, variables and documents of a script."""
    reader = READERS[script.language]
    return reader(script.text, script.mark, indent=script.indent).read()


def command_lines(content: ScriptContent) -> Iterator[CommandLine]:
    """The command lines of az in a script."""
    for words in content.commands:
        _declare(words, content)
    scope = ScriptScope(content)
    for words in content.commands:
        start = _az(words)
        if start is not None:
            values, is_open = scope.expand(words[start + 1 :])
            yield CommandLine(words[start].mark, tuple(values), is_open)


def _declare(words: list[Word], content: ScriptContent) -> None:
    """Remember what export, local and declare assign."""
    if words[0].text.lower() not in DECLARATIONS:
        return
    for word in words[1:]:
        first = word.parts[0] if word.parts else None
        if isinstance(first, Literal) and (match := re.match(r"([A-Za-z_]\w*)=(.*)$", str(first.data), re.DOTALL)):
            rest = (Literal(word.mark, match.group(2)), *word.parts[1:]) if match.group(2) else word.parts[1:]
            content.assign(match.group(1), Word(word.mark, tuple(rest) or (Literal(word.mark, ""),)))


def _az(words: list[Word]) -> int | None:
    """The index of az in a command that runs it, perhaps below sudo, retry or a function; else None."""
    if words[0].text.lower() in PRINTERS:
        return None
    for index, word in enumerate(words[:MOST_WORDS_BEFORE]):
        if AZ.match(word.text) and not word.is_quoted:
            return index
    return None
