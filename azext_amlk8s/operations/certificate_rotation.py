"""The replacement of the certificate of the inference router by another one that has been validated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error, confirm
from azext_amlk8s.operations import kept_certificates
from azext_amlk8s.operations.extension_common import RunOptions, state_of
from azext_amlk8s.operations.router_certificate import GivenCertificate, ServedCertificate
from azext_amlk8s.operations.router_target import Target, describe
from azext_amlk8s.settings.certificate_material import describe_chain

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand
    from cryptography import x509

    from azext_amlk8s.operations.certificate_sources import Source
    from azext_amlk8s.rules import Finding
    from azext_amlk8s.settings.certificate_material import Material


@dataclass(frozen=True)
class Rotation:
    """A rotation that has been validated; findings are those that were reported."""

    cmd: AzCliCommand
    target: Target
    given: GivenCertificate
    new: Source
    address: str | None
    timeout: int
    findings: Sequence[Finding] = ()

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
        self.keep_old()
        self._send()
        served = self.finish()
        result = describe(self.target, GivenCertificate(self._new_secret, self.new.material), served)
        return {**result, "rollback": self._rollback_command if self._can_roll_back else None}

    def keep_old(self) -> None:
        """Keep the old certificate in the cluster for a rollback, before another one is sent."""
        if self._replaced:
            kept_certificates.keep(self.target.connection(), self._replaced, self.given.source, replaced=True)

    def known_protected(self) -> dict[str, str]:
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

    def finish(self) -> ServedCertificate:
        """Wait until the router serves the new certificate. Raises DeploymentError where it serves another one."""
        served = self._wait()
        if self.target.cluster is not None and (self.given.secret or self._can_roll_back):
            kept_certificates.forget_others(self.target.cluster, self.new.material)
        return served

    @property
    def _new_secret(self) -> str:
        return kept_certificates.secret_name(self.new.material) if self.given.secret else ""

    @cached_property
    def _replaced(self) -> Material | None:
        """The old certificate where it can be kept: it was read from the cluster, and is another one than the new."""
        old = self.given.material
        if self.target.cluster is None or old is None or old.fingerprint in ("", self.new.material.fingerprint):
            return None
        return old

    @cached_property
    def _can_roll_back(self) -> bool:
        """Whether the old certificate is kept, or one before it."""
        cluster = self.target.cluster
        if cluster is None:
            return False
        return (
            bool(self._replaced)
            or kept_certificates.previous_certificate(cluster, self.new.material.fingerprint) is not None
        )

    @property
    def _rollback_command(self) -> str:
        return f"az amlk8s extension certificate rotate {self.target.extension.cli_args} --rollback"

    def _served(self) -> ServedCertificate:
        return self.target.read_served(self.address)

    def _serves_new(self, served: ServedCertificate) -> bool:
        return bool(served.der) and served.fingerprint == self.new.material.fingerprint

    def _is_done(self, served: ServedCertificate) -> bool:
        """Whether the router was given this certificate, and serves it or cannot be asked."""
        is_given = self.new.material.equals(self.given.material)
        is_served = self._serves_new(served) or not served.der
        return is_given and is_served and state_of(self.target.existing).lower() == "succeeded"

    def _writes(self) -> list[str]:
        secrets = []
        if self._replaced:
            secrets.append(f"secret {kept_certificates.NAMESPACE}/{kept_certificates.secret_name(self._replaced)}")
        if self.given.secret:
            secrets.append(f"secret {kept_certificates.NAMESPACE}/{self._new_secret}")
            return [*secrets, "sslSecret of the extension"]
        return [*secrets, "protected settings of the extension, all of them"]

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

    def _send(self) -> None:
        from azure.cli.core.azclierror import DeploymentError

        from azext_amlk8s.operations.extension_update import update_extension
        from azext_amlk8s.operations.setting_options import SettingOptions, VersionOptions

        target, material = self.target, self.new.material
        if self.given.secret:
            secret = kept_certificates.keep(target.connection(), material, self.new.description)
            options = SettingOptions(config=[f"sslSecret={secret}"])
        else:
            files = {"sslCertPemFile": material.certificate, "sslKeyPemFile": material.key}
            options = SettingOptions(config_protected=[f"{key}={pem.decode('ascii')}" for key, pem in files.items()])
        run = RunOptions(target.extension.name, timeout=self.timeout, yes=True)
        try:
            connect = (target.client, target.extension.cluster)
            update_extension(
                self.cmd,
                lambda: connect,
                options,
                VersionOptions().values(),
                run,
                self.known_protected(),
                reported=self.findings,
            )
        except DeploymentError as error:
            if self._can_roll_back:
                error.recommendations.append(self._rollback_command)
            raise

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


def _summary(chain: list[x509.Certificate], now: datetime) -> str:
    public = describe_chain(chain, now)
    names = ", ".join(public["names"]) or public["subject"]
    return f"{names}, issued by {public['issuer']}, expires {public['notAfter'][:10]}, SHA-256 {public['sha256'][:16]}…"
