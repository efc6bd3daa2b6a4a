"""az amlk8s lint: checks templates, scripts and other files without asking Azure."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error, finding_object, set_exit_code
from azext_amlk8s.printable import printable

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.lint import LintFinding, Result, SourceFile

STDIN = "-"
STDIN_NAME = "standard input"
MAX_BYTES = 5_000_000
SUFFIXES = {
    ".json", ".jsonc", ".bicep", ".bicepparam", ".tf", ".tfvars", ".yml", ".yaml", ".sh", ".bash", ".zsh",
    ".ps1", ".psm1", ".bat", ".cmd",
}  # fmt: skip
SKIPPED_FOLDERS = {".git", ".terraform", ".venv", "node_modules", "__pycache__", ".tox", ".mypy_cache"}


def lint(
    cmd: AzCliCommand, path: Sequence[str], output_format: str | None = None, strict: bool = False
) -> list[dict[str, Any]] | None:
    """The findings on all files, by position; the exit code is 1 where there is an error.

    With an output format other than json they are printed in it, and nothing is returned.
    """
    from datetime import datetime, timezone

    from azext_amlk8s.lint import lint as lint_files

    files = list(read_files(path))
    result = lint_files(files, _read_named, datetime.now(timezone.utc))
    findings = sort_findings(result, strict)
    _log_files(files, result)
    if any(each.is_error for each in findings):
        set_exit_code(cmd, 1)
    objects = [lint_object(each) for each in findings]
    if output_format in (None, "json"):
        return objects
    _print(objects, str(output_format))
    return None


def _print(objects: list[dict[str, Any]], output_format: str) -> None:
    import sys

    from azext_amlk8s.console.lint_reports import FORMATS
    from azext_amlk8s.console.lint_text import lint_lines
    from azext_amlk8s.console.reports import print_lines

    if output_format == "text" and sys.stdout.isatty():
        print_lines(lint_lines(objects), colour="NO_COLOR" not in os.environ)
    elif output_format == "text":
        # One line for each finding, however long, so that tools can read it.
        print(printable("\n".join(lint_lines(objects))))
    elif text := FORMATS[output_format](objects):
        print(printable(text))


def sort_findings(result: Result, strict: bool) -> list[LintFinding]:
    """The findings by position; with strict a warning is an error."""
    from dataclasses import replace

    from azext_amlk8s.rules import Severity

    found = result.findings
    if strict:
        found = [
            replace(each, finding=replace(each.finding, severity=Severity.ERROR))
            if each.finding.severity is Severity.WARNING
            else each
            for each in found
        ]
    return found


def lint_object(found: LintFinding) -> dict[str, Any]:
    """A finding with its position as the command returns it."""
    mark = found.mark
    return {"file": mark.source, "line": mark.line, "column": mark.column, **finding_object(found.finding)}


def _log_files(files: Sequence[SourceFile], result: Result) -> None:
    """Warn of a file that the user named and that has nothing to check; for --verbose, what was not evaluated."""
    from knack.log import get_logger

    log = get_logger(__name__)
    for file in files:
        if file.is_named and file.name not in result.kinds:
            log.warning("%s has nothing to check: nothing in it installs the extension or uses it.", file.name)
    for name, kind in result.kinds.items():
        log.info("%s: %s", name, kind or "broken")
    for mark, reason in dict.fromkeys(result.skipped):
        log.info("%s: %s", mark, reason)


def read_files(paths: Sequence[str]) -> Iterator[SourceFile]:
    """The files of all paths that may have something to check, each once.

    Raises FileOperationError for a path that does not exist, and for a file that the user names and that cannot be
    read. Files of folders that cannot be read are skipped with a warning.
    """
    from azext_amlk8s.lint import SourceFile

    seen: set[str] = set()
    for path in paths:
        if path == STDIN:
            yield SourceFile(STDIN_NAME, _decode(_stdin()) or "", is_named=True)
            continue
        place = Path(path).expanduser()
        if not place.exists():
            raise az_error("FileOperationError", f"The path '{path}' does not exist.", ["Check the path."])
        for file in _files(place):
            key = os.path.realpath(file)
            if key not in seen:
                seen.add(key)
                yield from _source(file, is_named=file == place)


def _read_named(path: str) -> str | None:
    """The text of a file that another file names; None where it cannot be read, or is no text."""
    file = Path(path)
    try:
        if not file.is_file() or file.stat().st_size > MAX_BYTES:
            return None
        return _decode(file.read_bytes())
    except (OSError, ValueError):
        return None


def _files(place: Path) -> Iterator[Path]:
    """A file, or the files below a folder in the order of their names; links to folders are not followed."""
    if not place.is_dir():
        yield place
        return
    for folder, folders, names in os.walk(place):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        for name in sorted(names):
            suffix = os.path.splitext(name)[1].lower()
            if suffix in SUFFIXES or not suffix:
                yield Path(folder, name)


def _source(file: Path, *, is_named: bool) -> Iterator[SourceFile]:
    """The file, if it may have something to check."""
    from knack.log import get_logger

    from azext_amlk8s.lint import SourceFile, has_signs

    try:
        if not file.is_file():
            return
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or "it cannot be opened").lower()
        if is_named:
            message = f"The file '{file}' cannot be read: {reason}."
            raise az_error("FileOperationError", message, ["Check its permissions."]) from error
        get_logger(__name__).warning("%s cannot be read: %s.", file, reason)
        return
    if len(content) > MAX_BYTES:
        if is_named or has_signs(content):
            get_logger(__name__).warning("%s is larger than %s MB; skipped.", file, MAX_BYTES // 1_000_000)
        return
    text = _decode(content)
    if text is None and is_named:
        get_logger(__name__).warning("%s is not text; skipped.", file)
    if text is not None and (is_named or has_signs(text.encode("utf-8", "ignore"))):
        yield SourceFile(str(file), text, is_named)


def _decode(content: bytes) -> str | None:
    """The text of a file in UTF-8 or UTF-16, with \\n between lines; None for what is not text."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if encoding != "utf-16" and b"\0" in content[:8000]:
        return None
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            return None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _stdin() -> bytes:
    import sys

    return sys.stdin.buffer.read(MAX_BYTES)
