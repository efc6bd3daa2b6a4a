"""Texts of others, such as names in Azure, without the characters that a terminal executes or cannot encode."""

from __future__ import annotations

import logging
import re
import sys

# Control characters except tab and line feed, marks that change the direction of text, and what UTF-8 or XML lack.
_UNPRINTABLE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")

# The root, and those that az gives handlers of their own.
LOGGERS = (None, "cli", "az", "az_command_data_logger")


def printable(text: str) -> str:
    r"""The text with such characters as escapes, \x1b for the one that begins a command to a terminal."""
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def protect_output() -> None:
    """Have what az logs pass `printable`, and the streams of output and logs escape what they cannot encode."""
    handlers = {handler for name in LOGGERS for handler in logging.getLogger(name).handlers}
    for handler in handlers:
        if _escape not in handler.filters:
            handler.addFilter(_escape)
    for stream in (sys.stdout, sys.stderr, *(getattr(handler, "stream", None) for handler in handlers)):
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")


def _escape(record: logging.LogRecord) -> bool:
    message = record.getMessage()
    if (text := printable(message)) != message:
        record.msg, record.args = text, None
    return True
