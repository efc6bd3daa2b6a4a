"""az amlk8s extension certificate show and rotate."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error, log_findings, raise_for_errors
from azext_amlk8s.operations import kept_certificates
from azext_amlk8s.operations.certificate_rotation import Rotation
from azext_amlk8s.operations.certificate_sources import ONE_OF, CertificateOptions, Source, read_source
from azext_amlk8s.operations.extension_common import DEFAULT_TIMEOUT_SECONDS
from azext_amlk8s.operations.option_groups import group_options
from azext_amlk8s.operations.router_certificate import GivenCertificate
from azext_amlk8s.operations.router_target import Target, describe, find_target
from azext_amlk8s.refs import ExtensionRef

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.rules import Finding
    from azext_amlk8s.settings.certificate_material import Material

with_certificate_options = group_options("source", CertificateOptions)


@with_certificate_options
def show(
    cmd: AzCliCommand,
    resource_group_name: str,
    cluster_name: str,
    source: CertificateOptions,
    cluster_type: str | None = None,
    name: str | None = None,
    address: str | None = None,
    kubeconfig: str | None = None,
    context: str | None = None,
) -> dict[str, Any]:
    """The public parts of the certificate that the router was given, and of the one that it serves.

    With a source that certificate is shown as well, as candidate. The exit code is 0 whatever the certificates are.
    """
    source.validate()
    target = find_target(cmd, resource_group_name, cluster_name, cluster_type, name, kubeconfig, context)
    given = target.read_given()
    served = target.read_served(address)
    candidate = None
    if not source.is_empty:
        candidate = read_source(source, target.client, target.connection)
        log_findings(_examine(target, candidate))
    return describe(target, given, served, candidate)


@with_certificate_options
def rotate(
    cmd: AzCliCommand,
    resource_group_name: str,
    cluster_name: str,
    source: CertificateOptions,
    cluster_type: str | None = None,
    name: str | None = None,
    rollback: bool = False,
    address: str | None = None,
    kubeconfig: str | None = None,
    context: str | None = None,
    timeout: int | None = None,
    yes: bool = False,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Give the router another certificate, wait until it serves it, and keep the one before. Returns both.

    Everything is validated before anything is written. An interrupted run is continued by the same command.
    """
    source.validate()
    if source.is_empty and not rollback:
        raise az_error("RequiredArgumentMissingError", f"Specify the new certificate: {ONE_OF}; or --rollback.")
    if rollback and not source.is_empty:
        raise az_error("MutuallyExclusiveArgumentError", "--rollback cannot be combined with another certificate.")
    target = find_target(cmd, resource_group_name, cluster_name, cluster_type, name, kubeconfig, context)
    given = target.read_given()
    new = _previous(target, given) if rollback else read_source(source, target.client, target.connection)
    findings = _examine(target, new)
    raise_for_errors(findings)
    if given.secret:
        target.connection()
    rotation = Rotation(cmd, target, given, new, address, timeout or DEFAULT_TIMEOUT_SECONDS, findings)
    if dry_run:
        return rotation.plan()
    return rotation.run(yes=yes)


def _previous(target: Target, given: GivenCertificate) -> Source:
    """The certificate before the current one. Raises ResourceNotFoundError where none is kept."""
    cluster = target.connection()
    current = given.material.fingerprint if given.material else ""
    found = kept_certificates.previous_certificate(cluster, current)
    if found is None:
        raise az_error(
            "ResourceNotFoundError",
            f"No earlier certificate of the router is kept on cluster '{target.extension.cluster.name}'.",
            [f"az amlk8s extension certificate rotate {target.extension.cli_args} --cert cert.pem --key key.pem"],
        )
    name, material = found
    return Source(f"secret {kept_certificates.NAMESPACE}/{name}", material)


def _examine(target: Target, source: Source) -> list[Finding]:
    """The findings on a new certificate, with fixes that are commands of this extension."""
    from azext_amlk8s.settings import Settings, load_certificate_files

    keys = ("sslCertPemFile", "sslKeyPemFile")
    paths = {key: path for key, path in zip(keys, source.paths, strict=True) if path}
    material: Material = source.material
    contents = dict(zip(keys, (material.certificate, material.key), strict=True))
    settings = Settings({"enableInference": "True", "sslCname": target.host}, paths)
    _, findings = load_certificate_files(settings, contents, datetime.now(timezone.utc))
    return [_with_command(finding, target.extension) for finding in findings]


def _with_command(finding: Finding, extension: ExtensionRef) -> Finding:
    if not finding.fix.startswith("--config sslCname="):
        return finding
    files = "--config-protected sslCertPemFile=cert.pem sslKeyPemFile=key.pem"
    fix = f"az amlk8s extension update {extension.cli_args} {finding.fix} {files}   # endpoints get another host name"
    return replace(finding, fix=fix)
