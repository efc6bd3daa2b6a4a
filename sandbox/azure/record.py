"""ARM exchanges as JSON lines: whole requests and responses without secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CREDENTIALS = ("authorization", "cookie", "x-ms-authorization-auxiliary")
SECRET_BAG = "configurationprotectedsettings"
SECRET_KEY = re.compile(r"(connectionString|primaryKey|secondaryKey|sharedKey|password|secret|accessToken)$", re.I)
SIGNATURE = re.compile(r"([?&][tcsh]=)[^&]*")


class Recorder:
    """Appends exchanges to a file that only its owner reads."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        self._file = file

    def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Any,
        status: int,
        response_headers: Mapping[str, str],
        response_body: Any,
    ) -> None:
        """Write one exchange; bodies are JSON values, None for empty ones. URLs lose the signatures of operations."""
        line = {
            "liveRequest": {
                "method": method,
                "url": unsigned(url),
                "headers": shown(headers),
                "body": blanked(without_secure_parameters(body)),
            },
            "liveResponse": {
                "statusCode": status,
                "headers": shown(response_headers),
                "body": blanked(response_body),
            },
        }
        for side in line.values():
            if side["body"] is None:
                del side["body"]
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def unsigned(url: str) -> str:
    """A URL without the signature that opens an operation."""
    return SIGNATURE.sub(r"\1blank", url)


def shown(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers without credentials, names in lower case."""
    return {name.lower(): unsigned(value) for name, value in headers.items() if name.lower() not in CREDENTIALS}


def blanked(value: Any) -> Any:
    """A JSON value of the same shape, the strings that are secrets emptied."""
    if isinstance(value, dict):
        return {key: _empty(item) if _secret(key) else blanked(item) for key, item in value.items()}
    return [blanked(item) for item in value] if isinstance(value, list) else value


def without_secure_parameters(body: Any) -> Any:
    """The body of a deployment with the values of its secure parameters emptied; any other body as it is."""
    properties = body.get("properties") if isinstance(body, dict) else None
    if not isinstance(properties, dict):
        return body
    template, given = properties.get("template"), properties.get("parameters")
    if not isinstance(template, dict) or not isinstance(given, dict):
        return body
    secure = {
        name.lower()
        for name, entry in (template.get("parameters") or {}).items()
        if isinstance(entry, dict) and str(entry.get("type", "")).lower().startswith("secure")
    }
    parameters = {name: _empty(value) if name.lower() in secure else value for name, value in given.items()}
    return {**body, "properties": {**properties, "parameters": parameters}}


def _secret(key: str) -> bool:
    return key.lower() in (SECRET_BAG, "kubeconfigs") or bool(SECRET_KEY.search(key))


def _empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _empty(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_empty(item) for item in value]
    return "" if isinstance(value, str) else value
