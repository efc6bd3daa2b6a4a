"""All checks in order, and which of them a run evaluates."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from azext_amlk8s.checks import (
    admission,
    availability,
    azure,
    certificates,
    cluster,
    components,
    compute,
    conflicts,
    extension,
    instance_types,
    leftovers,
    namespaces,
    network_policies,
    notices,
    private_networks,
    probe,
    quotas,
    subscription,
    workloads,
)
from azext_amlk8s.checks.facts import ALWAYS, BEFORE, INSTALLED, CheckTarget
from azext_amlk8s.checks.model import Category, Check
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Fact, Rule

CATEGORIES = tuple(Category(category["id"], category["title"]) for category in load("checks")["categories"])
MODULES = (
    subscription, azure, availability, private_networks, cluster, conflicts, quotas, namespaces, network_policies,
    admission, extension, certificates, notices, components, compute,
    instance_types, workloads, probe, leftovers,
)  # fmt: skip

# What these commands find out by themselves, or can do without: the CLI runs, the cluster exists or may be unreachable.
NOT_FATAL = ("K101", "K201", "K301")
# The category of checks before an installation that apply to another operation too.
OF_UPDATES = {"update": "subscription", "attach": ""}
# Warns of a version that is requested.
VERSION_CHECK = "K208"
# What applies to the namespace of a compute that is to be attached: the answer of the cluster, and warnings.
OF_NAMESPACE = ("K321", "K322", "K323", "K326")
# The categories of which checks run with an option alone, and how a message calls them.
OPTIONS = {
    "compute": ("checks of the compute", "--workspace-name"),
    "workloads": ("checks of workloads", "--workspace-name"),
    "probe": ("checks of the probe", "--probe"),
    "leftovers": ("checks of leftovers", "--leftovers"),
}


def _declared(module: ModuleType) -> Iterator[Check]:
    """The checks that a module declares, in the order of its text."""
    for value in vars(module).values():
        if isinstance(value, Check):
            yield value
        elif isinstance(value, Rule) and value.check and value.function.__module__ == module.__name__:
            yield Check.of(value)


CHECKS: tuple[Check, ...] = tuple(check for module in MODULES for check in _declared(module))


class UnknownCheck(Exception):
    """A word that names neither a check nor a category; nearest is the one that was perhaps meant, or empty."""

    def __init__(self, word: str, names: Sequence[str]) -> None:
        super().__init__(word)
        self.word = word
        by_lower = {name.lower(): name for name in names}
        close = difflib.get_close_matches(word.lower(), by_lower, 1, 0.6)
        self.nearest = by_lower[close[0]] if close else ""


def check_names() -> list[str]:
    """What --only and --skip take: categories, ids of checks and of the rules whose findings they pass on."""
    ids = dict.fromkeys(name for check in CHECKS for name in check.names)
    return [*(category.id for category in CATEGORIES), *ids]


def require_known(words: Iterable[str], others: Iterable[str] = ()) -> None:
    """Raise UnknownCheck for the first word that names no check, no category and none of the others."""
    names = [*check_names(), *others]
    known = {name.lower() for name in names}
    if unknown := next((word for word in words if word.lower() not in known), None):
        raise UnknownCheck(unknown, names)


def select_checks(target: CheckTarget, only: Sequence[str] = (), skip: Sequence[str] = ()) -> tuple[Check, ...]:
    """The checks of a run, in order. Raises UnknownCheck."""
    require_known((*only, *skip))
    other_phase = INSTALLED if target.before else BEFORE
    return tuple(
        check
        for check in CHECKS
        if check.spec.phase != other_phase
        and check.spec.clusters.lower() in ("", target.cluster.type.lower())
        and (target.workspace or check.spec.category not in ("compute", "workloads"))
        and (target.probe or check.spec.category != "probe")
        and (target.leftovers or check.spec.category != "leftovers")
        and (not only or _is_named(check, only))
        and not _is_named(check, skip)
    )


def missing_option(target: CheckTarget, only: Sequence[str]) -> tuple[str, str] | None:
    """What --only names and no run without another option has, with that option; None where no option is missing."""
    given = {"--workspace-name": target.workspace, "--probe": target.probe, "--leftovers": target.leftovers}
    named = (OPTIONS.get(check.spec.category) for check in CHECKS if _is_named(check, only))
    return next((needed for needed in named if needed and not given[needed[1]]), None)


def select_fatal_checks(target: CheckTarget, operation: str, skip: Sequence[str] = ()) -> tuple[Check, ...]:
    """The checks whose errors stop `create`, `update` or `attach`, in order. Raises UnknownCheck.

    Rules of settings and of attachments are not among them: these commands evaluate them themselves. For `attach`,
    the checks of the compute's namespace are among them, which may warn.
    """
    checks = select_checks(replace(target, before=True, workspace=None), skip=skip)
    return tuple(check for check in checks if _runs_before(check, operation))


def _runs_before(check: Check, operation: str) -> bool:
    if check.id == VERSION_CHECK:
        return operation in ("create", "update")
    if operation == "attach" and check.id in OF_NAMESPACE:
        return True
    if not check.fatal or not check.id.startswith("K") or check.id in NOT_FATAL:
        return False
    return operation == "create" or check.spec.phase == ALWAYS or check.spec.category == OF_UPDATES[operation]


def facts_of(checks: Iterable[Check]) -> tuple[Fact[Any], ...]:
    """The facts that checks look at, each once."""
    return tuple(dict.fromkeys(fact for check in checks for fact in check.facts))


def _is_named(check: Check, words: Iterable[str]) -> bool:
    names = {check.spec.category.lower(), *(name.lower() for name in check.names)}
    return any(word.lower() in names for word in words)
