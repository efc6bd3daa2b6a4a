"""The front: every command has help, examples that parse, a table view; and az pays nothing for us before we are asked."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import Any

import pytest
import yaml

from tests.support import our_commands

COMMANDS = {
    "amlk8s extension create",
    "amlk8s extension update",
    "amlk8s extension show",
    "amlk8s extension list",
    "amlk8s extension delete",
    "amlk8s extension wait",
    "amlk8s extension validate",
    "amlk8s extension components",
    "amlk8s extension settings list",
    "amlk8s extension settings show",
    "amlk8s compute attach",
    "amlk8s compute update",
    "amlk8s compute show",
    "amlk8s compute list",
    "amlk8s compute detach",
    "amlk8s compute wait",
    "amlk8s instance-type list",
    "amlk8s instance-type show",
    "amlk8s instance-type create",
    "amlk8s instance-type update",
    "amlk8s instance-type apply",
    "amlk8s instance-type delete",
    "amlk8s instance-type validate",
    "amlk8s instance-type convert",
    "amlk8s instance-type fit",
    "amlk8s workload check",
    "amlk8s explain",
    "amlk8s check",
    "amlk8s extension diagnose",
}
NO_TABLE = {
    "amlk8s extension delete",
    "amlk8s extension wait",
    "amlk8s compute detach",
    "amlk8s compute wait",
    "amlk8s instance-type delete",
}
# The seed page's spellings: each must stay accepted under this very name.
SEED_OPTIONS = {
    "amlk8s extension create": [
        "--name",
        "--extension-type",
        "--config",
        "--config-protected",
        "--cluster-type",
        "--cluster-name",
        "--resource-group",
        "--scope",
    ],
    "amlk8s extension show": ["--name", "--cluster-type", "--cluster-name", "--resource-group"],
    "amlk8s compute attach": [
        "--resource-group",
        "--workspace-name",
        "--name",
        "--resource-id",
        "--type",
        "--identity-type",
        "--user-assigned-identities",
        "--no-wait",
    ],
}
HEAVY = ["azure.mgmt", "azure.core", "requests", "jsonschema", "lightkube", "httpx", "cryptography", "yaml"]


@pytest.fixture(scope="module")
def cli() -> Any:
    """az's own parser over our command table, and ours alone."""
    from azure.cli.core.file_util import create_invoker_and_load_cmds_and_args
    from azure.cli.core.mock import DummyCli

    cli = DummyCli(commands_loader_cls=our_commands(), random_config_dir=True)
    create_invoker_and_load_cmds_and_args(cli)
    return cli


def table(cli: Any) -> dict[str, Any]:
    return {
        name: command
        for name, command in cli.invocation.commands_loader.command_table.items()
        if name.startswith("amlk8s")
    }


def test_the_commands(cli: Any) -> None:
    """These commands, no others."""
    assert set(table(cli)) == COMMANDS


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_and_examples(cli: Any, name: str) -> None:
    """Each command has a sentence and an example, and its examples go through the real parser."""
    from knack.help_files import helps

    text = yaml.safe_load(helps[name])
    assert text["short-summary"].endswith(".")
    assert text["examples"]
    for example in text["examples"]:
        words = shlex.split(example["text"])
        assert words[0] == "az"
        cli.invocation.parser.parse_args(words[1:])


@pytest.mark.parametrize("name", sorted(COMMANDS - NO_TABLE))
def test_every_object_has_a_table_view(cli: Any, name: str) -> None:
    """What returns an object or a list has a table of its own."""
    assert table(cli)[name].table_transformer


@pytest.mark.parametrize(("name", "option"), [(name, option) for name in SEED_OPTIONS for option in SEED_OPTIONS[name]])
def test_options_of_the_seed_page(cli: Any, name: str, option: str) -> None:
    """The options of the page's examples are ours too."""
    options = {word for argument in table(cli)[name].arguments.values() for word in argument.options_list}
    assert option in options


def test_importing_the_package_is_light() -> None:
    """az imports us for its command index: nothing heavy may come along."""
    script = (
        "import sys, azure.cli.core; before = set(sys.modules)\n"
        "import azext_amlk8s, azext_amlk8s.commands, azext_amlk8s._params\n"
        "print('\\n'.join(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", script], text=True, capture_output=True, check=True)
    loaded = done.stdout.split()
    assert [name for name in loaded if any(name == heavy or name.startswith(heavy + ".") for heavy in HEAVY)] == []
    assert "azext_amlk8s.operations" not in loaded
