"""The command groups. Each az process loads only the modules that its command line needs."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from azext_amlk8s.cli.declaration import Command, Group

# The groups below `az amlk8s`; each has a module of its name. Commands without a group are in root.
SUMMARIES = {
    "extension": "Manage the Azure Machine Learning extension of a cluster.",
    "compute": "Manage the Kubernetes computes of a workspace.",
    "instance-type": "Manage the instance types that jobs and deployments select on a cluster.",
    "workload": "Check job and deployment files before they are submitted.",
}
# az shows a group in the help of its parent if it has a command, whatever that is.
ANY_COMMAND = Command("list", "#", "", ())


def load_groups(args: Sequence[str] | None) -> tuple[Group, ...]:
    """The groups for the arguments of az, `amlk8s` first; every group where they name no command of one module."""
    name = args[1] if args and len(args) > 1 else ""
    if name in SUMMARIES:
        return _groups(name)
    root = _groups("root")
    if any(name == command.name for group in root for command in group.commands):
        return root
    if name in ("-h", "--help") and args == ["amlk8s", name]:
        return (*root, *(Group(f"amlk8s {group}", summary, (ANY_COMMAND,)) for group, summary in SUMMARIES.items()))
    return (*root, *(group for name in SUMMARIES for group in _groups(name)))


def _groups(name: str) -> tuple[Group, ...]:
    groups: tuple[Group, ...] = import_module(f"azext_amlk8s.cli.{name.replace('-', '_')}").GROUPS
    return groups
