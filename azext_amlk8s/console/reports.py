"""Results as text for people, where az would print JSON to a terminal although nobody chose a format."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from azext_amlk8s.printable import printable

if TYPE_CHECKING:
    from azure.cli.core import AzCli

Lines = Sequence[str]
# The lines for the result of a command; None leaves the result to az.
Text = Callable[[Any], "Lines | None"]

OUTPUT_OPTIONS = ("-o", "--output", "--query")
COLOURS = {"✗": "31", "!": "33", "✓": "32", "+": "32", "~": "33", "-": "31", "–": "90"}
ASCII = str.maketrans({"✗": "x", "✓": "+", "–": "-", "…": "."})
MARKS = {"error": "✗", "warning": "!", "info": "–"}
INDENT = "    "
NARROWEST = 40
COMMANDS = ("az ", "kubectl ", "helm ", "openssl ", "oc ", "--")


def print_text_at_terminal(cli_ctx: AzCli, texts: Mapping[str, Text], args: Sequence[str]) -> None:
    """Print the results of these commands as text, if stdout is a terminal and no format or query is chosen.

    `texts` has the full names of commands. The exit code stays what the command has set.
    """
    if not texts or not sys.stdout.isatty() or is_format_chosen(args) or _configured_format(cli_ctx):
        return
    from knack.events import EVENT_INVOKER_FILTER_RESULT

    def replace_result(context: Any, event_data: dict[str, Any], **_: Any) -> None:
        text = texts.get(context.data.get("command"))
        lines = text(event_data["result"]) if text else None
        if lines is not None:
            event_data["result"] = None
            print_lines(lines, colour=bool(context.enable_color) and "NO_COLOR" not in os.environ)

    cli_ctx.register_event(EVENT_INVOKER_FILTER_RESULT, replace_result)


def is_format_chosen(args: Sequence[str]) -> bool:
    """Whether the arguments contain an option for the format or a query, also abbreviated or joined with its value."""
    names = [arg.partition("=")[0] for arg in args if arg.startswith("-") and len(arg) > 1]
    return any(
        (name.startswith("-o") and not name.startswith("--"))
        or (len(name) > 3 and any(option.startswith(name) for option in OUTPUT_OPTIONS[1:]))
        for name in names
    )


def _configured_format(cli_ctx: AzCli) -> bool:
    return bool(cli_ctx.config.get("core", "output", fallback=None))


def print_lines(lines: Lines, *, colour: bool) -> None:
    """Print lines that fit the terminal, in colour by their mark; commands are never wrapped, so they can be pasted."""
    width = max(shutil.get_terminal_size().columns, NARROWEST)
    for line in lines:
        for part in wrap(printable(line), width):
            try:
                print(coloured(part) if colour else part)
            except UnicodeEncodeError:
                print(part.translate(ASCII).encode("ascii", "replace").decode())


def wrap(line: str, width: int) -> list[str]:
    """The line in parts of `width` characters, further parts indented below the first."""
    content = line.lstrip()
    if len(line) <= width or content.removeprefix("Try: ").startswith(COMMANDS):
        return [line]
    indent = " " * (len(line) - len(content) + (2 if content[:2].strip() in COLOURS else 0))
    return textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def coloured(line: str) -> str:
    """The line with its mark in colour, and a command in cyan."""
    content = line.lstrip()
    indent = line[: len(line) - len(content)]
    code = COLOURS.get(content[:2].strip())
    if code and content[1:2] == " ":
        return f"{indent}\x1b[{code}m{content[0]}\x1b[0m{content[1:]}"
    if content.startswith("Try: "):
        return f"{indent}Try: \x1b[36m{content[5:]}\x1b[0m"
    return line


def fix_lines(fix: str | Sequence[str]) -> list[str]:
    """The lines of a fix, indented; each command after `Try:`."""
    lines = fix.splitlines() if isinstance(fix, str) else list(fix)
    return [
        f"{INDENT}{'Try: ' if line.strip().startswith(COMMANDS) else ''}{line.strip()}"
        for line in lines
        if line.strip()
    ]


def count(number: int, noun: str) -> str:
    """The number with its noun, in singular or plural."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def finding_lines(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Findings, errors first; those with the same rule and fix together; the verdict last."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for finding in findings:
        groups.setdefault((finding["id"], finding["fix"]), []).append(finding)
    lines = []
    for (rule_id, fix), group in groups.items():
        lines += [f"{MARKS[each['severity']]} {each['message'].rstrip()}  [{rule_id}]" for each in group]
        lines += fix_lines(fix)
    counts = {severity: sum(each["severity"] == severity for each in findings) for severity in ("error", "warning")}
    found = [count(number, severity) for severity, number in counts.items() if number]
    mark = "✗" if counts["error"] else "!" if counts["warning"] else "✓"
    verdict = " and ".join(found) or "No problems"
    return [*lines, *([""] if lines else []), f"{mark} {verdict} found."]
