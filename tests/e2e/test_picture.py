"""The picture in the README shows what the commands print today."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import picture


@pytest.mark.timeout(300)
def test_picture_is_up_to_date(extension_dir: Path) -> None:
    """Otherwise: make docs"""
    assert picture.draw(picture.record()) == picture.FILE.read_text(encoding="utf-8")


def test_picture_needs_nothing_from_elsewhere() -> None:
    """No fonts, no paths of a machine."""
    svg = picture.FILE.read_text(encoding="utf-8")
    assert "url(http" not in svg
    assert "/tmp" not in svg
