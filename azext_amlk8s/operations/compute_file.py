"""The YAML file of a Kubernetes compute that `az ml compute attach --file` accepts.

https://learn.microsoft.com/azure/machine-learning/reference-yaml-compute-kubernetes
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEYS = ("$schema", "name", "type", "description", "resource_id", "namespace", "identity", "tags", "location")
IDENTITY_TYPES = {"systemassigned": "SystemAssigned", "userassigned": "UserAssigned"}


@dataclass(frozen=True)
class ComputeFile:
    """The values of a compute file; None for those that it does not have."""

    name: str | None = None
    compute_type: str | None = None
    description: str | None = None
    resource_id: str | None = None
    namespace: str | None = None
    identity_type: str | None = None
    user_assigned_identities: tuple[str, ...] | None = None
    tags: Mapping[str, str] | None = None


def read_compute_file(path: str) -> ComputeFile:
    """The values of a file. Raises FileOperationError for an unreadable file, ValidationError for invalid content."""
    from azure.cli.core.azclierror import FileOperationError, ValidationError

    from azext_amlk8s.yaml_files import YamlProblem

    try:
        text = Path(path).expanduser().read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise FileOperationError(f"Cannot read '{path}': {getattr(error, 'strerror', None) or error}.") from error
    try:
        return parse_compute_file(text)
    except YamlProblem as error:
        raise ValidationError(f"Cannot read '{path}': {error}.") from error
    except ValueError as error:
        raise ValidationError(f"Invalid compute file '{path}': {error}.") from error


def parse_compute_file(text: str) -> ComputeFile:
    """The values of a text. Raises YamlProblem, and ValueError with a clause that says what is invalid."""
    from azext_amlk8s.yaml_files import load_document

    document = load_document(text)
    if not isinstance(document, dict):
        raise ValueError("expected a mapping")
    if unknown := next((str(key) for key in document if key not in KEYS), None):
        raise ValueError(f"unknown key '{unknown}'; expected {', '.join(KEYS)}")
    for key in ("name", "type", "description", "resource_id", "namespace"):
        if document.get(key) is not None and not isinstance(document[key], str):
            raise ValueError(f"invalid value '{document[key]}' for '{key}'; expected a string")
    identity_type, identities = _parse_identity(document.get("identity"))
    return ComputeFile(
        document.get("name"),
        document.get("type"),
        document.get("description"),
        document.get("resource_id"),
        document.get("namespace"),
        identity_type,
        identities,
        _parse_tags(document.get("tags")),
    )


def _parse_identity(identity: Any) -> tuple[str | None, tuple[str, ...] | None]:
    if identity is None:
        return None, None
    if not isinstance(identity, dict):
        raise ValueError("invalid value for 'identity'; expected a mapping with 'type'")
    kind = str(identity.get("type") or "")
    identity_type = IDENTITY_TYPES.get(kind.replace("_", "").lower())
    if identity_type is None:
        raise ValueError(f"invalid value '{kind}' for 'identity.type'; expected system_assigned or user_assigned")
    given = identity.get("user_assigned_identities") or []
    items = given if isinstance(given, list) else [None]
    ids = [item.get("resource_id") if isinstance(item, dict) else item for item in items]
    texts = tuple(text for text in ids if isinstance(text, str))
    if len(texts) != len(ids):
        raise ValueError("invalid value for 'identity.user_assigned_identities'; expected a list with 'resource_id'")
    return identity_type, texts or None


def _parse_tags(tags: Any) -> dict[str, str] | None:
    if tags is None:
        return None
    if not isinstance(tags, dict):
        raise ValueError("invalid value for 'tags'; expected a mapping")
    return {str(key): str(value) for key, value in tags.items()}
