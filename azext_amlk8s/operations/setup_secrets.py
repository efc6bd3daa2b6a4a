"""The secrets that a setup file refers to: environment variables, files, and Azure Key Vault."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import datetime, timezone
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NoReturn

from azext_amlk8s.console.errors import raise_for_errors
from azext_amlk8s.setup_files import ClusterSetup
from azext_amlk8s.shell import join

if TYPE_CHECKING:
    from azure.cli.core import AzCli
    from azure.core.exceptions import AzureError

    from azext_amlk8s.azure.key_vault import VaultItem, VaultSecret

PROTECTED, CERTIFICATE = "extension.protected_settings", "extension.tls.key_vault_certificate"
# What Key Vault says in error.innererror.code, and what it means:
# https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
REFUSALS = {
    "forbiddenbyrbac": "you do not have the role Key Vault Secrets User on the vault",
    "accessdenied": "the access policies of the vault do not let you get secrets",
    "forbiddenbypolicy": "the access policies of the vault do not let you get secrets",
    "forbiddenbyconnection": "the vault does not allow access from this network",
    "forbiddenbyfirewall": "the vault does not allow access from this network",
    "secretdisabled": "it is disabled",
}


class VaultReader:
    """Reads secrets of key vaults; several threads may use it, and each secret is requested once."""

    def __init__(self, cli_ctx: AzCli) -> None:
        self._cli_ctx = cli_ctx
        self._reads: dict[VaultItem, Future[VaultSecret]] = {}
        self._lock = Lock()

    def item(self, url: str) -> VaultItem:
        """The secret or certificate that a URL names. Raises InvalidVaultId for a URL of something else."""
        from azext_amlk8s.azure.key_vault import VaultClient, parse_vault_id

        return parse_vault_id(url, VaultClient(self._cli_ctx).suffix)

    def read(self, item: VaultItem) -> VaultSecret:
        """A secret, or the secret behind a certificate. Raises azure-core's errors."""
        from azext_amlk8s.azure.key_vault import VaultClient

        with self._lock:
            read = self._reads.get(item)
            is_first = read is None
            if read is None:
                read = self._reads[item] = Future()
        if is_first:
            try:
                read.set_result(VaultClient(self._cli_ctx).get_secret(item))
            except BaseException as error:  # pylint: disable=broad-exception-caught # other threads wait for it
                read.set_exception(error)
        return read.result()


def read_secret(cluster_setup: ClusterSetup, key: str, vaults: VaultReader) -> str:
    """The value of a protected setting of the file. Raises ValidationError where it cannot be read."""
    reference = (cluster_setup.extension or {})["protected_settings"][key]
    return read_reference(cluster_setup.place_of(f"{PROTECTED}.{key}.{next(iter(reference))}"), key, reference, vaults)


def read_reference(place: str, key: str, reference: Mapping[str, str], vaults: VaultReader) -> str:
    """The secret that a reference at a place of a file names. Raises ValidationError where it cannot be read."""
    from azext_amlk8s.registered_secrets import register_secret

    (kind, source), *_ = reference.items()
    if kind == "key_vault":
        return _read_vault(place, key, source, vaults).value
    value = ""
    if kind == "env":
        value = os.environ.get(source, "")
        if not value:
            _reject(place, key, f"the environment variable {source}", "it is not set")
    else:
        try:
            value = Path(source).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            reason = str(getattr(error, "strerror", None) or "it is not text").lower()
            _reject(place, key, f"the file {source}", reason)
    register_secret(value)
    return value


def read_certificate(cluster_setup: ClusterSetup, vaults: VaultReader) -> tuple[str, str]:
    """Certificate chain and private key, as PEM, of the certificate of the file. Raises ValidationError."""
    from azext_amlk8s.registered_secrets import register_secret
    from azext_amlk8s.settings.certificate_material import UnusableMaterial, material_from_vault

    url = str(((cluster_setup.extension or {}).get("tls") or {})["key_vault_certificate"])
    place = cluster_setup.place_of(CERTIFICATE)
    secret = _read_vault(place, "tls", url, vaults)
    try:
        material = material_from_vault(secret.value, secret.content_type)
    except UnusableMaterial as error:
        _reject(place, "tls", url, str(error))
    key = material.key.decode("ascii")
    register_secret(key)
    return material.certificate.decode("ascii"), key


def _read_vault(place: str, key: str, url: str, vaults: VaultReader) -> VaultSecret:
    from azure.core.exceptions import AzureError

    from azext_amlk8s.azure.key_vault import InvalidVaultId

    try:
        item = vaults.item(url)
    except InvalidVaultId as error:
        _reject(place, key, "Azure Key Vault", str(error))
    try:
        secret = vaults.read(item)
    except AzureError as error:
        _reject(place, key, url, *_explain(error, item))
    # A certificate that has expired is reported with its dates, like one from a file.
    if key != "tls" and secret.expires and secret.expires < time.time():
        when = datetime.fromtimestamp(secret.expires, timezone.utc)
        _reject(place, key, url, f"it expired on {when:%Y-%m-%d}", _show(item))
    return secret


def _explain(error: AzureError, item: VaultItem) -> tuple[str, str]:
    """Why Key Vault did not return a secret, as a clause, and what to do."""
    status = getattr(error, "status_code", None)
    if status is None:
        deleted = join(["az", "keyvault", "list-deleted", "--query", f"[?name=='{_name_of(item)}']", "-o", "table"])
        return "the vault cannot be reached; it may not exist, or be deleted", deleted
    if status == 404:
        return "it does not exist in the vault", _listing(item)
    code = _inner_code(error)
    if reason := REFUSALS.get(code.lower()):
        return reason, _show(item)
    if status in (401, 403):
        return "the vault refused your sign-in", "az login"
    first = str(getattr(error, "message", "") or error).splitlines()[0]
    return f"the vault returned {status}: {first}", _show(item)


def _inner_code(error: AzureError) -> str:
    try:
        detail: Mapping[str, Any] = json.loads(error.response.text())["error"]  # type: ignore[attr-defined]
        return str((detail.get("innererror") or {}).get("code") or detail.get("code") or "")
    except (AttributeError, ValueError, KeyError, TypeError):
        return ""


def _name_of(item: VaultItem) -> str:
    """The name of a vault without its host."""
    return item.vault.removeprefix("https://").partition(".")[0]


def _show(item: VaultItem) -> str:
    kind = item.kind.removesuffix("s")
    return join(
        ["az", "keyvault", kind, "show", "--vault-name", _name_of(item), "-n", item.name, "--query", "attributes"]
    )


def _listing(item: VaultItem) -> str:
    return join(["az", "keyvault", item.kind.removesuffix("s"), "list", "--vault-name", _name_of(item), "-o", "table"])


def _reject(place: str, key: str, source: str, reason: str, fix: str = "") -> NoReturn:
    from azext_amlk8s.setup_files.plan import unreadable_secret

    raise_for_errors(unreadable_secret(place, key, source, reason, fix))
    raise AssertionError("the rule always reports")
