"""The kinds that a cluster serves: the built-in ones from data, custom ones from their definitions."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

CRD = "CustomResourceDefinition"
VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]


@dataclass(frozen=True)
class Kind:
    """A kind: its discovery entry and the columns of its table."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    short: tuple[str, ...] = ()
    status: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    wide: Mapping[str, str] = field(default_factory=dict)
    integers: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    custom: bool = False

    @property
    def api_version(self) -> str:
        """apps/v1, or v1 for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """plural.group, as error messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def root(self) -> str:
        """api/v1 or apis/apps/v1."""
        return f"apis/{self.group}/{self.version}" if self.group else f"api/{self.version}"

    def discovery(self) -> list[dict[str, Any]]:
        """The entries of an APIResourceList."""
        entry = {
            "name": self.plural,
            "singularName": self.kind.lower(),
            "namespaced": self.namespaced,
            "kind": self.kind,
            "verbs": VERBS,
            "storageVersionHash": "c2FuZGJveA==",
        }
        if self.short:
            entry["shortNames"] = list(self.short)
        if not self.status:
            return [entry]
        return [
            entry,
            {
                "name": f"{self.plural}/status",
                "singularName": "",
                "namespaced": self.namespaced,
                "kind": self.kind,
                "verbs": ["get", "patch", "update"],
            },
        ]


def built_in() -> list[Kind]:
    """The kinds in kinds.yaml."""
    return list(_read_kinds())


@functools.cache
def _read_kinds() -> tuple[Kind, ...]:
    entries = yaml.safe_load(Path(__file__).with_name("kinds.yaml").read_text(encoding="utf-8"))
    return tuple(
        Kind(**{**entry, "short": tuple(entry.get("short", ())), "integers": tuple(entry.get("integers", ()))})
        for entry in entries
    )


def custom(definitions: Iterable[Mapping[str, Any]]) -> list[Kind]:
    """The kinds of CustomResourceDefinition objects, one for each served version."""
    return [
        _custom(definition["spec"], version)
        for definition in definitions
        for version in definition["spec"]["versions"]
        if version.get("served")
    ]


def _custom(spec: Mapping[str, Any], version: Mapping[str, Any]) -> Kind:
    names = spec["names"]
    columns = version.get("additionalPrinterColumns", ())
    narrow, wide = (
        {
            column["name"]: column["jsonPath"].lstrip(".")
            for column in columns
            if bool(column.get("priority")) is is_wide
        }
        for is_wide in (False, True)
    )
    return Kind(
        spec["group"],
        version["name"],
        names["kind"],
        names["plural"],
        spec["scope"] == "Namespaced",
        short=tuple(names.get("shortNames", ())),
        status="status" in (version.get("subresources") or {}),
        columns=narrow,
        wide=wide,
        integers=tuple(column["name"] for column in columns if column.get("type") == "integer"),
        schema=(version.get("schema") or {}).get("openAPIV3Schema"),
        custom=True,
    )
