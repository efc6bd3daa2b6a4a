"""The mutants that tools/mutation.py tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.mutants import find_mutants

CASES = {
    "comparison": ("def f(x):\n    y = x < 2\n", ["x < 2 => x <= 2", "2 => 3"]),
    "operands of and": ("def f(x, y):\n    z = x and y\n", ["x and y => y", "x and y => x"]),
    "condition": ("def f(x):\n    if x:\n        y = x\n", ["x => not x"]),
    "negation": ("def f(x):\n    y = not x\n", ["not x => x"]),
    "key and result": ("def f(x):\n    return x['key']\n", ["return x['key'] => return None", "'key' => 'keyx'"]),
    "call": ("def f(x):\n    x()\n", ["x() => pass"]),
    "yield": ("def f(x):\n    yield x\n", ["yield x => pass"]),
    "condition of a comprehension": ("def f(x):\n    y = [a for a in x if a]\n", ["a => not a"]),
    "method": ("class C:\n    def f(self):\n        raise self.error\n", ["raise self.error => pass"]),
    "texts, docstrings and annotations": ("def f(x: 'key') -> 'key':\n    'Text.'\n    y = f'a {x} text'\n", []),
    "outside functions": ("LIMIT = 5\n@rule('X101', True)\ndef f(x=1):\n    y = x\n", []),
}


@pytest.mark.parametrize(("source", "expected"), CASES.values(), ids=CASES)
def test_changes_of_a_function(source: str, expected: list[str], tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(source, encoding="utf-8")
    changes = [mutant.description.split(": ", 1)[1] for mutant in find_mutants(file)]
    assert changes == expected


def test_code_of_a_mutant_is_that_of_its_function(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("@decorate\ndef f(x):\n    return x == 2\n", encoding="utf-8")
    first = next(mutant for mutant in find_mutants(file) if "!=" in mutant.description)
    assert (first.code().co_name, first.code().co_firstlineno) == ("f", 1)
