"""Texts of others, such as names in Azure, without the characters that a terminal executes or cannot encode."""

from __future__ import annotations

import logging
import os
import re
import sys
from typing import Any, TextIO

from azext_amlk8s.registered_secrets import hide_secrets

# Control characters except tab and line feed, marks that change the direction of text, and what UTF-8 or XML lack.
# Not compiled before it is used, since every command imports this module.
_UNPRINTABLE = "[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"

# The root, and those that az gives handlers of their own.
LOGGERS = (None, "cli", "az", "az_command_data_logger")


def printable(text: str) -> str:
    r"""The text with such characters as escapes, \x1b for the one that begins a command to a terminal."""
    return re.sub(_UNPRINTABLE, lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


class _PatientStream:
    """A stream without registered secrets.

    It swallows what is written after its reader has gone, such as `| head`: a command must still end.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text, and return its length."""
        try:
            self._stream.write(hide_secrets(text))
        except BrokenPipeError:
            self._discard()
        return len(text)

    def flush(self) -> None:
        """Send what was written."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._discard()

    def _discard(self) -> None:
        """Send everything from now on to nowhere, also what Python flushes when it exits."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def protect_output() -> None:
    """Have what az logs pass `printable`, the streams escape what they cannot encode, and a closed pipe be no error.

    Neither logs nor streams show a registered secret.
    """
    handlers = {handler for name in LOGGERS for handler in logging.getLogger(name).handlers}
    for handler in handlers:
        if _escape not in handler.filters:
            handler.addFilter(_escape)
    for stream in (sys.stdout, sys.stderr, *(getattr(handler, "stream", None) for handler in handlers)):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, _PatientStream):
            setattr(sys, name, _PatientStream(stream))


def _escape(record: logging.LogRecord) -> bool:
    if record.levelno >= logging.WARNING:
        record.exc_info = record.exc_text = None  # some libraries warn with a traceback
    message = record.getMessage()
    if (text := printable(hide_secrets(message))) != message:
        record.msg, record.args = text, None
    return True
