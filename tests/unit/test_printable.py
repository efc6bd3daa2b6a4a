"""Texts of others do not command the terminal, and never end a command because they cannot be encoded."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from azext_amlk8s.printable import printable, protect_output


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("größer, 大, 😀", "größer, 大, 😀"),
        ("\x1b[2J\x07", r"\x1b[2J\x07"),
        ("\x00\r\x7f\x9b", r"\x00\r\x7f\x9b"),
        ("\ud800", r"\ud800"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
    ],
)
def test_control_characters_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_logs_and_streams_show_what_they_cannot_encode(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = {name: io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="") for name in ("stdout", "stderr")}
    for name, stream in streams.items():
        monkeypatch.setattr(sys, name, stream)
    handler = logging.StreamHandler(streams["stderr"])
    logger = logging.getLogger("cli")
    logger.addHandler(handler)
    try:
        protect_output()
        logger.error("compute %s", "\x1b[31m\ud800")
        print("\ud800 größer")
    finally:
        logger.removeHandler(handler)
    shown = {name: stream.buffer for name, stream in streams.items()}
    for stream in streams.values():
        stream.flush()
    assert shown["stderr"].getvalue() == b"compute \\x1b[31m\\ud800\n"
    assert shown["stdout"].getvalue() == b"\\ud800 gr\\xf6\\xdfer\n"
