"""YAML with comments: PyYAML prints the values, comments stand before keys of the top level or of a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

WIDTH = 118


class _Literal(str):
    """A text of several lines that is written as it is."""


def yaml_text(documents: Iterable[Mapping[str, Any]], header: Iterable[str] = ()) -> str:
    """Documents as the text of a file; header are lines of the comment at the top. Keys keep their order."""
    lines = "".join(f"# {line}".rstrip() + "\n" for line in header)
    return lines + "---\n".join(dump(document) for document in documents)


def dump(value: Any) -> str:
    """A value as YAML; texts of several lines are literal blocks."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Indents lists, and writes texts of several lines as blocks."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            super().increase_indent(flow, False)

    def text(dumper: yaml.SafeDumper, data: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", str(data), style="|")

    Dumper.add_representer(_Literal, text)
    Dumper.ignore_aliases = lambda *_: True  # type: ignore[method-assign]
    return str(yaml.dump(_with_literals(value), Dumper=Dumper, sort_keys=False, width=WIDTH, allow_unicode=True))


def _with_literals(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_literals(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_literals(inner) for inner in value]
    if isinstance(value, str) and "\n" in value:
        return _Literal(value)
    return value
