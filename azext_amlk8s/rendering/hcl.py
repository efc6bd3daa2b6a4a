"""Terraform files as values, and their text in the form of `terraform fmt`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

IDENTIFIER = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]*$")
INDENT = "  "
WIDTH = 100


@dataclass(frozen=True)
class Raw:
    """An expression of Terraform, such as a reference; it may have several lines."""

    text: str


@dataclass(frozen=True)
class Attribute:
    """An argument. value is a literal, a list, a mapping or Raw; comment is the line before it."""

    name: str
    value: Any
    comment: str = ""


@dataclass(frozen=True)
class Block:
    """A block with its labels. body has attributes and blocks; None is an empty line."""

    kind: str
    labels: Sequence[str] = ()
    body: Sequence[Attribute | Block | None] = field(default_factory=tuple)
    comment: str = ""


def hcl_text(blocks: Iterable[Block | Attribute], header: Iterable[str] = ()) -> str:
    """Blocks and attributes as the text of a file; header are lines of the comment at the top."""
    parts = ["\n".join(f"# {line}".rstrip() for line in header)] if header else []
    parts += ["\n".join(_block(block) if isinstance(block, Block) else _body([block])) for block in blocks]
    return "\n\n".join(parts) + "\n"


def merge_call(*parts: Any) -> Raw:
    """merge() of expressions and mappings; one part is that part itself."""
    texts = ["\n".join(_lines(part)) for part in parts]
    return Raw(texts[0] if len(texts) == 1 else f"merge({', '.join(texts)})")


def _block(block: Block) -> Iterator[str]:
    if block.comment:
        yield f"# {block.comment}"
    labels = "".join(f" {_quoted(label)}" for label in block.labels)
    if not block.body:
        yield f"{block.kind}{labels} {{}}"
        return
    yield f"{block.kind}{labels} {{"
    yield from (f"{INDENT}{line}" if line else "" for line in _body(block.body))
    yield "}"


def _body(items: Sequence[Attribute | Block | None]) -> Iterator[str]:
    """The lines of a body; neighbouring attributes of one line are aligned."""
    group: list[tuple[str, str]] = []
    for item in items:
        if isinstance(item, Attribute):
            first, *others = _lines(item.value)
            if item.comment or others:
                yield from _aligned(group)
                group = []
            if item.comment:
                yield f"# {item.comment}"
            if others:
                yield f"{_key(item.name)} = {first}"
                yield from others
            else:
                group.append((_key(item.name), first))
        else:
            yield from _aligned(group)
            group = []
            yield from _block(item) if item else [""]
    yield from _aligned(group)


def _aligned(group: Sequence[tuple[str, str]]) -> Iterator[str]:
    width = max((len(name) for name, _ in group), default=0)
    yield from (f"{name.ljust(width)} = {value}" for name, value in group)


def _lines(value: Any) -> list[str]:
    if isinstance(value, Raw):
        return value.text.split("\n")
    if isinstance(value, Mapping):
        if not value:
            return ["{}"]
        items = [item if isinstance(item, Attribute) else Attribute(str(key), item) for key, item in value.items()]
        return ["{", *(f"{INDENT}{line}" for line in _body(items)), "}"]
    if isinstance(value, (list, tuple)):
        inner = [_lines(item) for item in value]
        line = f"[{', '.join(lines[0] for lines in inner)}]"
        if all(len(lines) == 1 for lines in inner) and len(line) <= WIDTH:
            return [line]
        return ["[", *(f"{INDENT}{line}" for lines in inner for line in [*lines[:-1], f"{lines[-1]},"]), "]"]
    if value is None:
        return ["null"]
    return [_quoted(value) if isinstance(value, str) else json.dumps(value)]


def _key(name: str) -> str:
    return name if IDENTIFIER.match(name) else _quoted(name)


def _quoted(text: str) -> str:
    """A text in quotes; what Terraform would evaluate in it is escaped."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
