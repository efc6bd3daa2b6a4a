"""The words of `python -m sandbox`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from sandbox import process
from sandbox.process import SandboxError

DEFAULT_DIRECTORY = Path(__file__).parent.parent / ".sandbox"


def main() -> int:
    """Exit code 0; 1 with one sentence on stderr when it cannot be done."""
    words = _parser().parse_args()
    words.dir = words.dir.resolve()
    try:
        return int(globals()[f"_{words.command}"](words) or 0)
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
        ("status", "say whether it runs, and where"),
        ("log", "print the requests that it answered"),
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


def _up(words: argparse.Namespace) -> None:
    from sandbox.world import load

    load(words.world)
    state = process.up(words.dir, words.world, words.provisioning_seconds, words.record)
    print(f"The sandbox is ready: Azure at {state['azure']}, clusters {', '.join(state['clusters'])}.")


def _down(words: argparse.Namespace) -> None:
    print("The sandbox is stopped." if process.down(words.dir) else f"No sandbox ran in {words.dir}.")


def _env(words: argparse.Namespace) -> None:
    from sandbox import login

    state = process.running(words.dir)
    login.environment(words.dir)
    login.log_in(words.dir, state)
    print(login.exports(words.dir))


def _status(words: argparse.Namespace) -> None:
    print(json.dumps(process.running(words.dir), indent=1))


def _log(words: argparse.Namespace) -> None:
    file = words.dir / "log.jsonl"
    if not file.exists():
        raise SandboxError(f"No sandbox has run in {words.dir}.")
    sys.stdout.write(file.read_text(encoding="utf-8"))


def _serve(words: argparse.Namespace) -> None:
    from sandbox.server import serve
    from sandbox.world import load

    asyncio.run(serve(load(words.world), words.dir, words.provisioning_seconds, words.record))
