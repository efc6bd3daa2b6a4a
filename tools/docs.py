"""The tables of docs/ that are made of what the project knows: findings.md of the rules, settings.md of the settings,
and at the end of sandbox.md who judges what.

    .venv/bin/python -m tools.docs

A test in tests/unit fails where a file is not what this writes.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

import azext_amlk8s
from azext_amlk8s.rules import all_rules
from azext_amlk8s.rules.legacy import LegacyRule as Rule
from tools import contract
from tools.prove_wheel import ROOT

SUBJECTS = {
    "S": "Settings",
    "T": "Certificate and key",
    "V": "Version and upgrades",
    "F": "Settings and the cluster",
    "U": "Updates",
    "C": "Computes",
    "I": "Instance types",
    "N": "Instance types and nodes",
    "W": "Jobs and deployments",
    "K": "Checks",
    "D": "Diagnosis",
}
ID = re.compile(r"^[A-Z]\d{3}$")
LINK = re.compile(r"\[([\w-]+)\]\((https://[^)]+)\)")
GENERATED = "This file is made by `python -m tools.docs`."


def main() -> None:
    """Write the files."""
    for name, text in pages().items():
        (ROOT / "docs" / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """The text of each file, by its name in docs/."""
    return {"findings.md": findings_page(rules()), "settings.md": settings_page(), "sandbox.md": sandbox_page()}


def sandbox_page() -> str:
    """What is written by hand, and the table after it."""
    written = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    return written.partition("| resource type |")[0] + contract.table(contract.operations())


def rules() -> list[Rule]:
    """Every rule of the package, by id. Raises ValueError for an id that is none, or that two rules have."""
    found: dict[str, tuple[Rule, str]] = {}
    declared = [("rules", Rule(one.id, one.severity, one.requires, one.source)) for one in all_rules()]
    of_registry = {rule.id for _, rule in declared}
    older = [(module, rule) for module, rule in _constants() if rule.id not in of_registry]
    for module, rule in [*declared, *older]:
        other, where = found.setdefault(rule.id, (rule, module))
        if other != rule or not ID.match(rule.id) or rule.id[0] not in SUBJECTS:
            raise ValueError(f"{rule.id} of {module} is no id, or the id of another rule in {where}.")
    return [found[name][0] for name in sorted(found)]


def _constants() -> Iterator[tuple[str, Rule]]:
    for one in pkgutil.walk_packages(azext_amlk8s.__path__, "azext_amlk8s."):
        module = importlib.import_module(one.name)
        yield from ((one.name, value) for value in vars(module).values() if isinstance(value, Rule))


def findings_page(every: Iterable[Rule]) -> str:
    """docs/findings.md."""
    lines = [
        "# Findings",
        "",
        "What the tool has to say before anything is sent: an error stops, a warning is told, and stops with",
        f"`--strict`, an info is there to be asked for with `validate`. {GENERATED}",
    ]
    order = list(SUBJECTS)
    for letter, group in groupby(
        sorted(every, key=lambda one: (order.index(one.id[0]), one.id)), lambda one: one.id[0]
    ):
        rows = ([one.id, one.severity.value, one.what, _source(one.source)] for one in group)
        lines += [
            "",
            f"## {letter}: {SUBJECTS[letter]}",
            "",
            *_table(["id", "severity", "what is required", "source"], rows),
        ]
    return _page(lines)


def settings_page() -> str:
    """docs/settings.md."""
    from azext_amlk8s.settings.catalogue import list_settings

    every = list_settings()
    lines = [
        "# Settings of the extension",
        "",
        "Keys match in any case and by each of their other names. `config` and `protected` are the options in which a",
        "key is given, `--config` and `--config-protected`; `either` takes both. The same, live:",
        "`az amlk8s extension settings list`, and `show --key KEY`. An editor that knows JSON Schema judges a file of",
        "dotted keys by `azext_amlk8s/knowledge/settings.schema.json`, from which all of this comes.",
        GENERATED,
    ]
    for kind, heading in (
        ("given", "Given by a person"),
        ("filled", "Filled in where it is not given"),
        ("derived", "Derived from other settings"),
    ):
        rows = (_setting(one) for one in every if one["set"] == kind)
        head = ["key", "bag", "values", "default", "scenario", "what it means", "other names", "since, until", "source"]
        lines += ["", f"## {heading}", "", *_table(head, rows)]
    return _page([*lines, *_gone()])


def _setting(one: Mapping[str, Any]) -> list[str]:
    kinds = {"formerNames": "formerly", "misprints": "misprinted", "templateNames": "in templates"}
    names = [f"{word} {', '.join(f'`{name}`' for name in one[kind])}" for kind, word in kinds.items() if one[kind]]
    values = one["values"]
    return [
        f"`{one['key']}`",
        one["bag"],
        ", ".join(f"`{value}`" for value in values) if isinstance(values, list) else values,
        f"`{one['default']}`" if one["default"] else "",
        ", ".join(one["scenarios"]),
        one["description"],
        "; ".join(names),
        "; ".join(filter(None, (one["since"], one["until"]))),
        _source(one["source"]),
    ]


def _gone() -> list[str]:
    from azext_amlk8s.settings.schema import schema

    dropped = [[f"`{key}`", told["until"], told["why"]] for key, told in schema()["x-dropped"].items()]
    mapped = [
        [f"`{key}={told['when']}`", told["until"], " ".join(f"`{one}={value}`" for one, value in told["to"].items())]
        for key, told in schema()["x-mapped"].items()
    ]
    return [
        *("", "## Became other settings", "", *_table(["setting", "until", "is read as"], mapped)),
        *("", "## Gone", "", *_table(["key", "until", "why it is left out"], dropped)),
    ]


def _table(head: list[str], rows: Iterable[list[str]]) -> list[str]:
    told = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *told)]


def _source(url: str) -> str:
    return f"[{url.rstrip('/').rsplit('/', 1)[-1]}]({url})" if url else ""


def _page(lines: list[str]) -> str:
    """A page whose links stand at its end, so that a person can read the tables. Raises ValueError for a name twice."""
    links: dict[str, str] = {}

    def named(found: re.Match[str]) -> str:
        name, url = found.groups()
        if links.setdefault(name, url) != url:
            raise ValueError(f"{url} and {links[name]} have the same name.")
        return f"[{name}]"

    told = [LINK.sub(named, line) for line in lines]
    return "\n".join([*told, "", *(f"[{name}]: {url}" for name, url in links.items())]) + "\n"


if __name__ == "__main__":
    main()
