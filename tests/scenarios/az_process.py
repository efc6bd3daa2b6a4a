"""az in a process that is loaded once and forks for each command: as separate as real az processes, at a tenth of the cost.

Reads one JSON line for each command from stdin, {"arguments": [...], "cwd": ..., "stdin": ..., "out": ..., "err": ...} with the files
of the child's streams, and prints a line with the exit code. The commands are those of the
checkout's azext_amlk8s; az itself is the real one, with its own parser, invoker, logging and output.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import signal
import sys
from typing import Any

import azext_amlk8s
from azext_amlk8s.diagnosis import knowledge_base

# What commands, and az's own handling of errors, import late.
WARM = (
    "azure.cli.core._help",
    "azure.cli.core._output",
    "azure.cli.core.azlogging",
    "azure.cli.core.command_recommender",
    "azure.cli.core.commands.arm",
    "azure.cli.core.commands.client_factory",
    "azure.cli.core.commands.command_operation",
    "azure.cli.core.parser",
    "azure.cli.core.sdk.policies",
    "azure.cli.core.style",
    "azure.cli.core.auth.identity",
    "azure.cli.core._profile",
    "azure.mgmt.core",
    "azure.mgmt.kubernetesconfiguration.extensions",
    "cryptography.x509",
    "importlib_metadata",
    "jmespath",
    "jsonschema",
    "msrest.exceptions",
    "pygal",
    "requests",
    "tests.support",
    "urllib3",
    "yaml",
)


def main() -> None:
    """Run commands until stdin ends."""
    modules = (package.name for package in pkgutil.walk_packages(azext_amlk8s.__path__, "azext_amlk8s."))
    for name in (*WARM, *modules):
        importlib.import_module(name)
    knowledge_base.entries()
    gc.freeze()  # a collection in a child would copy what is shared with it
    for line in sys.stdin:
        task = json.loads(line)
        child = os.fork()
        if child == 0:
            _run_child(task)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)


def _run_child(task: dict[str, Any]) -> None:
    """Run one command as the child process; does not return."""
    code = 1
    try:
        # Ignored where the tests run in the background.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(task["cwd"])
        for number, name, flags in (
            (0, task["stdin"], os.O_RDONLY),
            (1, task["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
            (2, task["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        ):
            os.dup2(os.open(name, flags, 0o600), number)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
        os.environ.update(task["env"])
        code = run_az(task["arguments"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def run_az(arguments: list[str]) -> int:
    """Run a command of az, with the commands of the checkout, in this process. Returns the exit code."""
    from azure.cli.core import AzCli
    from azure.cli.core._config import ENV_VAR_PREFIX, GLOBAL_CONFIG_DIR
    from azure.cli.core._help import AzCliHelp
    from azure.cli.core._output import AzOutputProducer
    from azure.cli.core.azlogging import AzCliLogging
    from azure.cli.core.commands import AzCliCommandInvoker
    from azure.cli.core.parser import AzCliCommandParser

    from tests.support import our_commands

    cli = AzCli(
        cli_name="az",
        config_dir=GLOBAL_CONFIG_DIR,
        config_env_var_prefix=ENV_VAR_PREFIX,
        commands_loader_cls=our_commands(),
        invocation_cls=AzCliCommandInvoker,
        parser_cls=AzCliCommandParser,
        logging_cls=AzCliLogging,
        output_cls=AzOutputProducer,
        help_cls=AzCliHelp,
    )
    return int(cli.invoke(arguments, out_file=sys.stdout))


if __name__ == "__main__":
    main()
