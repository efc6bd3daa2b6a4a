"""Federated credentials by which pods of a cluster sign in as the identity of a compute. This tool creates none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azext_amlk8s.compute_view import properties_of
from azext_amlk8s.shell import join

if TYPE_CHECKING:
    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.refs import ComputeRef

EXTENSION_NAMESPACE = "azureml"


@dataclass(frozen=True)
class FederatedCredential:
    """A federated credential of a user-assigned identity; subject is the service account that may sign in with it.

    https://learn.microsoft.com/azure/aks/workload-identity-overview
    """

    name: str
    identity_id: str
    subject: str

    @property
    def identity(self) -> str:
        """The name of the identity."""
        return self.identity_id.rsplit("/", 1)[-1]

    @property
    def delete_command(self) -> str:
        """The command that deletes it."""
        _, _, subscription, _, group, *_ = self.identity_id.split("/")
        options = ["--identity-name", self.identity, "-g", group, "--subscription", subscription, "-n", self.name]
        return f"az identity federated-credential delete {join(options)}"


def credentials_of(
    client: AzureClient, cluster: Mapping[str, Any], computes: Sequence[ComputeRef]
) -> list[FederatedCredential]:
    """Those for service accounts of a cluster, in the namespaces of computes and of the extension.

    None where the cluster issues no tokens, and for what cannot be read.
    """
    issuer = _issuer(cluster)
    return list(dict.fromkeys(_credentials(client, issuer, computes))) if issuer else []


def _credentials(client: AzureClient, issuer: str, computes: Sequence[ComputeRef]) -> Iterator[FederatedCredential]:
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.computes.model import namespace_of

    for compute in computes:
        try:
            resource = client.find(compute.id) or {}
            namespaces = {namespace_of(resource), EXTENSION_NAMESPACE}
            for identity in (resource.get("identity") or {}).get("userAssignedIdentities") or ():
                for credential in client.list_all(f"{identity}/federatedIdentityCredentials"):
                    properties = properties_of(credential)
                    subject = str(properties.get("subject") or "")
                    is_here = str(properties.get("issuer") or "").rstrip("/") == issuer
                    if is_here and _namespace(subject) in namespaces:
                        yield FederatedCredential(str(credential.get("name")), identity, subject)
        except HttpResponseError:
            continue


def _issuer(cluster: Mapping[str, Any]) -> str:
    """The issuer of the tokens of a cluster, without a slash at its end; AKS and Arc spell its key differently."""
    profile = properties_of(cluster).get("oidcIssuerProfile") or {}
    return str(profile.get("issuerURL") or profile.get("issuerUrl") or "").rstrip("/")


def _namespace(subject: str) -> str:
    """The namespace of a subject, which is system:serviceaccount:NAMESPACE:NAME; empty for others."""
    parts = subject.split(":")
    return parts[2] if len(parts) == 4 and parts[:2] == ["system", "serviceaccount"] else ""
