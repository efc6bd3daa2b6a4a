"""Write rendered files. An inventory beside them tells which files were rendered, and whether somebody changed them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from azext_amlk8s.console.errors import az_error
from azext_amlk8s.values import parse_json

INVENTORY = ".amlk8s-render.json"
CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"


def write_files(folder: Path, files: Mapping[str, str], *, force: bool = False) -> dict[str, str]:
    """Write files below a folder. Returns what was done to each: created, updated or unchanged.

    A file that was not rendered, or that was changed since, is kept; then nothing is written. Raises FileOperationError
    with the names of all such files, and for a folder that cannot be written.
    """
    rendered = _read_inventory(folder)
    actions, kept = {}, []
    for path, text in files.items():
        existing = _read(folder / path)
        actions[path] = CREATED if existing is None else UNCHANGED if existing == text.encode() else UPDATED
        if actions[path] == UPDATED and rendered.get(path) != _digest(existing or b""):
            kept.append((path, path in rendered))
    if kept and not force:
        lines = "".join(f"\n  {path}: {'changed since' if was else 'not written by render'}" for path, was in kept)
        message = f"Files in '{folder}' would be overwritten. Nothing was written.{lines}"
        raise az_error("FileOperationError", message, ["To overwrite these files, use --force."])
    for path, text in files.items():
        if actions[path] != UNCHANGED:
            _write(folder / path, text)
    inventory = {**rendered, **{path: _digest(text.encode()) for path, text in files.items()}}
    if inventory != rendered:
        content = {"description": "Files that az amlk8s render wrote, with their SHA-256.", "files": inventory}
        _write(folder / INVENTORY, json.dumps(content, indent=2, sort_keys=True) + "\n")
    return actions


def check_folder(folder: Path) -> None:
    """Raise FileOperationError for a folder that is a file."""
    if folder.exists() and not folder.is_dir():
        raise az_error("FileOperationError", f"'{folder}' is a file; expected a folder.", ["--out DIR"])


def _read_inventory(folder: Path) -> dict[str, str]:
    """The digests of the files that were rendered before, by path."""
    content = _read(folder / INVENTORY)
    try:
        files = parse_json(content or b"{}").get("files") or {}
        return {str(path): str(digest) for path, digest in files.items()}
    except (ValueError, AttributeError):
        return {}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _failure(path, "read", error) from error


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    except OSError as error:
        raise _failure(path, "write", error) from error


def _failure(path: Path, verb: str, error: OSError) -> Exception:
    reason = (error.strerror or "unknown error").lower()
    return az_error("FileOperationError", f"Cannot {verb} '{path}': {reason}.", ["--out DIR"])
