"""Documents inside scripts: heredocs, files that commands name, and bodies of requests."""

from __future__ import annotations

from dataclasses import dataclass, replace

from azext_amlk8s.lint.files import Files, normal_path, paths_from
from azext_amlk8s.lint.json_documents import JsonReader
from azext_amlk8s.lint.nodes import InvalidSyntax
from azext_amlk8s.lint.values import HOLE, Mark, Value, unknown, with_marks
from azext_amlk8s.lint.yaml_values import EXPRESSION, yaml_value
from azext_amlk8s.yaml_files import YamlProblem, compose_documents

REPLACED = "it is replaced before the document is used"


@dataclass(frozen=True)
class Embedded:
    """A text with its position. is_literal: nothing in it is replaced, so that $ is a character."""

    text: str
    mark: Mark
    is_literal: bool = False


def read_embedded(document: Embedded) -> list[Value]:
    """The documents of a text in JSON or YAML; none where it is neither. What is replaced in it is not known."""
    text = document.text
    if text.lstrip()[:1] in ("{", "["):
        try:
            return [_with_unknowns(JsonReader(text, document.mark).document(), document.is_literal)]
        except (InvalidSyntax, RecursionError):
            return []
    try:
        nodes = compose_documents(text)
    except (YamlProblem, RecursionError):
        return []
    values = (yaml_value(node, document.mark.source) for node in nodes)
    return [with_marks(value, lambda mark: _moved(mark, document.mark)) for value in values]


def _with_unknowns(value: Value, is_literal: bool) -> Value:
    if value.text:
        is_replaced = HOLE in value.text or (not is_literal and EXPRESSION.search(value.text))
        return unknown(value.mark, REPLACED) if is_replaced else value
    if value.is_mapping:
        return replace(value, data={key: _with_unknowns(inner, is_literal) for key, inner in value.items()})
    if isinstance(value.data, tuple):
        return replace(value, data=tuple(_with_unknowns(item, is_literal) for item in value.data))
    return value


def _moved(mark: Mark, start: Mark) -> Mark:
    """The position of what is in a text that begins at another position than that of a file."""
    column = mark.column + start.column - 1 if mark.line == 1 else mark.column
    return Mark(start.source, mark.line + start.line - 1, column)


class NamedFiles:
    """Finds the files that the commands of a script name: those that the script writes, and those of the run."""

    def __init__(self, files: Files, script: str, written: dict[str, Embedded]) -> None:
        self._files, self._script = files, script
        self._written = {normal_path(path): document for path, document in written.items()}
        self.used: set[str] = set()

    def find(self, path: str) -> Embedded | None:
        """The text of a file; None where it is not known. Paths are relative to the script, or to where it is run."""
        if not path:
            return None
        if (document := self._written.get(normal_path(path))) is not None:
            return document
        for candidate in paths_from(self._script, path):
            if (file := self._files.named(candidate)) is not None:
                self.used.add(file.name)
                return Embedded(file.text, Mark(file.name))
        return None
