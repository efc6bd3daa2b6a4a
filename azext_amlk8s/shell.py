"""Quoting for the shell that the user pastes commands into."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable

_PLAIN = r"^[\w@%+=:,./-]+$"
_POWERSHELL_PLAIN = r"^[\w%+=:./\\-]+$"


def quote(word: str, *, windows: bool = os.name == "nt") -> str:
    """A word as one argument: for POSIX shells, or for PowerShell on Windows."""
    if not windows:
        return word if re.match(_PLAIN, word, re.ASCII) else shlex.quote(word)
    return word if re.match(_POWERSHELL_PLAIN, word, re.ASCII) else "'" + word.replace("'", "''") + "'"


def join(words: Iterable[str]) -> str:
    """Words as a command line."""
    return " ".join(quote(word) for word in words)
