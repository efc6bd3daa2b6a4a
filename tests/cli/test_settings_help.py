"""The help of the options that take settings, and their completion: made of the schema, and shown by az."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from azure.cli.core.file_util import create_invoker_and_load_cmds_and_args
from azure.cli.core.mock import DummyCli
from knack.help_files import helps

from azext_amlk8s.cli.completers import protected_setting_pairs, setting_names, setting_pairs
from azext_amlk8s.settings.schema import schema
from tests.support import our_commands

COMMANDS = ("create", "update", "validate")


@pytest.fixture(scope="module")
def commands() -> Any:
    """The commands of our extension, with their arguments."""
    cli = DummyCli(commands_loader_cls=our_commands(), random_config_dir=True)
    create_invoker_and_load_cmds_and_args(cli)
    return cli.invocation.commands_loader.command_table


def parameters(command: str) -> list[dict[str, Any]]:
    """What the help says of a command's parameters."""
    return list(yaml.safe_load(helps[f"amlk8s extension {command}"])["parameters"])


@pytest.mark.parametrize("command", COMMANDS)
def test_az_finds_them(commands: Any, command: str) -> None:
    """knack passes over a parameter whose name it does not know."""
    arguments = commands[f"amlk8s extension {command}"].arguments.values()
    names = {
        " ".join(sorted(word for word in argument.options_list if isinstance(word, str))) for argument in arguments
    }
    told = {parameter["name"] for parameter in parameters(command)}
    assert told and told <= names


def test_create_tells_of_every_setting_that_a_person_gives() -> None:
    """Its key, and its meaning in the schema's own words."""
    text = "\n".join(parameter["long-summary"] for parameter in parameters("create"))
    given = {key: told for key, told in schema()["properties"].items() if told["x-set"] == "given"}
    assert [key for key, told in given.items() if key not in text or told["description"] not in text] == []


COMPLETIONS = [
    ("a key that can have some values", "enabletr", ["enableTraining=True", "enableTraining=False"]),
    ("a key and a part of its value", "inferenceRouterServiceType=n", ["inferenceRouterServiceType=nodePort"]),
    ("a key that can have any value", "sslcn", ["sslCname="]),
    ("no key", "zzz", []),
]


@pytest.mark.parametrize(
    ("prefix", "words"),
    [completion[1:] for completion in COMPLETIONS],
    ids=[completion[0] for completion in COMPLETIONS],
)
def test_completion(prefix: str, words: list[str]) -> None:
    """What a shell offers after Tab."""
    assert setting_pairs(prefix) == words


def test_completion_of_protected_settings() -> None:
    """--config-protected offers secrets only, and --config none of them."""
    assert protected_setting_pairs("ssl") == ["sslCertPemFile=", "sslKeyPemFile="]
    assert protected_setting_pairs("enable") == []
    assert not set(setting_pairs("")) & set(protected_setting_pairs(""))


def test_completion_of_names() -> None:
    """For settings show."""
    assert setting_names("installv") == ["installVolcano"]
