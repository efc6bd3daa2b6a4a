"""What the readers of shells have in common: a position in a script, and the commands that it is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from azext_amlk8s.lint.nodes import Literal, Node
from azext_amlk8s.lint.reader import Cursor
from azext_amlk8s.lint.values import Mark

PLACEHOLDER = re.compile(r"<[A-Za-z][\w .:/-]*>")
TEMPLATE = re.compile(r"\$\{\{.*?\}\}|\{\{.*?\}\}", re.DOTALL)
MAX_DEPTH = 20
# The function of a node that stands for the output of commands; their text is its argument.
OUTPUT = "$()"


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a command: its parts; expands is the name of an array whose items it stands for."""

    mark: Mark
    parts: tuple[Node, ...]
    expands: str = ""
    is_quoted: bool = False

    @property
    def text(self) -> str:
        """The text, empty where it has a variable."""
        if all(isinstance(part, Literal) for part in self.parts):
            return "".join(str(part.data) for part in self.parts if isinstance(part, Literal))
        return ""


@dataclass(frozen=True, slots=True)
class Heredoc:
    """A document in a script: its text and where that begins, and the files that it is written to.

    is_quoted: nothing in it is replaced.
    """

    mark: Mark
    text: str
    is_quoted: bool
    targets: tuple[str, ...]


@dataclass
class ScriptContent:
    """The commands of a script in their order, and what is assigned to each variable; a list is an array."""

    commands: list[list[Word]] = field(default_factory=list)
    assignments: dict[str, list[Word | list[Word]]] = field(default_factory=dict)
    appended: set[str] = field(default_factory=set)
    heredocs: list[Heredoc] = field(default_factory=list)

    def assign(self, name: str, value: Word | list[Word], *, appends: bool = False) -> None:
        """Remember an assignment; what is appended makes an array longer."""
        known = self.assignments.setdefault(name, [])
        if appends and known and isinstance(known[-1], list) and isinstance(value, list):
            known[-1] = [*known[-1], *value]
            self.appended.add(name)
        else:
            known.append(value)


class ScriptReader(Cursor):
    """A position in a script."""

    blanks: re.Pattern[str]  # between words, with line breaks that end no command

    def __init__(
        self, text: str, start: Mark, content: ScriptContent | None = None, depth: int = 0, indent: int = 0
    ) -> None:
        super().__init__(text, start, depth, indent if not depth else 0)
        self.content = content or ScriptContent()
        self.words: list[Word] = []  # of the command that is being read

    def read(self) -> ScriptContent:
        """The commands and assignments of the whole text. Nothing in it is an error."""
        while True:
            self.match(self.blanks)
            if self.offset >= len(self.text):
                break
            self.read_part()
        self.end_command()
        return self.content

    def read_part(self) -> None:
        """Read the next word, assignment, comment or end of a command."""
        raise NotImplementedError

    def skip_line(self) -> None:
        """Go on at the end of the line."""
        end = self.text.find("\n", self.offset)
        self.offset = end if end >= 0 else len(self.text)

    def end_command(self) -> None:
        """Remember the words of a command, if there are any."""
        if self.words:
            self.content.commands.append(self.words)
            self.words = []


def matching(text: str, offset: int, opening: str, closing: str) -> int:
    """The offset of the bracket that closes the one at an offset; quotes are respected. The end where none does."""
    depth, quote = 0, ""
    while offset < len(text):
        character = text[offset]
        if character == "\\":
            offset += 1
        elif quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == opening:
            depth += 1
        elif character == closing:
            depth -= 1
            if depth == 0:
                return offset
        offset += 1
    return len(text)
