"""Whether the certificate of a setup file is the one that the inference router of a cluster was given.

Azure does not return it. The cluster has it, and its public part is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azext_amlk8s.settings.certificate_material import Material, describe_chain
from azext_amlk8s.setup_files import ClusterSetup
from azext_amlk8s.setup_files.plan import Change

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.operations.certificate_rotation import Rotation
    from azext_amlk8s.operations.setup_secrets import VaultReader

# The key of a setup file under which a renewed certificate is shown.
TLS = "tls.certificate"
NOT_COMPARED = "the certificate was not compared"


def certificate_change(
    cluster_setup: ClusterSetup,
    existing: Mapping[str, Any],
    vaults: VaultReader,
    connect: Callable[[], tuple[Cluster | None, str]],
) -> tuple[Change | None, str]:
    """The change from the certificate that an extension has to that of the file, by public fingerprint; None for none.

    The text says why they could not be compared; it is empty where they were, or where the file has no certificate.
    """
    from azext_amlk8s.kubernetes import ClusterError
    from azext_amlk8s.operations.router_certificate import SENT, read_given_certificate
    from azext_amlk8s.settings import read_deployed

    deployed = read_deployed(existing)
    if not _has_certificate(cluster_setup) or not set(SENT) <= set(deployed.protected):
        return None, ""
    wanted = _wanted(cluster_setup, vaults)
    if isinstance(wanted, str):
        return None, f"{NOT_COMPARED}: {wanted}"
    connection, note = connect()
    if connection is None:
        return None, f"{NOT_COMPARED}. {note}"
    try:
        given = read_given_certificate(connection, deployed, str(existing["name"]))
    except ClusterError as error:
        return None, f"{NOT_COMPARED}: {error}"
    if given.material is None or not given.material.fingerprint:
        return None, f"{NOT_COMPARED}: {given.note or 'that of the cluster cannot be read'}"
    if given.material.fingerprint == wanted.fingerprint:
        return None, ""
    return Change(TLS, _described(given.material), _described(wanted)), ""


def renewal(
    cmd: AzCliCommand,
    client: AzureClient,
    cluster_setup: ClusterSetup,
    existing: Mapping[str, Any],
    vaults: VaultReader,
    connection: Cluster | None,
    timeout: int,
) -> Rotation | None:
    """The replacement of the certificate that an extension has by that of the file; None where it cannot be followed.

    Only what is around the update: the old certificate is kept, and what the router then serves is compared.
    """
    from azext_amlk8s.operations.certificate_rotation import Rotation
    from azext_amlk8s.operations.certificate_sources import Source
    from azext_amlk8s.operations.router_target import Target
    from azext_amlk8s.refs import ExtensionRef
    from azext_amlk8s.settings import read_deployed

    wanted = _wanted(cluster_setup, vaults)
    if connection is None or isinstance(wanted, str):
        return None
    extension = ExtensionRef(cluster_setup.cluster, str(existing["name"]))
    target = Target(client, extension, existing, read_deployed(existing), connection, "")
    return Rotation(cmd, target, target.read_given(), Source("the setup file", wanted), None, timeout)


def _has_certificate(cluster_setup: ClusterSetup) -> bool:
    tls = (cluster_setup.extension or {}).get("tls") or {}
    return "files" in tls or "key_vault_certificate" in tls


def _wanted(cluster_setup: ClusterSetup, vaults: VaultReader) -> Material | str:
    """The certificate of the file, or why it cannot be read."""
    from azure.cli.core.azclierror import AzCLIError

    from azext_amlk8s.console.errors import collect_findings
    from azext_amlk8s.operations.setup_secrets import read_certificate

    files = (cluster_setup.extension or {})["tls"].get("files")
    try:
        if files:
            names = (str(files[name]) for name in ("certificate", "key"))
            material = Material(*(Path(name).expanduser().read_bytes() for name in names))
        else:
            with collect_findings() as findings:
                try:
                    material = Material(*(part.encode() for part in read_certificate(cluster_setup, vaults)))
                except AzCLIError as error:
                    return findings[0].message if findings else str(error)
    except OSError as error:
        return f"'{error.filename}' cannot be read: {str(error.strerror).lower()}"
    return material if material.fingerprint else "the file has no certificate in PEM format"


def _described(material: Material) -> str:
    public = describe_chain(material.chain, datetime.now(timezone.utc))
    return f"SHA-256 {public['sha256'][:16]}..., expires {public['expires']}"
