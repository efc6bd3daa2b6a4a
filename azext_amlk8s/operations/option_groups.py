"""Options that belong together, as one value."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any

Handler = Callable[..., Any]


def gathers(name: str, kind: type[Any]) -> Callable[[Handler], Handler]:
    """Let az see every field of a dataclass as an option of a handler, which gets them together under one name."""

    def decorate(handler: Handler) -> Handler:
        told = [one for one in inspect.signature(handler).parameters.values() if one.name != name]
        options = [
            inspect.Parameter(one.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=one.default)
            for one in fields(kind)
        ]

        @wraps(handler)
        def asked(*args: Any, **words: Any) -> Any:
            gathered = {one.name: words.pop(one.name) for one in options if one.name in words}
            return handler(*args, **{name: kind(**gathered)}, **words)

        # Parameters without a default come first, as in any signature.
        ordered = sorted([*told, *options], key=lambda one: one.default is not inspect.Parameter.empty)
        asked.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
        return asked

    return decorate
