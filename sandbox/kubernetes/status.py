"""Errors in the form of the Kubernetes API: a Status object."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """An answer other than success."""

    def __init__(self, code: int, reason: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.body = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "details": details,
            "code": code,
        }


def not_found(kind: Any, name: str) -> ApiError:
    """404 of one object."""
    return ApiError(
        404, "NotFound", f'{kind.resource} "{name}" not found', name=name, group=kind.group, kind=kind.plural
    )


def no_such_path() -> ApiError:
    """404 of a path that no kind serves."""
    return ApiError(404, "NotFound", "the server could not find the requested resource")


def already_exists(kind: Any, name: str) -> ApiError:
    """409 of a create."""
    return ApiError(
        409, "AlreadyExists", f'{kind.resource} "{name}" already exists', name=name, group=kind.group, kind=kind.plural
    )


def conflict(kind: Any, name: str) -> ApiError:
    """409 of a write with a stale resourceVersion."""
    return ApiError(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {kind.resource} "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again",
        name=name,
        group=kind.group,
        kind=kind.plural,
    )


def invalid(kind: Any, name: str, causes: list[tuple[str, str]]) -> ApiError:
    """422 with a cause for each (field, message)."""
    listed = [{"reason": "FieldValueInvalid", "message": message, "field": field} for field, message in causes]
    text = "; ".join(f"{field}: {message}" for field, message in causes)
    return ApiError(
        422,
        "Invalid",
        f'{kind.kind}.{kind.group} "{name}" is invalid: {text}',
        name=name,
        group=kind.group,
        kind=kind.kind,
        causes=listed,
    )


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, "BadRequest", message)
