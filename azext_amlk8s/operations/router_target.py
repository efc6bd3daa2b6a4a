"""The inference router whose certificate is shown or replaced, and the description of its certificates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error
from azext_amlk8s.operations.extension_common import open_named_extension
from azext_amlk8s.operations.failure_context import connect_to_cluster
from azext_amlk8s.operations.router_certificate import (
    GivenCertificate,
    ServedCertificate,
    is_http,
    read_given_certificate,
    read_served_certificate,
    serves_https,
)
from azext_amlk8s.refs import ExtensionRef
from azext_amlk8s.settings.certificate_material import describe_chain

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.operations.certificate_sources import Source
    from azext_amlk8s.settings import Deployed


@dataclass(frozen=True)
class Target:
    """The router whose certificate is shown or replaced. cluster is None where it cannot be reached; note says why."""

    client: AzureClient
    extension: ExtensionRef
    existing: Mapping[str, Any]
    deployed: Deployed
    cluster: Cluster | None
    note: str

    @property
    def host(self) -> str:
        """The host name of the router, sslCname."""
        return self.deployed.settings().get("sslCname")

    def read_given(self) -> GivenCertificate:
        """The certificate that the router was given. Raises ClusterUnreachable."""
        return read_given_certificate(self.cluster, self.deployed, self.extension.name)

    def read_served(self, address: str | None) -> ServedCertificate:
        """The certificate that the router serves, at an address or at that of its service."""
        return read_served_certificate(self.cluster, self.host, address)

    def connection(self) -> Cluster:
        """The connection to the cluster. Raises AzureConnectionError where there is none."""
        if self.cluster is None:
            raise _unreachable(self)
        return self.cluster


def find_target(
    cmd: AzCliCommand,
    resource_group_name: str,
    cluster_name: str,
    cluster_type: str | None,
    name: str | None,
    kubeconfig: str | None,
    context: str | None,
) -> Target:
    """The router. Raises ResourceNotFoundError for no extension, ValidationError for one that does not serve HTTPS."""
    from azext_amlk8s.settings import read_deployed

    client, extension, existing = open_named_extension(cmd, resource_group_name, cluster_name, cluster_type, name)
    deployed = read_deployed(existing)
    if not serves_https(deployed):
        raise _no_certificate(extension, deployed)
    cluster, note = connect_to_cluster(client, extension.cluster, kubeconfig, context)
    return Target(client, extension, existing, deployed, cluster, note)


def describe(
    target: Target, given: GivenCertificate, served: ServedCertificate, candidate: Source | None = None
) -> dict[str, Any]:
    """The result of the commands: host, given, served and their match, with public parts of certificates alone."""
    now = datetime.now(timezone.utc)
    chain = served.chain
    given_chain = given.material.chain if given.material else []
    result = {
        "extension": target.extension.name,
        "host": target.host or None,
        "given": {
            "source": given.source,
            **(describe_chain(given_chain, now) if given_chain else {"unavailable": given.note}),
        },
        "served": {
            "address": served.address or None,
            **(describe_chain(chain, now) if chain else {"unavailable": served.note}),
        },
        "matches": given_chain[0] == chain[0] if given_chain and chain else None,
    }
    if candidate:
        result["candidate"] = {"source": candidate.description, **describe_chain(candidate.material.chain, now)}
    return result


def _no_certificate(extension: ExtensionRef, deployed: Deployed) -> Exception:
    files = "--config-protected sslCertPemFile=cert.pem sslKeyPemFile=key.pem"
    if not deployed.settings().is_enabled("enableInference"):
        message = f"Extension '{extension.name}' has inference disabled; it has no router and no certificate."
        return az_error("ValidationError", message)
    reason = "allowInsecureConnections is True" if is_http(deployed) else "it has no certificate"
    message = f"The router of extension '{extension.name}' serves HTTP: {reason}."
    update = f"az amlk8s extension update {extension.cli_args} --config allowInsecureConnections=False sslCname=HOST"
    return az_error("ValidationError", message, [f"{update} {files}"])


def _unreachable(target: Target) -> Exception:
    cluster = target.extension.cluster
    fixes = ["Name a context of the kubeconfig that leads to the cluster with --context."]
    if not cluster.is_aks:
        fixes.insert(0, f"az connectedk8s proxy {cluster.az_args}")
    return az_error("AzureConnectionError", target.note or "The cluster cannot be reached.", fixes)
