"""Options that belong together, passed to an operation as one value."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any, TypeVar

T = TypeVar("T")
Operation = Callable[..., T]


def group_options(name: str, kind: type[Any]) -> Callable[[Operation[T]], Operation[T]]:
    """A decorator that shows az every field of a dataclass as an option; the operation gets them as one argument."""

    def decorate(operation: Operation[T]) -> Operation[T]:
        own = [parameter for parameter in inspect.signature(operation).parameters.values() if parameter.name != name]
        options = [
            inspect.Parameter(field_.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=field_.default)
            for field_ in fields(kind)
        ]

        @wraps(operation)
        def run(*args: Any, **arguments: Any) -> T:
            grouped = {option.name: arguments.pop(option.name) for option in options if option.name in arguments}
            return operation(*args, **{name: kind(**grouped)}, **arguments)

        # Parameters without a default come first, as in any signature.
        ordered = sorted([*own, *options], key=lambda parameter: parameter.default is not inspect.Parameter.empty)
        run.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
        return run

    return decorate
