"""Files of settings, JSON and YAML: the keys and texts that are read, and what is no file of settings."""

from __future__ import annotations

import json

import pytest

from azext_amlk8s.settings.documents import MAX_SETTINGS, NotSettings, is_document, read_document, split_lines
from azext_amlk8s.settings.update import RESET, Change
from azext_amlk8s.yaml_files import MAX_DEPTH

READ: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "JSON": ('{"a": {"b": 1.50, "c": [true, null, "x"]}}', [("a.b", "1.50"), ("a.c[0]", "True"), ("a.c[1]", ""), ("a.c[2]", "x")]),
    "JSON with a repeated key": ('{"a": 1, "a": 2}', [("a", "1"), ("a", "2")]),
    "JSON after a blank line": ('\n {"a": 1}', [("a", "1")]),
    "YAML in braces": ("{a: yes}", [("a", "yes")]),
    "YAML": ("a: yes\nb: ~\nc:\nd: [1, {e: 0x10}]\n", [("a", "yes"), ("b", ""), ("c", ""), ("d[0]", "1"), ("d[1].e", "0x10")]),
    "YAML with a repeated key": ("a: 1\na: 2\n", [("a", "1"), ("a", "2")]),
    "YAML with a merge key": ("a: &base {x: 1}\nb: {<<: *base, y: 2}\n", [("a.x", "1"), ("b.x", "1"), ("b.y", "2")]),
    "a label with dots": ('{"nodeSelector": {"kubernetes.io/os": "linux", "a\\\\.b": "c"}}', [(r"nodeSelector.kubernetes\.io/os", "linux"), (r"nodeSelector.a\.b", "c")]),
    "a label elsewhere": ('{"other": {"a.b": "c"}}', [("other.a.b", "c")]),
    "the most settings": (json.dumps({f"k{number}": "v" for number in range(MAX_SETTINGS)}), [(f"k{number}", "v") for number in range(MAX_SETTINGS)]),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_read(name: str) -> None:
    text, settings = READ[name]
    assert read_document(text) == settings


def nested(levels: int) -> str:
    return '{"a": ' * levels + "1" + "}" * levels


NOT_READ = {
    "empty": ("", "it has no settings"),
    "a text": ("hello", "it is not a mapping of keys to values"),
    "a list": ("[a]", "it is not a mapping of keys to values"),
    "several documents": ("a: 1\n---\nb: 2\n", "it has 2 YAML documents instead of one"),
    "neither": ("{a: [}", "it is neither JSON nor YAML, line 1, column 6"),
    "a key that is a list": ("{[a]: b}", "it has a key that is not a text"),
    "too many settings": (json.dumps({f"k{number}": "v" for number in range(MAX_SETTINGS + 1)}), "it has more than 500 settings"),
    "too deep": (nested(MAX_DEPTH + 1), "it is nested more than 100 levels deep"),
    "far too deep": (nested(100_000), "it is nested more than 100 levels deep"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_READ)
def test_not_read(name: str) -> None:
    text, reason = NOT_READ[name]
    with pytest.raises(NotSettings) as error:
        read_document(text)
    assert str(error.value) == reason


def test_the_deepest_document_is_read() -> None:
    assert read_document(nested(MAX_DEPTH)) == [(".".join(["a"] * MAX_DEPTH), "1")]


@pytest.mark.parametrize(
    ("word", "expected"),
    [(" {a: b}", True), ("a: b\nc: d", True), ("a=b\nc=d", False), ("a=b", False), ("a: b", False), ("a\n", False)],
)
def test_an_argument_that_is_a_file(word: str, expected: bool) -> None:
    assert is_document(word) is expected


@pytest.mark.parametrize(
    ("word", "lines"),
    [
        ("a=1\n\n # comment\n b=2 ", ["a=1", "b=2"]),
        ("a=1\n# comment\n", ["a=1\n# comment\n"]),
        ("a=1\nnone", ["a=1\nnone"]),
        ("a=1", ["a=1"]),
    ],
)
def test_lines_of_an_argument(word: str, lines: list[str]) -> None:
    assert split_lines(word) == lines


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change("a", None, "1"), "a: not set -> 1"),
        (Change("a", "1", "(2)"), "a: 1 -> (2)"),
        (Change("a", "", RESET), f"a:  -> {RESET.strip('()')}"),
    ],
)
def test_a_change_as_text(change: Change, text: str) -> None:
    assert str(change) == text
