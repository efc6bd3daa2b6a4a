"""Where a new certificate comes from: files, a Secret of the cluster, or Azure Key Vault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from azext_amlk8s.console.errors import az_error
from azext_amlk8s.operations.vault_refusals import explain_refusal, vault_command
from azext_amlk8s.settings.certificate_material import (
    Material,
    UnusableMaterial,
    material_from_file,
    material_from_secret,
    material_from_vault,
)

if TYPE_CHECKING:
    from azure.core.exceptions import AzureError

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.azure.key_vault import VaultItem
    from azext_amlk8s.kubernetes import Cluster

ONE_OF = "--cert with --key, --from-secret, --from-key-vault"


@dataclass(frozen=True)
class CertificateOptions:
    """The options that name a certificate, as the user gave them."""

    cert: str | None = None
    key: str | None = None
    from_secret: str | None = None
    from_key_vault: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no source is named."""
        return not any((self.cert, self.key, self.from_secret, self.from_key_vault))

    def validate(self) -> None:
        """Raise MutuallyExclusiveArgumentError for several sources, RequiredArgumentMissingError for half of one."""
        sources = [bool(self.cert or self.key), bool(self.from_secret), bool(self.from_key_vault)]
        if sum(sources) > 1:
            raise az_error("MutuallyExclusiveArgumentError", f"Specify only one source: {ONE_OF}.")
        if self.key and not self.cert:
            raise az_error("RequiredArgumentMissingError", "--key requires --cert.", ["--cert cert.pem --key key.pem"])
        if self.from_secret:
            self.secret()

    def secret(self) -> tuple[str, str]:
        """Namespace and name of --from-secret. Raises InvalidArgumentValueError."""
        parts = str(self.from_secret).split("/")
        if len(parts) != 2 or not all(part and part.replace("-", "").replace(".", "").isalnum() for part in parts):
            raise az_error(
                "InvalidArgumentValueError",
                f"Invalid value '{self.from_secret}' for --from-secret; expected NAMESPACE/NAME.",
                ["kubectl get secrets --all-namespaces --field-selector type=kubernetes.io/tls"],
            )
        return parts[0], parts[1]


@dataclass(frozen=True)
class Source:
    """A certificate with its key, and where it comes from. paths are those of files, empty for other sources."""

    description: str
    material: Material = field(repr=False)
    paths: tuple[str, str] = ("", "")


def read_source(options: CertificateOptions, client: AzureClient, connection: Callable[[], Cluster]) -> Source:
    """The certificate that the options name. Raises az's errors for what cannot be read or used.

    connection returns a connection to the cluster, or raises the error to be shown where there is none.
    """
    if options.from_secret:
        return _from_secret(*options.secret(), connection())
    if options.from_key_vault:
        return _from_key_vault(options.from_key_vault, client)
    return _from_files(str(options.cert), options.key)


def _from_files(cert: str, key: str | None) -> Source:
    certificate = _read(cert, "a PEM or PFX file to --cert")
    if key:
        return Source(f"file {cert}", Material(certificate, _read(key, "a PEM file to --key")), (cert, key))
    try:
        return Source(f"file {cert}", material_from_file(certificate))
    except UnusableMaterial as reason:
        raise _unusable(f"File '{cert}'", reason, "--cert cert.pem --key key.pem") from None


def _from_secret(namespace: str, name: str, cluster: Cluster) -> Source:
    secret = cluster.read(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    where = f"Secret '{name}' in namespace '{namespace}'"
    context = f" --context {cluster.context}" if cluster.context else ""
    fix = f"kubectl{context} get secrets --namespace {namespace}"
    if secret is None:
        raise az_error("ResourceNotFoundError", f"{where} does not exist.", [fix])
    try:
        return Source(f"secret {namespace}/{name}", material_from_secret(secret.get("data") or {}))
    except UnusableMaterial as reason:
        raise _unusable(where, reason, fix) from None


def _from_key_vault(text: str, client: AzureClient) -> Source:
    from azure.core.exceptions import AzureError

    from azext_amlk8s.azure.key_vault import InvalidVaultId, parse_vault_id

    vaults = client.vaults()
    try:
        item = parse_vault_id(text, vaults.suffix)
    except InvalidVaultId as reason:
        message = str(reason)
        fixes = ["Give an ID to --from-key-vault; az keyvault certificate list shows those of a vault."]
        raise az_error("InvalidArgumentValueError", f"{message[0].upper()}{message[1:]}.", fixes) from None
    try:
        secret = vaults.get_secret(item)
    except AzureError as error:
        raise _vault_error(item, error) from error
    try:
        return Source(secret.id, material_from_vault(secret.value, secret.content_type))
    except UnusableMaterial as reason:
        query = "policy" if item.kind == "certificates" else "contentType"
        fix = vault_command(item, "show", "-n", item.name, "--query", query)
        raise _unusable(f"Certificate '{item.name}' of {item.vault}", reason, fix) from None


def _vault_error(item: VaultItem, error: AzureError) -> Exception:
    """The error for a certificate that the vault does not return."""
    refusal, status = explain_refusal(error, item), getattr(error, "status_code", None)
    if status == 404:
        message = f"'{item.name}' does not exist in key vault '{item.vault_name}', or this version of it does not."
        return az_error("ResourceNotFoundError", message, [refusal.fix])
    received = getattr(getattr(error, "error", None), "message", None)
    text = " ".join(received.split()) if isinstance(received, str) else f"{refusal.reason}."
    kind = {None: "AzureConnectionError", 403: "ForbiddenError"}.get(status, "AzureResponseError")
    return az_error(kind, f"Key vault '{item.vault_name}' did not return '{item.name}': {text}", [refusal.fix])


def _read(path: str, expected: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "it is not a path").lower()
        fixes = [f"Give the path of {expected}."]
        raise az_error("FileOperationError", f"File '{path}' cannot be read: {reason}.", fixes) from None


def _unusable(where: str, reason: Exception, fix: str) -> Exception:
    return az_error("ValidationError", f"{where} cannot be used: {reason}.", [fix])
