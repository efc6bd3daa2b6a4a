"""YAML of users is bounded in time, memory and depth before anything is built."""

from __future__ import annotations

import time

import pytest

from azext_amlk8s.yaml_files import YamlProblem, compose_documents

LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 40))
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 300))
REFUSED = [
    ("billion laughs", LAUGHS, "its aliases expand to more than 200000 values"),
    ("a list that contains itself", "a: &a [*a]", "it refers to itself"),
    ("a key that contains its mapping", "a: &a {? *a : 1}", "it refers to itself"),
    ("block mappings 3,000 levels deep", "\n".join(" " * i + f"a{i}:" for i in range(3000)), "it is nested more than 100 levels deep"),
    ("a long chain of aliases", CHAIN, "its aliases are nested more than 200 levels deep"),
    ("more values than allowed", f"[{'x,' * 200_001}]", "it has more than 200000 values"),
    ("larger than allowed", "x" * 5_000_001, "it is larger than 5 MB"),
    ("a bracket that is not closed", "a: [1", "it is not valid YAML, line "),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_refused_text(text: str, message: str) -> None:
    """One clause that says why, within a second."""
    begin = time.process_time()
    with pytest.raises(YamlProblem) as error:
        compose_documents(text)
    assert str(error.value).startswith(message)
    assert time.process_time() - begin < 1


def test_flow_lists_5000_levels_deep_are_refused() -> None:
    """Whether the parser in C or the one in Python reads them."""
    with pytest.raises(YamlProblem, match="nest"):
        compose_documents("[" * 5000 + "]" * 5000)


@pytest.mark.parametrize(("text", "count"), [("", 0), ("a: 1", 1), ("a: 1\n---\nb: 2\n", 2), ("a: &x 1\nb: *x\n", 1)])
def test_number_of_documents(text: str, count: int) -> None:
    """An empty text has none; an alias of a scalar is fine."""
    assert len(compose_documents(text)) == count
