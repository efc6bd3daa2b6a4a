"""Threads whose progress and warnings are not printed, because one of many clusters is worked on in each."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


def is_quiet() -> bool:
    """Whether this thread prints neither progress nor warnings."""
    return _quiet.get()


@contextmanager
def quiet_thread() -> Iterator[None]:
    """Print neither progress nor warnings of this extension in this thread."""
    for handler in logging.getLogger("cli").handlers:
        if _is_printed not in handler.filters:
            handler.addFilter(_is_printed)
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


def _is_printed(record: logging.LogRecord) -> bool:
    return not (_quiet.get() and record.levelno <= logging.WARNING and "azext_amlk8s" in record.name)
