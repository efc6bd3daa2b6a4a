"""Secrets and certificates of Azure Key Vault, read with the token of the signed-in user.

https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azext_amlk8s.values import mapping, parse_json, text, whole_number

if TYPE_CHECKING:
    from azure.cli.core import AzCli

API_VERSION = "7.4"
KINDS = ("certificates", "secrets")
# The end of the year 9999, in seconds since 1970.
LATEST_DATE = 253_402_300_800
_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")
_VERSION = re.compile(r"[0-9A-Fa-f]{32}")


class InvalidVaultId(ValueError):
    """A text that is not the ID of a certificate or a secret in a vault of the user's cloud."""


@dataclass(frozen=True)
class VaultItem:
    """A certificate or a secret of a vault: kind is certificates or secrets; version is empty for the current one."""

    vault: str
    kind: str
    name: str
    version: str = ""

    @property
    def id(self) -> str:
        """Its URL."""
        return f"{self.vault}/{self.kind}/{self.name}{f'/{self.version}' if self.version else ''}"

    @property
    def vault_name(self) -> str:
        """The name of the vault without its host."""
        return self.vault.removeprefix("https://").partition(".")[0]


@dataclass(frozen=True)
class VaultSecret:
    """A secret as the vault returns it: its value, its content type, and its ID with the version.

    expires is when it expires, in seconds since 1970, None for never.
    """

    value: str = field(repr=False)
    content_type: str
    id: str
    expires: int | None = None


def parse_vault_id(vault_id: str, suffix: str) -> VaultItem:
    """A certificate or secret by its ID. Raises InvalidVaultId for anything else, and for hosts of other clouds.

    suffix is that of the hosts of vaults in the cloud.
    """
    suffix = f".{suffix.lstrip('.')}".lower()
    example = f"https://my-vault{suffix}/certificates/my-certificate"
    try:
        address = urlsplit(vault_id)
        host, port = (address.hostname or "").lower(), address.port
    except ValueError:
        raise InvalidVaultId(f"invalid Key Vault ID '{vault_id}'; expected one such as {example}") from None
    name_of_vault = host.removesuffix(suffix)
    is_vault = host.endswith(suffix) and _NAME.fullmatch(name_of_vault) and port in (None, 443)
    if address.scheme != "https" or not is_vault or "@" in address.netloc:
        raise InvalidVaultId(f"'{vault_id}' is not in a key vault of this cloud; expected an ID such as {example}")
    kind, *rest = [part for part in address.path.split("/") if part] or [""]
    is_item = kind.lower() in KINDS and len(rest) in (1, 2) and _NAME.fullmatch(rest[0])
    if not is_item or (len(rest) == 2 and not _VERSION.fullmatch(rest[1])) or address.query or address.fragment:
        raise InvalidVaultId(f"'{vault_id}' names no certificate or secret; expected an ID such as {example}")
    return VaultItem(f"https://{host}", kind.lower(), rest[0], rest[1] if len(rest) == 2 else "")


def read_secret(body: Any, item: VaultItem) -> VaultSecret | None:
    """The secret in the body of a response; None for any other body. Its value is redacted from then on."""
    from azext_amlk8s.registered_secrets import register_secret

    value = mapping(body).get("value")
    if not isinstance(value, str):
        return None
    register_secret(value)
    expires = whole_number(mapping(body.get("attributes")).get("exp"))
    content_type, identifier = text(body.get("contentType")), text(body.get("id")) or item.id
    return VaultSecret(value, content_type, identifier, expires if 0 < expires < LATEST_DATE else None)


class VaultClient:
    """The data plane of the vaults of the user's cloud. Bodies of responses are never logged."""

    def __init__(self, cli_ctx: AzCli, subscription_id: str | None = None) -> None:
        self._cli_ctx, self._subscription = cli_ctx, subscription_id

    @property
    def suffix(self) -> str:
        """The suffix of the hosts of vaults, as az knows it; empty where the cloud has no vaults."""
        from azure.cli.core.cloud import CloudSuffixNotSetException

        try:
            return str(self._cli_ctx.cloud.suffixes.keyvault_dns or "")
        except CloudSuffixNotSetException:
            return ""

    def get_secret(self, item: VaultItem) -> VaultSecret:
        """The secret, or the secret behind a certificate, which has its private key.

        Raises azure-core's HttpResponseError where the vault refuses, ServiceRequestError where it is not reached.
        """
        from azext_amlk8s.azure.responses import unexpected_response

        response = self._send(item)
        try:
            secret = read_secret(parse_json(response.text()), item)
        except (ValueError, LookupError):  # from decoding text and JSON
            secret = None
        if secret is None:
            raise unexpected_response(response, "a secret")
        return secret

    def _send(self, item: VaultItem) -> Any:
        from azure.core.rest import HttpRequest

        from azext_amlk8s.azure.responses import raise_for_status

        version = f"/{item.version}" if item.version else ""
        url = f"{item.vault}/secrets/{item.name}{version}"
        response = self._pipeline(item.vault).send_request(HttpRequest("GET", url, params={"api-version": API_VERSION}))
        raise_for_status(response)
        return response

    def _pipeline(self, vault: str) -> Any:
        from azure.cli.core._profile import Profile
        from azure.core import PipelineClient
        from azure.core.pipeline import policies

        from azext_amlk8s.azure.auth_policy import FreshTokenPolicy
        from azext_amlk8s.azure.responses import ReadableResponsePolicy
        from azext_amlk8s.azure.retry_policy import TIMEOUTS, BoundedRetryPolicy, TimeLimitPolicy
        from azext_amlk8s.azure.sign_in import create_credential
        from azext_amlk8s.azure.transport import pooled_transport

        sign_in = partial(Profile(cli_ctx=self._cli_ctx).get_login_credentials, subscription_id=self._subscription)
        credential = create_credential(sign_in)[0]
        scope = f"https://{self.suffix.lstrip('.')}/.default"
        chain: list[Any] = [
            ReadableResponsePolicy(),
            policies.RequestIdPolicy(),
            policies.UserAgentPolicy(sdk_moniker="amlk8s"),
            policies.ProxyPolicy(),
            BoundedRetryPolicy(),
            TimeLimitPolicy(),
            FreshTokenPolicy(credential, scope, base_url=vault),
        ]
        options: dict[str, Any] = {"policies": chain, "transport": pooled_transport(**TIMEOUTS)}
        return PipelineClient(vault, **options)
