"""The limit of responses: a few kB may be compressed from any size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

# More than the longest list of Azure, and than any page of a list of a cluster, decompressed.
MOST_BYTES = 100_000_000
LIMIT = f"{MOST_BYTES // 1_000_000} MB"


def bounded(pieces: Iterable[bytes], too_large: Exception) -> Iterator[bytes]:
    """The pieces of a body. Raises too_large where they have more than MOST_BYTES together."""
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MOST_BYTES:
            raise too_large
        yield piece
