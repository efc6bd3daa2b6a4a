"""Completion of names that need no Azure."""

from __future__ import annotations

import pytest

from azext_amlk8s.cli import completers

CODES = {
    "an error code": ("E400", "E40000"),
    "a rule of a check": ("K32", "K326"),
    "a rule of settings, in lower case": ("f1", "F102"),
}


@pytest.mark.parametrize(("prefix", "code"), CODES.values(), ids=CODES)
def test_explain_completes(prefix, code):
    found = completers.codes(prefix)
    assert code in found
    assert all(name.lower().startswith(prefix.lower()) for name in found)


def test_explain_completes_nothing_unknown():
    assert not completers.codes("nothing-begins-with-this")
