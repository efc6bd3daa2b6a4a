"""Errors in the form of the Kubernetes API: a Status object."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """An answer other than success."""

    def __init__(self, code: int, reason: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "code": code,
        }
        if given := {key: value for key, value in details.items() if value not in ("", None)}:
            self.body["details"] = given


def not_found(kind: Any, name: str) -> ApiError:
    """404 of one object."""
    return ApiError(
        404, "NotFound", f'{kind.resource} "{name}" not found', name=name, group=kind.group, kind=kind.plural
    )


def forbidden(kind: Any, method: str) -> ApiError:
    """403 of a user without the right."""
    verb = {"GET": "list", "POST": "create", "DELETE": "delete"}.get(method, "update")
    text = f'User "user" cannot {verb} resource "{kind.plural}" in API group "{kind.group}" at the cluster scope'
    return ApiError(403, "Forbidden", f"{kind.resource} is forbidden: {text}", kind=kind.plural, group=kind.group)


class NoSuchPath(Exception):
    """404 of a path in a group that is not served: plain text, no Status."""


def no_such_kind() -> ApiError:
    """404 of a kind that its group does not have."""
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
    listed = [{"reason": _reason(message), "message": message, "field": field} for field, message in causes]
    messages = [f"{field}: {message}" for field, message in causes]
    text = messages[0] if len(messages) == 1 else f"[{', '.join(messages)}]"
    return ApiError(
        422,
        "Invalid",
        f'{kind.kind}{"." if kind.group else ""}{kind.group} "{name}" is invalid: {text}',
        name=name,
        group=kind.group,
        kind=kind.kind,
        causes=listed,
    )


def other_kind(kind: Any, api_version: str, given: str) -> ApiError:
    """400 of a body that is of another kind than the path."""
    text = f'{given} in version "{api_version.rsplit("/", 1)[-1]}" cannot be handled as a {kind.kind}'
    if not kind.custom:
        internal = kind.group.split(".")[0] or "core"
        text += (
            f": converting ({api_version.replace('/', '.')}.{given}) to ({internal}.{kind.kind}): unknown conversion"
        )
    return bad_request(text)


def no_version(kind: Any, name: str) -> ApiError:
    """422 of a replacement of a custom object without resourceVersion."""
    cause = {"reason": "FieldValueInvalid", "message": "Invalid value: 0x0: must be specified for an update"}
    causes = [{**cause, "field": "metadata.resourceVersion"}]
    text = f'{kind.resource} "{name}" is invalid: metadata.resourceVersion: {cause["message"]}'
    return ApiError(422, "Invalid", text, name=name, group=kind.group, kind=kind.plural, causes=causes)


def no_number(version: str) -> ApiError:
    """500, without a reason, of a watch from a version that is no number."""
    parsing = f'strconv.ParseUint: parsing "{version}": invalid syntax'
    error = ApiError(500, "", f'resourceVersion: Invalid value: "{version}": {parsing}')
    del error.body["reason"]
    return error


def no_manager() -> ApiError:
    """422 of an apply without a field manager."""
    cause = {"reason": "FieldValueRequired", "message": "Required value: is required for apply patch"}
    text = 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
    causes = [{**cause, "field": "fieldManager"}]
    return ApiError(422, "Invalid", text, group="meta.k8s.io", kind="PatchOptions", causes=causes)


def _reason(message: str) -> str:
    return "FieldValueRequired" if message.startswith("Required value") else "FieldValueInvalid"


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, "BadRequest", message)
