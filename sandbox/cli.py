"""The options of `python -m sandbox`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from sandbox import process
from sandbox.process import SandboxError

DEFAULT_DIRECTORY = Path(__file__).parent.parent / ".sandbox"
SHOWN_CLUSTERS = 10


def main() -> int:
    """Run a command; returns exit code 0, or 1 after an error message on stderr."""
    options = _parser().parse_args()
    options.dir = options.dir.resolve()
    try:
        return int(globals()[f"_{options.command}"](options) or 0)
    except (SandboxError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="Azure and Kubernetes clusters on one machine."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="{up,down,env,status,log}")
    for name, what in (
        ("up", "start a sandbox in the background"),
        ("down", "stop it"),
        ("env", "print export lines for az and kubectl"),
        ("status", "show its process and addresses"),
        ("log", "print the requests it received"),
        ("serve", None),
    ):
        command = commands.add_parser(name, help=what) if what else commands.add_parser(name)
        command.add_argument(
            "--dir", type=Path, default=DEFAULT_DIRECTORY, help="folder of the sandbox (default: .sandbox)"
        )
        if name in ("up", "serve"):
            command.add_argument(
                "--world",
                type=lambda text: Path(text).resolve(),
                help="the world to begin with (default: sandbox/world.yaml)",
            )
            command.add_argument(
                "--record",
                type=lambda text: Path(text).resolve(),
                help="append every ARM exchange to this file as JSON lines, secrets blanked",
            )
            command.add_argument(
                "--provisioning-seconds",
                type=float,
                default=4.0,
                help="how long installing and attaching take (default: 4)",
            )
    return parser


def _up(options: argparse.Namespace) -> None:
    from sandbox.world import load

    load(options.world)
    state = process.up(options.dir, options.world, options.provisioning_seconds, options.record)
    names = list(state["clusters"])
    shown = ", ".join(names) if len(names) <= SHOWN_CLUSTERS else f"{names[0]} and {len(names) - 1} more"
    print(f"The sandbox is ready: Azure at {state['azure']}, clusters {shown}.")


def _down(options: argparse.Namespace) -> None:
    print("The sandbox is stopped." if process.down(options.dir) else f"No sandbox ran in {options.dir}.")


def _env(options: argparse.Namespace) -> None:
    from sandbox import login

    state = process.running(options.dir)
    login.environment(options.dir)
    login.log_in(options.dir, state)
    print(login.exports(options.dir))


def _status(options: argparse.Namespace) -> None:
    print(json.dumps(process.running(options.dir), indent=1))


def _log(options: argparse.Namespace) -> None:
    file = options.dir / "log.jsonl"
    if not file.exists():
        raise SandboxError(f"No sandbox has run in {options.dir}.")
    sys.stdout.write(file.read_text(encoding="utf-8"))


def _serve(options: argparse.Namespace) -> None:
    from sandbox.server import serve
    from sandbox.world import load

    asyncio.run(serve(load(options.world), options.dir, options.provisioning_seconds, options.record))
