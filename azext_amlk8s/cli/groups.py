"""The command groups. Each az process loads only the modules that its command line needs."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from azext_amlk8s.cli.declaration import Group

# The module of each group below `az amlk8s`; commands without a group are in root.
MODULES = {name: name.replace("-", "_") for name in ("extension", "compute", "instance-type", "workload")}


def load_groups(args: Sequence[str] | None) -> tuple[Group, ...]:
    """The groups for the arguments of az, `amlk8s` first; every group where they name no command of one module."""
    name = args[1] if args and len(args) > 1 else ""
    if name in MODULES:
        return _groups(MODULES[name])
    root = _groups("root")
    if any(name == command.name for group in root for command in group.commands):
        return root
    return tuple(group for module in ("root", *MODULES.values()) for group in _groups(module))


def _groups(module: str) -> tuple[Group, ...]:
    groups: tuple[Group, ...] = import_module(f"azext_amlk8s.cli.{module}").GROUPS
    return groups
