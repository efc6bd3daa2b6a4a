"""What a target of the fuzzer is, and how its inputs are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.fuzz import mutate

SEEDS = st.integers(0, 2**48)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
SUBSCRIPTION = "33333333-dddd-4eee-8fff-444444444444"


@dataclass(frozen=True)
class Target:
    """A function under test, its inputs, and the errors that it may raise, by name."""

    name: str
    inputs: st.SearchStrategy[Any]
    run: Callable[[Any], Any]
    errors: tuple[str, ...] = ()


def changed_texts(examples: Callable[[], tuple[str, ...]]) -> st.SearchStrategy[str]:
    """Changed examples, and sometimes any text."""
    changed = st.builds(lambda seed: mutate.change_text(examples()[seed % len(examples())], seed // 1000), SEEDS)
    return st.one_of(changed, changed, changed, st.text(max_size=200))


def changed_documents(examples: Callable[[], tuple[Any, ...]], most: int = 3) -> st.SearchStrategy[list[Any]]:
    """Lists of changed examples."""
    item = st.builds(lambda seed: mutate.change_document(examples()[seed % len(examples())], seed // 1000), SEEDS)
    return st.lists(item, max_size=most)
