"""The command blocks of the guide and of the README run as they are, in the sandbox."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support import Sandbox
from tools.prove_wheel import ROOT

GUIDE = ROOT / "docs" / "guide"
PAGES = sorted(GUIDE.glob("*.md"))
BLOCK = re.compile(r"^```(bash|yaml)(?: setup)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\S+\.ya?ml)\n")


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_page(start: Callable[..., Sandbox], page: Path, tmp_path: Path) -> None:
    """All bash blocks in order; a YAML block whose first line names a file is that file."""
    script = []
    for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "bash":
            script.append(text)
        elif name := FILE.match(text):
            (tmp_path / name.group(1)).write_text(text, encoding="utf-8")
    for wheel in (ROOT / "dist").glob("amlk8s-*.whl"):
        shutil.copy(wheel, tmp_path)
    # The page on installing has a folder of extensions of its own.
    extensions = {"AZURE_EXTENSION_DIR": str(tmp_path / "extensions")} if page.stem == "installing" else {}
    run_script("".join(script), start("--provisioning-seconds", "1"), tmp_path, extensions)


def test_sandbox_section_of_the_readme(start: Callable[..., Sandbox], tmp_path: Path) -> None:
    """The commands after `source .sandbox/activate`."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Rehearse in the sandbox")[2]
    commands = [line.strip() for line in section.partition("## ")[0].splitlines() if line.startswith("    az ")]
    assert len(commands) >= 4
    run_script("\n".join(commands), start("--provisioning-seconds", "1"), tmp_path)


def run_script(script: str, box: Sandbox, folder: Path, variables: Mapping[str, str] | None = None) -> None:
    shutil.copytree(ROOT / "examples", folder / "examples")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-x", "-c", script],
        cwd=folder,
        env={**box.env, **(variables or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_links_of_the_documents() -> None:
    """Every relative link leads to a file."""
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("sandbox/*.md")]
    broken = [
        (document.name, link)
        for document in documents
        for link in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", document.read_text(encoding="utf-8"))
        if not (document.parent / link).exists()
    ]
    assert broken == []


def test_every_option_of_k8s_extension_is_accepted_or_explained(shared: Path, options: dict[str, set[str]]) -> None:
    """Against the argument lists of k8s-extension 1.7.0."""
    peers = json.loads((shared / "corpus" / "peer-arguments.json").read_text(encoding="utf-8"))
    migrating = (GUIDE / "migrating.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"`(--[a-z-]+)`", migrating.partition("not carried over")[2].partition("```")[0]))
    missing = [
        f"{verb} {option}"
        for verb in ("create", "update", "delete", "show", "list")
        for option in peers[f"k8s-extension {verb}"]
        if option not in options[f"amlk8s extension {verb}"] | explained
    ]
    assert missing == []


# https://learn.microsoft.com/cli/azure/ml/compute, extension ml for az 2.15.0 and later.
NAMED = ["--name", "-n", "--resource-group", "-g", "--workspace-name", "-w"]
IDENTITY = ["--identity-type", "--user-assigned-identities", "-i"]
ML_OPTIONS = {
    "attach": [
        *NAMED, *IDENTITY, "--admin-password", "--admin-username", "--file", "-f", "--namespace", "--no-wait",
        "--resource-id", "--ssh-port", "--ssh-private-key-file", "--type", "-t",
    ],
    "detach": [*NAMED, "--no-wait", "--yes", "-y"],
    "list": ["--resource-group", "-g", "--workspace-name", "-w", "--max-results", "-r", "--type"],
    "show": NAMED,
    "update": [
        *NAMED, *IDENTITY, "--add", "--force-string", "--idle-time-before-scale-down", "-d", "--max-instances",
        "--min-instances", "--no-wait", "--remove", "--set", "--tags",
    ],
}  # fmt: skip


@pytest.mark.parametrize("verb", sorted(ML_OPTIONS))
def test_every_option_of_ml_compute_is_accepted(verb: str, options: dict[str, set[str]]) -> None:
    """Those that make no sense for a Kubernetes compute are rejected with a sentence, which scenarios test."""
    assert [option for option in ML_OPTIONS[verb] if option not in options[f"amlk8s compute {verb}"]] == []
    assert f"| `az ml compute {verb}` | `az amlk8s compute {verb}` |" in (GUIDE / "migrating.md").read_text("utf-8")


def test_rejected_options_of_ml_compute_are_in_the_guide() -> None:
    from azext_amlk8s.cli.compute import GROUP

    rejected = {
        "--" + option.name.replace("_", "-")
        for command in GROUP.commands
        for option in command.options
        if option.group == "Unsupported"
    }
    migrating = (GUIDE / "migrating.md").read_text(encoding="utf-8").partition("not carried over")[2]
    assert rejected
    assert [option for option in sorted(rejected) if f"`{option}`" not in migrating] == []


def test_new_commands_of_the_table_exist(options: dict[str, set[str]]) -> None:
    migrating = (GUIDE / "migrating.md").read_text(encoding="utf-8")
    new = re.findall(r"\| `az (amlk8s [a-z -]+?)(?: -f [^`]+)?` \|$", migrating, re.MULTILINE)
    assert len(new) >= 10
    assert [command for command in new if command not in options] == []


@pytest.fixture(scope="module")
def options() -> dict[str, set[str]]:
    """The options of each command, hidden ones included."""
    from azure.cli.core.file_util import create_invoker_and_load_cmds_and_args
    from azure.cli.core.mock import DummyCli

    from tests.support import our_commands

    cli: Any = DummyCli(commands_loader_cls=our_commands(), random_config_dir=True)
    create_invoker_and_load_cmds_and_args(cli)
    return {
        name: {
            getattr(option, "target", option)
            for argument in command.arguments.values()
            for option in argument.options_list or []
        }
        for name, command in cli.invocation.commands_loader.command_table.items()
    }
