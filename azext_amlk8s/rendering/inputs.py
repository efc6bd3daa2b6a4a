"""What is rendered: clusters with the requests that `apply` would send for them, secrets as references."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.computes.model import AttachRequest, Resource
from azext_amlk8s.computes.roles import RoleNeeded
from azext_amlk8s.settings import ClusterFacts, Dependency

ENV, FILE, KEY_VAULT = "env", "file", "key_vault"
VAULT_URL = re.compile(
    r"^https://(?P<vault>[^./]+)\.[^/]+/secrets/(?P<name>[0-9A-Za-z-]+)(/(?P<version>[0-9a-z]*))?/?$", re.I
)


@dataclass(frozen=True)
class SecretReference:
    """A secret of the extension: the setting that it is sent as, and where its value is.

    kind is env, file or key_vault, and source the name of the variable, the path or the URL. The service expects a
    certificate and its key in base64 (encoded); the source has them as PEM. vault_id is the resource ID of the key
    vault where it is known. The source of a part (is_part) has the certificate together with its key, which no template
    can take apart.
    """

    key: str
    kind: str
    source: str
    encoded: bool = False
    vault_id: str = ""
    is_part: bool = False

    @property
    def parameter(self) -> str:
        """The name of the parameter that takes the value, in camelCase."""
        words: list[str] = re.findall(r"[A-Za-z0-9]+", self.key)
        return words[0][0].lower() + words[0][1:] + "".join(word[0].upper() + word[1:] for word in words[1:])

    @property
    def description(self) -> str:
        """What the parameter is, as a sentence."""
        return f"Protected setting {self.key}{', as PEM' if self.encoded else ''}."

    @property
    def vault(self) -> tuple[str, str] | None:
        """The names of the key vault and of the secret in it, None for another kind and for a part of a secret."""
        match = VAULT_URL.match(self.source) if self.kind == KEY_VAULT and not self.is_part else None
        return (match["vault"], match["name"]) if match else None


@dataclass(frozen=True)
class ClusterInput:
    """A cluster to render: what Azure reports about it, and what `apply` would send.

    extension is the PUT body of the extension, with blanks in place of secrets, or None where the setup has none.
    backing are the Azure resources beneath it. compute is None where nothing is attached; workspace is that of the
    compute as Azure describes it. roles are those that the identities of the workspace need on this cluster; empty
    where the setup does not ensure them.
    """

    facts: ClusterFacts
    extension_name: str
    extension: Mapping[str, Any] | None
    backing: tuple[Dependency, ...] = ()
    secrets: tuple[SecretReference, ...] = ()
    compute: AttachRequest | None = None
    workspace: Resource | None = None
    roles: tuple[RoleNeeded, ...] = ()

    @property
    def subscription(self) -> str:
        """The ID of the cluster's subscription."""
        return self.facts.resource_id.split("/")[2]

    @property
    def principal_ids(self) -> list[str]:
        """The identities of the workspace that need roles."""
        return list(dict.fromkeys(role.principal_id for role in self.roles))
