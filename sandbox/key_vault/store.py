"""The secrets and certificates of one vault, each with its versions."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from typing import Any

from sandbox.key_vault import certificates
from sandbox.key_vault.certificates import KeyPair
from sandbox.key_vault.entries import CONTENT_TYPES, Item, Vault
from sandbox.world import guid

RECOVERY = {"recoveryLevel": "Recoverable+Purgeable", "recoverableDays": 90}


class VaultStore:
    """Items by kind (secrets, certificates) and name in lower case; the last version is the current one."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self.items: dict[str, dict[str, list[Item]]] = {"secrets": {}, "certificates": {}}
        for name, value in vault.secrets.items():
            self.set_secret(name, {"value": value})
        for entry in vault.certificates:
            for _ in range(entry.versions):
                body = {"attributes": {"enabled": entry.enabled}, "tags": dict(entry.tags)}
                self.add_certificate(entry.name, certificates.issue(entry), body, entry.exportable)

    def set_secret(self, name: str, body: Mapping[str, Any]) -> Item:
        """Add a version of a secret."""
        item = {
            "value": body.get("value", ""),
            "id": self._id("secrets", name),
            "attributes": _attributes(body.get("attributes") or {}),
            "tags": body.get("tags") or {},
            **({"contentType": body["contentType"]} if body.get("contentType") else {}),
        }
        return self._add("secrets", name, item)

    def add_certificate(self, name: str, pair: KeyPair, body: Mapping[str, Any], exportable: bool = True) -> Item:
        """Add a version of a certificate, and of the key and the secret behind it."""
        certificate_id = self._id("certificates", name)
        dates = {
            "nbf": int(pair.certificate.not_valid_before_utc.timestamp()),
            "exp": int(pair.certificate.not_valid_after_utc.timestamp()),
        }
        attributes = _attributes({**dates, **(body.get("attributes") or {})})
        kid, sid = (certificate_id.replace("/certificates/", f"/{kind}/") for kind in ("keys", "secrets"))
        secret = {
            "value": pair.text,
            "id": sid,
            "kid": kid,
            "managed": True,
            "contentType": CONTENT_TYPES[pair.format],
            "attributes": attributes,
            "tags": body.get("tags") or {},
        }
        self._add("secrets", name, secret)
        item = {
            "id": certificate_id,
            "kid": kid,
            "sid": sid,
            "x5t": pair.thumbprint,
            "cer": base64.b64encode(pair.der).decode(),
            "attributes": attributes,
            "tags": body.get("tags") or {},
            "policy": self._policy(name, pair, exportable),
        }
        return self._add("certificates", name, item)

    def versions(self, kind: str, name: str) -> list[Item]:
        """All versions from oldest to newest."""
        return self.items[kind].get(name.lower(), [])

    def find(self, kind: str, name: str, version: str) -> Item | None:
        """A version, or the current one."""
        found = self.versions(kind, name)
        if not version:
            return found[-1] if found else None
        return next((item for item in found if item["id"].endswith(f"/{version.lower()}")), None)

    def _add(self, kind: str, name: str, item: Item) -> Item:
        self.items[kind].setdefault(name.lower(), []).append(item)
        return item

    def _id(self, kind: str, name: str) -> str:
        number = str(len(self.versions(kind, name)))
        return f"{self.vault.url}/{kind}/{name}/{guid('version', self.vault.name, kind, name, number).replace('-', '')}"

    def _policy(self, name: str, pair: KeyPair, exportable: bool) -> dict[str, Any]:
        size = getattr(pair.certificate.public_key(), "key_size", None)
        return {
            "id": f"{self.vault.url}/certificates/{name}/policy",
            "key_props": {"exportable": exportable, "kty": "RSA", "key_size": size, "reuse_key": False},
            "secret_props": {"contentType": CONTENT_TYPES[pair.format]},
            "x509_props": {"subject": pair.certificate.subject.rfc4514_string()},
            "issuer": {"name": "Self"},
            "attributes": _attributes({}),
        }


def _attributes(given: Mapping[str, Any]) -> dict[str, Any]:
    now = int(time.time())
    dates = {key: int(given[key]) for key in ("nbf", "exp") if given.get(key) is not None}
    return {"enabled": given.get("enabled") is not False, **dates, "created": now, "updated": now, **RECOVERY}
