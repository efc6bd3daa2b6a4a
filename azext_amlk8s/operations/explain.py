"""az amlk8s explain"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def explain(
    cmd: Any, text: Sequence[str] | None = None, everything: bool = False, scope: str | None = None
) -> list[dict[str, Any]]:
    """What a code or a text means, the cause before its wrappers; with everything the whole knowledge base."""
    from azure.cli.core.azclierror import MutuallyExclusiveArgumentError, RequiredArgumentMissingError
    from knack.log import get_logger

    from azext_amlk8s import diagnosis

    words = " ".join(text or ()).strip()
    if everything and words:
        raise MutuallyExclusiveArgumentError("--list shows all that is known; it takes no code and no text.")
    if everything:
        return [view(diagnosis.explain_entry(one)) for one in diagnosis.entries() if scope in (None, one.scope)]
    if words == "-":
        words = _standard_input()
    if not words:
        raise RequiredArgumentMissingError(
            "A code or the text of a message must be given.",
            recommendation=["az amlk8s explain E40001", "az amlk8s explain --list -o table"],
        )
    found = diagnosis.explain(words, scope or "")
    if not any(one.known for one in found):
        get_logger(__name__).warning("Nothing is known of this; what could be read of it stands under parts.")
    return [view(one) for one in found]


def view(one: Any) -> dict[str, Any]:
    """An explanation as a command returns it."""
    return {
        "code": one.code,
        "name": one.name,
        "scope": one.scope,
        "known": one.known,
        "meaning": one.meaning,
        "cause": one.cause,
        "fix": list(one.fix),
        "source": one.source,
        "parts": dict(one.parts),
    }


def _standard_input() -> str:
    import sys

    return sys.stdin.buffer.read().decode("utf-8", "replace")
