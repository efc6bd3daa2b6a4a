"""The entries of a world for key vaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DNS_SUFFIX = "vault.sandbox.invalid"
AUDIENCE = f"https://{DNS_SUFFIX}"
CONTENT_TYPES = {"pem": "application/x-pem-file", "pkcs12": "application/x-pkcs12"}
PERMISSIONS = tuple(
    f"{kind}/{verb}"
    for kind, verbs in (("secrets", ("get", "list", "set")), ("certificates", ("get", "list", "import")))
    for verb in verbs
)


@dataclass(frozen=True)
class VaultCertificate:
    """A certificate that is signed by itself. days: until it expires, negative if it has; versions: older ones too."""

    name: str
    cname: str
    dns_names: tuple[str, ...] = ()
    days: int = 365
    format: str = "pem"
    versions: int = 1
    enabled: bool = True
    exportable: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.format not in CONTENT_TYPES:
            raise ValueError(f"unknown format '{self.format}'; expected {' or '.join(CONTENT_TYPES)}")
        if self.versions < 1:
            raise ValueError("versions must be at least 1")


@dataclass(frozen=True)
class Vault:
    """A key vault. denied: permissions that nobody has; rbac: how it says so, access policies otherwise.

    template_deployment: parameters of deployments may refer to its secrets.
    """

    name: str
    group: str
    location: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    rbac: bool = True
    public_network_access: bool = True
    template_deployment: bool = True
    denied: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)
    certificates: tuple[VaultCertificate, ...] = ()

    def __post_init__(self) -> None:
        if unknown := set(self.denied) - set(PERMISSIONS):
            raise ValueError(f"denied: unknown permission '{min(unknown)}'; expected one of {', '.join(PERMISSIONS)}")
        if not isinstance(self.secrets, Mapping) or not all(
            isinstance(secret, str) for secret in self.secrets.values()
        ):
            raise ValueError("secrets: expected texts by name")

    @property
    def url(self) -> str:
        """Where its data plane is."""
        return f"https://{self.name.lower()}.{DNS_SUFFIX}"


Item = dict[str, Any]
