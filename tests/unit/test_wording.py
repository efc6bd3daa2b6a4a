"""Plain English in everything a user can read: messages, rules, help, knowledge, documents; prompts that are questions."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azext_amlk8s.rules import all_rules
from tests.scenarios.runner import read
from tools.prove_wheel import ROOT

PACKAGE = ROOT / "azext_amlk8s"
# Expression -> what to write instead.
UNWANTED = {
    r"\bmend(s|ed|ing)?\b|\bmends\b": "fix, resolve",
    r"\bbefall(s|en)?\b|\bmishaps?\b|\bails?\b": "error, failure, problem",
    r"\bjudg(e|es|ed|ing)\b": "check, validate",
    r"\bis told\b|\bare told\b|\btold (at|on|before)\b|\bhas to say\b": "message, text, value",
    r"\b(is|are|was|be) asked for\b|\basked for\b|\bshall\b": "must, is required, requested",
    r"\bis there already\b|\bare there already\b": "already exists",
    r"\bnames none\b|\bis none\b|\bthat is not one\b": "not found",
    r"\btak(e|es|en|ing) away\b|\btook away\b|\bis gone\b|\bare gone\b": "delete",
    r"\bof (one's|its|his|their|our) own\b": "custom, your own",
    r"\bhouse\b|\brooms?\b|\bdoors?\b": "package, module, client",
    r"\bweather\b": "fault injection, throttling",
    r"\bgoes before\b|\bgo before\b": "overrides",
    r"\bis not possible: the value\b": "invalid value 'x'; expected",
    r"\bGo on\?|\bthings? (is|are) wrong\b": "errors",
    r"\bis not ours\b|\bare not ours\b": "unsupported",
    r"\blooked into\b|\blook into\b": "reach, read",
    r"\bno more\b(?! than)|\bdo without\b": "no longer",
    r"\bstands? (twice|at|behind|in(?! for))\b": "is in, duplicate",
    r"\bfield guide\b|\bseed page\b": "the fact, or a public link",
    r"\bthe way out\b|\bway to it\b": "outbound access",
    r"\bis asked\b|\bare asked\b|\bwas asked\b": "request, query",
}
# Files whose texts are still to be rewritten. Remove a file from the list when it is done.
UNFINISHED: set[str] = set()
UNFINISHED_RULES: set[str] = set()

DOCUMENTS = sorted(
    file
    for pattern in ("*.md", "*.rst", "docs/**/*.md", "sandbox/*.md", ".github/**/*.yml", "examples/*", "tools/*.yaml")
    for file in ROOT.glob(pattern)
)
MODULES = sorted(PACKAGE.rglob("*.py"))
SCENARIOS = sorted(file for file in (ROOT / "tests" / "scenarios").glob("*.yaml") if file.name != "world.yaml")
KNOWLEDGE = sorted((PACKAGE / "knowledge").glob("*.json"))


def relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def problems(text: str) -> list[str]:
    """Each unwanted expression in the text, with its surroundings and what to write instead."""
    return [
        f"…{text[max(0, match.start() - 30) : match.end() + 30]}…: write {instead}"
        for expression, instead in UNWANTED.items()
        for match in re.finditer(expression, text, re.IGNORECASE if "Go on" not in expression else 0)
    ]


def literals(file: Path) -> Iterator[str]:
    """The strings of a module that can reach a user: all but docstrings; the parts of an f-string together."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield joined(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | inner:
            yield node.value


def joined(node: ast.JoinedStr) -> str:
    """The text of an f-string, with {} for its values."""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def cases(files: list[Path]) -> list[Any]:
    marks = pytest.mark.xfail(reason="still to be rewritten", strict=False)
    return [
        pytest.param(file, id=relative(file), marks=[marks] if relative(file) in UNFINISHED else []) for file in files
    ]


@pytest.mark.parametrize("file", cases(MODULES))
def test_messages_of_a_module(file: Path) -> None:
    assert [problem for text in literals(file) for problem in problems(text)] == []


@pytest.mark.parametrize("file", cases(KNOWLEDGE))
def test_knowledge(file: Path) -> None:
    """Patterns of messages that Azure and Kubernetes write are theirs; everything else is ours."""
    data = json.loads(file.read_text(encoding="utf-8"))
    assert [problem for text in strings(without_patterns(data)) for problem in problems(text)] == []


def without_patterns(value: Any) -> Any:
    if isinstance(value, dict):
        foreign = ("pattern", "patterns", "match", "matches", "signature", "signatures", "example", "examples")
        return {key: without_patterns(item) for key, item in value.items() if key not in foreign}
    return [without_patterns(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("file", cases(DOCUMENTS))
def test_document(file: Path) -> None:
    assert problems(re.sub(r"`[^`\n]*`", "", file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("file", cases(SCENARIOS))
def test_names_of_scenarios(file: Path) -> None:
    assert [problem for scenario in read(file) for problem in problems(scenario.name)] == []


def cases_of_rules() -> list[Any]:
    marks = pytest.mark.xfail(reason="still to be rewritten", strict=False)
    return [
        pytest.param(rule, id=rule.id, marks=[marks] if rule.id in UNFINISHED_RULES else []) for rule in all_rules()
    ]


@pytest.mark.parametrize("rule", cases_of_rules())
def test_rule(rule: Any) -> None:
    """The title is a topic, the requirement a sentence, and neither has unwanted words."""
    assert rule.title and not rule.title.endswith((".", "!", "?"))
    assert rule.title[0].isupper() or not rule.title[0].isalpha() or not rule.title.islower()
    assert not re.search(r" (is|are|was|were|has|have|can|cannot|must|does|do|will|may) ", rule.title)
    assert len(rule.title) <= 60
    assert rule.requires.endswith(".")
    assert [problem for text in (rule.title, rule.requires, rule.why) for problem in problems(text)] == []


def prompts() -> list[tuple[str, str]]:
    """The module and the text of each prompt that is given as a literal."""
    found = []
    for file in MODULES:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "confirm":
                for argument in node.args:
                    if isinstance(argument, ast.JoinedStr):
                        found.append((relative(file), joined(argument)))
                    elif isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        found.append((relative(file), argument.value))
    return found


@pytest.mark.parametrize(("module", "text"), [case for case in prompts() if case[0] not in UNFINISHED])
def test_prompt_is_a_question(module: str, text: str) -> None:
    assert text.endswith("?")


def test_no_reference_to_a_document_that_readers_do_not_have() -> None:
    """In no file of the project, its tests included."""
    suffixes = {".py", ".md", ".rst", ".yaml", ".yml", ".json", ".toml"}
    folders = [ROOT / name for name in ("azext_amlk8s", "sandbox", "tests", "tools", "benchmarks", "docs", "examples")]
    files = [file for folder in folders for file in folder.rglob("*") if file.suffix in suffixes]
    phrase = re.compile("field" + " guide|seed" + " page", re.IGNORECASE)
    found = [relative(file) for file in files if phrase.search(file.read_text(encoding="utf-8"))]
    assert sorted(set(found) - {relative(Path(__file__))} - UNFINISHED) == []
