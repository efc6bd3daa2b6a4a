"""What the rules over documents share: how a finding names its place, and words for values of a wrong kind."""

from __future__ import annotations

import re
from typing import Any

from azext_amlk8s.instance_types.yamltext import Document, Step
from azext_amlk8s.rules import Finding
from azext_amlk8s.rules.legacy import LegacyRule as Rule

PLACEHOLDER = re.compile(r"^<[^<>]+>$")
KINDS = {list: "a list", str: "text", int: "a number", float: "a number", bool: "a truth value"}


def said(
    rule: Rule, document: Document, path: tuple[Step, ...], message: str, *, found: str = "", fix: str = ""
) -> Finding:
    """A finding on a part of a document; its message begins with file, line and column."""
    place = document.place(*path)
    return rule.finding(place, f"{place}: {message}", required=rule.what, found=found, fix=fix)


def kind_of(value: Any) -> str:
    """What a value is that should be something else."""
    return KINDS.get(type(value), "something else")
