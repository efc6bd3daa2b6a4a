"""Every command has help, examples that parse, declared options and a table view; loading and reading are cheap."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from azext_amlk8s.cli.groups import load_groups
from benchmarks.commands import EXTENSIONS, IN_WORKSPACE, ON_AKS, VERSIONS
from sandbox.azure.kubernetes_configuration.installation import CRD
from sandbox.world import DEFAULT_WORLD
from tests.support import Sandbox, our_commands

ROOT = Path(__file__).resolve().parents[2]

COMMANDS = {
    "amlk8s extension create",
    "amlk8s extension update",
    "amlk8s extension show",
    "amlk8s extension list",
    "amlk8s extension delete",
    "amlk8s extension wait",
    "amlk8s extension validate",
    "amlk8s extension components",
    "amlk8s extension versions",
    "amlk8s extension upgrade",
    "amlk8s extension settings list",
    "amlk8s extension settings show",
    "amlk8s extension certificate show",
    "amlk8s extension certificate rotate",
    "amlk8s compute attach",
    "amlk8s compute update",
    "amlk8s compute show",
    "amlk8s compute list",
    "amlk8s compute detach",
    "amlk8s compute migrate",
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
    "amlk8s apply",
    "amlk8s destroy",
    "amlk8s export",
    "amlk8s init",
    "amlk8s up",
    "amlk8s plan",
    "amlk8s render",
    "amlk8s lint",
    "amlk8s schema",
    "amlk8s status",
    "amlk8s extension diagnose",
}
NO_TABLE = {
    "amlk8s extension delete",
    "amlk8s extension wait",
    "amlk8s compute detach",
    "amlk8s compute wait",
    "amlk8s instance-type delete",
    "amlk8s schema",
}
# The spellings of Microsoft's published commands, which must stay accepted.
PUBLISHED_OPTIONS = {
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
HEAVY = ["azure.mgmt", "azure.core", "requests", "urllib3", "jsonschema", "cryptography", "yaml"]
# What a command that only reads Azure does not need; az rest does not load it either.
NOT_FOR_READS = [
    *(heavy for heavy in HEAVY if heavy not in ("azure.core", "requests")),
    *("asyncio", "aiohttp", "msrest", "concurrent.futures.thread", "html", "xml", "email.mime"),
    *("azext_amlk8s.rules", "azext_amlk8s.redaction", "azext_amlk8s.checks", "azext_amlk8s.settings"),
    *("azext_amlk8s.computes", "azext_amlk8s.kubernetes", "azext_amlk8s.diagnosis", "azext_amlk8s.operations.waiting"),
    *("azext_amlk8s.azure.fleet_client", "azext_amlk8s.azure.snapshot_client"),
]
# What a command that only reads a cluster by its kubeconfig does not need.
NOT_FOR_CLUSTER_READS = [
    *("azure.mgmt", "azure.core", "requests", "msal", "jsonschema", "cryptography", "asyncio", "aiohttp", "tempfile"),
    *("azext_amlk8s.azure", "azext_amlk8s.checks", "azext_amlk8s.settings", "azext_amlk8s.computes"),
    *("azext_amlk8s.diagnosis", "azext_amlk8s.operations.waiting"),
]


@pytest.fixture(scope="module")
def cli() -> Any:
    """The parser of az with the commands of this extension only."""
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
    assert set(table(cli)) == COMMANDS


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_and_examples(cli: Any, name: str) -> None:
    """Each command has a sentence and an example, and its examples go through the real parser."""
    from knack.help_files import helps

    text = yaml.safe_load(helps[name])
    assert text["short-summary"].find(".") == len(text["short-summary"]) - 1  # az shows the first sentence in groups
    assert text["examples"]
    for example in text["examples"]:
        arguments = shlex.split(example["text"])
        assert arguments[0] == "az"
        cli.invocation.parser.parse_args(arguments[1:])


@pytest.mark.parametrize("name", sorted(COMMANDS - NO_TABLE))
def test_every_object_has_a_table_view(cli: Any, name: str) -> None:
    assert table(cli)[name].table_transformer


@pytest.mark.parametrize(
    ("name", "option"), [(name, option) for name in PUBLISHED_OPTIONS for option in PUBLISHED_OPTIONS[name]]
)
def test_published_options_are_accepted(cli: Any, name: str, option: str) -> None:
    options = {word for argument in table(cli)[name].arguments.values() for word in argument.options_list}
    assert option in options


def run_script(script: str) -> str:
    """What a new interpreter prints for a script."""
    return subprocess.run([sys.executable, "-c", script], text=True, capture_output=True, check=True).stdout


def test_importing_the_package_is_light() -> None:
    """az imports the package for its command index, which must not load anything heavy."""
    script = (
        "import sys, azure.cli.core; before = set(sys.modules)\n"
        "import azext_amlk8s, azext_amlk8s.commands, azext_amlk8s._params\n"
        "print('\\n'.join(set(sys.modules) - before))"
    )
    printed = run_script(script)
    loaded = printed.split()
    assert [name for name in loaded if any(name == heavy or name.startswith(heavy + ".") for heavy in HEAVY)] == []
    assert "azext_amlk8s.operations" not in loaded


@pytest.mark.parametrize(
    "words", [("extension", "list", *ON_AKS), ("compute", "list", *IN_WORKSPACE)], ids=["extension", "compute"]
)
def test_reading_is_light(box: Sandbox, words: tuple[str, ...]) -> None:
    """A command that reads loads little more than az rest, which it is measured against."""
    command = ("amlk8s", *words)
    imported(box, *command)  # the first command of a new configuration builds the command index of az
    rest = imported(box, "rest", "--url", f"{EXTENSIONS}?api-version={VERSIONS['extensions']}")
    more = imported(box, *command) - rest
    assert "azext_amlk8s.azure.transport" in more
    assert sorted(name for name in more for heavy in NOT_FOR_READS if f"{name}.".startswith(f"{heavy}.")) == []


def test_reading_a_cluster_is_light(start: Callable[..., Sandbox], tmp_path: Path) -> None:
    """A command that reads only a cluster loads urllib3 and YAML, but neither a client of Azure nor the settings."""
    world = tmp_path / "world.yaml"
    cluster = {"name": "aks-poc", "group": "ml-rg", "type": "managedClusters", "pools": [], "objects": [CRD]}
    default = yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8"))
    world.write_text(yaml.safe_dump({**default, "clusters": [cluster]}), encoding="utf-8")
    box, command = start("--world", str(world)), ("amlk8s", "instance-type", "list", "--context", "aks-poc")
    imported(box, *command)
    more = imported(box, *command) - imported(box, "version")
    assert "azext_amlk8s.instance_types.comparison" in more
    assert sorted(name for name in more for heavy in NOT_FOR_CLUSTER_READS if f"{name}.".startswith(f"{heavy}.")) == []


def imported(box: Sandbox, *words: str) -> set[str]:
    """The modules that az imports for a command, with the package of the checkout."""
    done = box.run(sys.executable, "-X", "importtime", "-m", "azure.cli", *words, PYTHONPATH=str(ROOT))
    assert done.code == 0, done.err
    lines = [line for line in done.err.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


def test_each_group_loads_alone() -> None:
    """A command of one group does not pay for the others, nor for the knowledge of settings."""
    script = (
        "import sys, azext_amlk8s.cli.groups as groups\n"
        "groups.load_groups(['amlk8s', 'compute', 'list'])\n"
        "print([name for name in sys.modules if name.startswith('azext_amlk8s')])"
    )
    printed = run_script(script)
    assert "azext_amlk8s.cli.compute" in printed
    for other in ("extension", "settings", "instance_type"):
        assert f"azext_amlk8s.cli.{other}'" not in printed
    assert "azext_amlk8s.knowledge" not in printed


def test_help_of_the_root_loads_no_group() -> None:
    """`az amlk8s -h` shows the groups without loading their modules."""
    script = (
        "import sys, azext_amlk8s.cli.groups as groups\n"
        "print([group.name for group in groups.load_groups(['amlk8s', '-h'])])\n"
        "print([name for name in groups.SUMMARIES if f'azext_amlk8s.cli.{name}'.replace('-', '_') in sys.modules])"
    )
    printed = run_script(script)
    names = ["amlk8s", "amlk8s extension", "amlk8s compute", "amlk8s instance-type", "amlk8s workload"]
    assert printed.splitlines() == [str(names), "[]"]


def test_help_of_attach_loads_no_client() -> None:
    """For -h, az imports the operation, which loads what reads the cluster and explains errors when it runs."""
    script = (
        "import sys, azext_amlk8s.operations.compute_attach\n"
        "print([name for name in ('kubernetes', 'diagnosis', 'checks') if f'azext_amlk8s.{name}' in sys.modules])"
    )
    printed = run_script(script)
    assert printed.strip() == "[]"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_options_are_declared(cli: Any, name: str) -> None:
    """Each declared option is a parameter of the operation, and each parameter has a declared option with help."""
    (command,) = [
        command for group in load_groups(None) for command in group.commands if f"{group.name} {command.name}" == name
    ]
    declared = {option.name for option in command.options}
    parameters = {
        argument for argument in table(cli)[name].arguments if argument[0] != "_" and argument not in ("cmd", "no_wait")
    }
    assert declared == parameters
    assert [option.name for option in command.options if not option.help and not option.az_type] == []
