"""The files of a run: which there are, what is in them, and how they refer to each other."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, TypeVar

from azext_amlk8s.lint.nodes import InvalidSyntax

# A broken file with one of these is reported; other broken files have nothing to do with the extension.
CERTAIN = re.compile(
    r"microsoft\.azureml\.kubernetes|amlarc\.azureml\.com|azurerm_(arc_)?kubernetes_cluster_extension|"
    r"kubernetesconfiguration/extensions|workspaces/computes",
    re.IGNORECASE,
)
Parsed = TypeVar("Parsed")
# Reads a file that others name: its text, None where it cannot be read.
ReadFile = Callable[[str], str | None]


@dataclass(frozen=True)
class SourceFile:
    """A file: its name in findings, its text, and whether the user named this very file."""

    name: str
    text: str
    is_named: bool = False

    @property
    def suffix(self) -> str:
        """The last part of the name, in lower case; of standard input that of what it seems to be."""
        suffix = PurePath(self.name).suffix.lower()
        return suffix or guess_suffix(self.text)

    @property
    def path(self) -> str:
        """The name with / between its parts and without ./ and ../ where possible."""
        return normal_path(self.name)

    @property
    def folder(self) -> str:
        """The path of its folder."""
        return posixpath.dirname(self.path)


class Files:
    """All files of a run."""

    def __init__(self, files: Iterable[SourceFile], read: ReadFile = lambda path: None) -> None:
        self._read = read
        self.all = list({file.name: file for file in files}.values())
        self.broken: list[tuple[SourceFile, InvalidSyntax]] = []
        self._parsed: dict[tuple[str, Callable[[str, str], Any]], Any] = {}

    def named(self, path: str) -> SourceFile | None:
        """The file at a path that another file names, also where it is not part of the run; None without one."""
        known = next((file for file in self.all if file.path == path), None)
        if known is None and (text := self._read(path)) is not None:
            return SourceFile(path, text)
        return known

    def of(self, *suffixes: str) -> Iterator[SourceFile]:
        """The files with these suffixes."""
        return (file for file in self.all if file.suffix in suffixes)

    def parse(self, file: SourceFile, read: Callable[[str, str], Parsed]) -> Parsed | None:
        """A file as read returns it; None where it cannot be parsed, which is remembered if it matters."""
        key = (file.name, read)
        if key not in self._parsed:
            self._parsed[key] = self._parse(file, read)
        found: Parsed | None = self._parsed[key]
        return found

    def _parse(self, file: SourceFile, read: Callable[[str, str], Parsed]) -> Parsed | None:
        try:
            return read(file.text, file.name)
        except InvalidSyntax as error:
            self.remember(file, error)
        except RecursionError:
            pass
        return None

    def remember(self, file: SourceFile, error: InvalidSyntax) -> None:
        """Remember that a file cannot be parsed, if it has to do with the extension."""
        if file.is_named or CERTAIN.search(file.text):
            self.broken.append((file, error))


def normal_path(name: str) -> str:
    """A path with / between its parts."""
    return posixpath.normpath(name.replace("\\", "/"))


def relative_path(file: str, other: str) -> str:
    """The path that a file means by another path."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(normal_path(file)), other.replace("\\", "/")))


def paths_from(script: str, path: str) -> tuple[str, str]:
    """The paths that a script may mean by a path: relative to the script, and to where it is run."""
    return relative_path(script, path), normal_path(path)


def guess_suffix(text: str) -> str:
    """The suffix that a text without a name seems to deserve; empty where it is not clear."""
    start = text.lstrip()
    first = start.partition("\n")[0]
    if first.startswith("#!"):
        return ".ps1" if "pwsh" in first else ".sh" if re.search(r"\b(ba|z|k|da)?sh\b", first) else ""
    if start[:1] == "{" or (start[:1] == "/" and '"$schema"' in start):
        return ".json"
    if re.search(r"^\s*(resource|module)\s+\w+\s+'", text, re.MULTILINE):
        return ".bicep"
    if re.search(r'^\s*(resource|data|module|variable)\s+"', text, re.MULTILINE):
        return ".tf"
    if re.search(r"^\s*az\s+\S", text, re.MULTILINE):
        return ".sh"
    return ".yaml" if re.search(r"^[\w$.-]+:(\s|$)", text, re.MULTILINE) else ""
