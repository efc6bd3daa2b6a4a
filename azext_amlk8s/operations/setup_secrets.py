"""The secrets that a setup file refers to: environment variables, files, and Azure Key Vault."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import datetime, timezone
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NoReturn

from azext_amlk8s.console.errors import raise_for_errors
from azext_amlk8s.operations.vault_refusals import explain_refusal, vault_command
from azext_amlk8s.setup_files import ClusterSetup

if TYPE_CHECKING:
    from azure.cli.core import AzCli

    from azext_amlk8s.azure.key_vault import VaultItem, VaultSecret

PROTECTED, CERTIFICATE = "extension.protected_settings", "extension.tls.key_vault_certificate"


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
    from azext_amlk8s.settings.certificate_material import UnusableMaterial, material_from_vault

    url = str(((cluster_setup.extension or {}).get("tls") or {})["key_vault_certificate"])
    place = cluster_setup.place_of(CERTIFICATE)
    secret = _read_vault(place, "tls", url, vaults)
    try:
        material = material_from_vault(secret.value, secret.content_type)
    except UnusableMaterial as error:
        _reject(place, "tls", url, str(error))
    return material.certificate.decode("ascii"), material.key.decode("ascii")


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
        refusal = explain_refusal(error, item)
        _reject(place, key, url, refusal.reason, refusal.fix)
    # A certificate that has expired is reported with its dates, like one from a file.
    if key != "tls" and secret.expires and secret.expires < time.time():
        when = datetime.fromtimestamp(secret.expires, timezone.utc)
        _reject(
            place,
            key,
            url,
            f"it expired on {when:%Y-%m-%d}",
            vault_command(item, "show", "-n", item.name, "--query", "attributes"),
        )
    return secret


def _reject(place: str, key: str, source: str, reason: str, fix: str = "") -> NoReturn:
    from azext_amlk8s.setup_files.plan import unreadable_secret

    raise_for_errors(unreadable_secret(place, key, source, reason, fix))
    raise AssertionError("the rule always reports")
