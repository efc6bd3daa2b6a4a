"""az amlk8s extension certificate show and rotate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error, confirm, log_findings, raise_for_errors
from azext_amlk8s.operations import kept_certificates
from azext_amlk8s.operations.certificate_sources import ONE_OF, CertificateOptions, Source, read_source
from azext_amlk8s.operations.extension_common import (
    DEFAULT_TIMEOUT_SECONDS,
    RunOptions,
    open_named_extension,
    state_of,
)
from azext_amlk8s.operations.failure_context import connect_to_cluster
from azext_amlk8s.operations.option_groups import group_options
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
    from cryptography import x509

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.rules import Finding
    from azext_amlk8s.settings import Deployed
    from azext_amlk8s.settings.certificate_material import Material

with_certificate_options = group_options("source", CertificateOptions)


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

    def connection(self) -> Cluster:
        """The connection to the cluster. Raises AzureConnectionError where there is none."""
        if self.cluster is None:
            raise _unreachable(self)
        return self.cluster


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
    target = _find(cmd, resource_group_name, cluster_name, cluster_type, name, kubeconfig, context)
    given = read_given_certificate(target.cluster, target.deployed, target.extension.name)
    served = read_served_certificate(target.cluster, target.host, address)
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
    target = _find(cmd, resource_group_name, cluster_name, cluster_type, name, kubeconfig, context)
    given = read_given_certificate(target.cluster, target.deployed, target.extension.name)
    new = _previous(target, given) if rollback else read_source(source, target.client, target.connection)
    raise_for_errors(_examine(target, new))
    if given.secret:
        target.connection()
    rotation = _Rotation(cmd, target, given, new, address, timeout or DEFAULT_TIMEOUT_SECONDS)
    if dry_run:
        return rotation.plan()
    return rotation.run(yes=yes)


@dataclass(frozen=True)
class _Rotation:
    """A rotation that has been validated."""

    cmd: AzCliCommand
    target: Target
    given: GivenCertificate
    new: Source
    address: str | None
    timeout: int

    def plan(self) -> dict[str, Any]:
        """What would be done, without secrets."""
        target, served = self.target, self._served()
        is_done = self._is_done(served)
        return {
            "action": "none" if is_done else "rotate",
            **describe(target, self.given, served, self.new),
            "writes": [] if is_done else self._writes(),
            "rollback": self._can_roll_back,
        }

    def run(self, *, yes: bool) -> dict[str, Any]:
        """Rotate. Raises DeploymentError where the router does not serve the certificate in the end."""
        from knack.log import get_logger

        log, served = get_logger(__name__), self._served()
        if self._is_done(served):
            log.warning("The router already serves this certificate; nothing was changed.")
            return describe(self.target, self.given, served)
        for line in self._announcement(served):
            log.warning("%s", line)
        question = f"Replace the certificate of the inference router on cluster '{self.target.extension.cluster.name}'?"
        confirm(self.cmd, question, yes, refusal="Not replaced")
        self._keep_old()
        self._send()
        served = self._wait()
        if self.target.cluster is not None and (self.given.secret or self._can_roll_back):
            kept_certificates.forget_others(self.target.cluster, self.new.material)
        result = describe(self.target, GivenCertificate(self._new_secret, self.new.material), served)
        return {**result, "rollback": self._rollback_command if self._can_roll_back else None}

    @property
    def _new_secret(self) -> str:
        return kept_certificates.secret_name(self.new.material) if self.given.secret else ""

    @property
    def _can_roll_back(self) -> bool:
        old = self.given.material
        if self.target.cluster is None:
            return False
        if old is not None and old.fingerprint and old.fingerprint != self.new.material.fingerprint:
            return True
        return kept_certificates.previous_certificate(self.target.cluster, self.new.material.fingerprint) is not None

    @property
    def _rollback_command(self) -> str:
        return f"az amlk8s extension certificate rotate {self.target.extension.cli_args} --rollback"

    def _served(self) -> ServedCertificate:
        return read_served_certificate(self.target.cluster, self.target.host, self.address)

    def _serves_new(self, served: ServedCertificate) -> bool:
        return bool(served.der) and fingerprint_of(served) == self.new.material.fingerprint

    def _is_done(self, served: ServedCertificate) -> bool:
        """Whether the router was given this certificate, and serves it or cannot be asked."""
        is_given = self.new.material.equals(self.given.material)
        is_served = self._serves_new(served) or not served.der
        return is_given and is_served and state_of(dict(self.target.existing)).lower() == "succeeded"

    def _writes(self) -> list[str]:
        secrets = []
        if self._keeps_old:
            assert self.given.material is not None
            secrets.append(f"secret {kept_certificates.NAMESPACE}/{kept_certificates.secret_name(self.given.material)}")
        if self.given.secret:
            secrets.append(f"secret {kept_certificates.NAMESPACE}/{self._new_secret}")
            return [*secrets, "sslSecret of the extension"]
        return [*secrets, "protected settings of the extension, all of them"]

    @property
    def _keeps_old(self) -> bool:
        old = self.given.material
        is_other = old is not None and bool(old.fingerprint) and old.fingerprint != self.new.material.fingerprint
        return self.target.cluster is not None and is_other

    def _announcement(self, served: ServedCertificate) -> list[str]:
        now = datetime.now(timezone.utc)
        old = self.given.material.chain if self.given.material else served.chain
        lines = [f"Old certificate ({self.given.source}): {_summary(old, now) if old else self.given.note}"]
        lines.append(f"New certificate ({self.new.description}): {_summary(self.new.material.chain, now)}")
        lines.append("Endpoints keep running: new connections get the new certificate as the pods are replaced.")
        if not self._can_roll_back:
            reason = self.given.note or self.target.note or "its key cannot be read"
            lines.append(f"The old certificate is not kept ({reason}): to return to it you need its files.")
        return lines

    def _keep_old(self) -> None:
        if self._keeps_old:
            assert self.given.material is not None
            kept_certificates.keep(self.target.connection(), self.given.material, self.given.source, replaced=True)

    def _send(self) -> None:
        from azure.cli.core.azclierror import AzCLIError

        from azext_amlk8s.operations.extension_update import update_extension
        from azext_amlk8s.operations.setting_options import SettingOptions

        target, material = self.target, self.new.material
        if self.given.secret:
            secret = kept_certificates.keep(target.connection(), material, self.new.description)
            options = SettingOptions(config=[f"sslSecret={secret}"])
        else:
            files = {"sslCertPemFile": material.certificate, "sslKeyPemFile": material.key}
            options = SettingOptions(config_protected=[f"{key}={pem.decode('ascii')}" for key, pem in files.items()])
        run = RunOptions(target.extension.name, timeout=self.timeout, yes=True)
        versions = {"release_train": None, "version": None, "auto_upgrade": None}
        try:
            connect = (target.client, target.extension.cluster)
            update_extension(self.cmd, lambda: connect, options, versions, run, self._known_protected())
        except AzCLIError as error:
            if type(error).__name__ == "DeploymentError" and self._can_roll_back:
                error.recommendations.append(self._rollback_command)
            raise

    def _known_protected(self) -> dict[str, str]:
        """The protected settings as Helm keeps them in the cluster, for those that Azure does not return."""
        from azext_amlk8s.operations.helm_history import read_release, release_values, value_of
        from azext_amlk8s.registered_secrets import register_secret

        target = self.target
        if target.cluster is None or self.given.secret:
            return {}
        values = release_values(read_release(target.cluster, target.extension.name)[0])
        known = {key: value for key in target.deployed.protected if (value := value_of(values, key))}
        for value in known.values():
            register_secret(value)
        return known

    def _wait(self) -> ServedCertificate:
        """What the router serves once its pods have been replaced. Raises DeploymentError where that is another one."""
        from knack.log import get_logger

        from azext_amlk8s.operations.router_rollout import wait_for_rollout

        served = wait_for_rollout(self.cmd, self.target.cluster, self._served, self._serves_new, self.timeout)
        if self._serves_new(served):
            get_logger(__name__).warning("The router at %s serves the new certificate.", served.address)
        elif served.der:
            fixes = [f"az amlk8s check {self.target.extension.cluster.cli_args}"]
            if self._can_roll_back:
                fixes.append(self._rollback_command)
            message = f"The router at {served.address} still serves another certificate than the new one."
            raise az_error("DeploymentError", message, fixes)
        else:
            get_logger(__name__).warning(
                "The extension has the new certificate. What the router serves was not verified: %s.", served.note
            )
        return served


def describe(
    target: Target, given: GivenCertificate, served: ServedCertificate, candidate: Source | None = None
) -> dict[str, Any]:
    """The result of the commands: host, given, served and their match, with public parts of certificates alone."""
    now = datetime.now(timezone.utc)
    chain = served.chain
    given_chain = given.material.chain if given.material else []
    both = bool(given_chain and chain)
    return {
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
        "matches": given_chain[0] == chain[0] if both else None,
        **(
            {"candidate": {"source": candidate.description, **describe_chain(candidate.material.chain, now)}}
            if candidate
            else {}
        ),
    }


def fingerprint_of(served: ServedCertificate) -> str:
    """SHA-256 of the certificate that is served."""
    import hashlib

    return hashlib.sha256(served.der[0]).hexdigest() if served.der else ""


def _summary(chain: list[x509.Certificate], now: datetime) -> str:
    public = describe_chain(chain, now)
    names = ", ".join(public["names"]) or public["subject"]
    return f"{names}, issued by {public['issuer']}, expires {public['notAfter'][:10]}, SHA-256 {public['sha256'][:16]}…"


def _find(
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
