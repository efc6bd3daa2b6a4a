"""Files, folders and standard input as texts, and the instance types in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

SUFFIXES = (".yaml", ".yml", ".json")
STDIN = "standard input"


def texts(paths: Iterable[str]) -> list[Any]:
    """The documents.Text of every path: a file, a folder (its .yaml, .yml and .json files), or - for standard input.

    Raises FileOperationError for what cannot be read, and for a folder without such files.
    """
    from azext_amlk8s.instance_types.documents import Text

    found = []
    for path in paths:
        if path == "-":
            found.append(Text(STDIN, _stdin()))
            continue
        place = Path(path).expanduser()
        for file in _files(place):
            found.append(Text(str(file), _read(file), of_folder=file != place))
    return found


def types_of(paths: Iterable[str]) -> list[Any]:
    """The instance types of files. Raises ValidationError with all errors, or where there is none."""
    from azure.cli.core.azclierror import ValidationError

    from azext_amlk8s.console.errors import raise_for_errors
    from azext_amlk8s.instance_types.documents import read_texts

    types, findings = read_texts(texts(paths))
    raise_for_errors(findings)
    if not types:
        raise ValidationError("No instance type found in the files.")
    return list(types)


def _files(place: Path) -> Iterator[Path]:
    from azure.cli.core.azclierror import FileOperationError

    if not place.is_dir():
        yield place
        return
    files = sorted(file for file in place.iterdir() if file.suffix.lower() in SUFFIXES and file.is_file())
    if not files:
        raise FileOperationError(f"The folder {place} holds no {', '.join(SUFFIXES)} file.", recommendation="-f FILE")
    yield from files


def _read(file: Path) -> str:
    from azure.cli.core.azclierror import FileOperationError

    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise FileOperationError(f"The file {file} is not UTF-8 text.", recommendation="Save it as UTF-8.") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not a path"
        raise FileOperationError(f"The file {file} cannot be read: {why}.", recommendation="--file PATH") from error


def _stdin() -> str:
    import sys

    from azure.cli.core.azclierror import FileOperationError

    try:
        return sys.stdin.read()
    except UnicodeDecodeError:
        raise FileOperationError("Standard input is not UTF-8 text.", recommendation="Save it as UTF-8.") from None
