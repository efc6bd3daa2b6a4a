"""The list of all rules: what is declared with `@rule` is in it, and nothing else is a rule."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec

from azext_amlk8s.rules.model import CheckSpec, Result, Rule, Severity

P = ParamSpec("P")

# The packages that declare rules; `all_rules` imports their modules.
PACKAGES = ("settings", "computes", "instance_types", "workloads", "checks", "setup_files", "lint")

_rules: dict[str, Rule[Any]] = {}


def rule(
    id: str,
    severity: Severity,
    *,
    title: str,
    requires: str,
    source: str = "",
    why: str = "",
    follows: tuple[str, ...] = (),
    follows_any: tuple[str, ...] = (),
    check: CheckSpec | None = None,
    languages: tuple[str, ...] = (),
) -> Callable[[Callable[P, Iterable[Result]]], Rule[P]]:
    """Declare the decorated function, which yields a Problem for each violation, as a rule. See `Rule` for the fields.

    Raises ValueError for an id that is already declared.
    """

    def declare(function: Callable[P, Iterable[Result]]) -> Rule[P]:
        if id in _rules:
            raise ValueError(f"rule {id} is declared twice")
        declared = Rule(id, severity, title, requires, function, source, why, follows, follows_any, check, languages)
        _rules[id] = declared
        return declared

    return declare


def find_rule(id: str) -> Rule[Any] | None:
    """The rule of this id among those that have been imported, or None."""
    return _rules.get(id)


def rules_in(module: str) -> tuple[Rule[Any], ...]:
    """The rules that a module declares, in their order."""
    return tuple(declared for declared in _rules.values() if declared.function.__module__ == module)


def all_rules() -> tuple[Rule[Any], ...]:
    """Every rule of the package, by id."""
    for package in PACKAGES:
        module = importlib.import_module(f"azext_amlk8s.{package}")
        for module_info in pkgutil.walk_packages(module.__path__, f"{module.__name__}."):
            importlib.import_module(module_info.name)
    return tuple(_rules[id] for id in sorted(_rules))
