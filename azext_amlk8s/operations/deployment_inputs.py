"""What a deployment of the extension to many clusters is made of: their inputs, with what is deployed already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azext_amlk8s.operations.render_inputs import read_cluster_inputs
from azext_amlk8s.operations.setup_inputs import Clients, extension_versions
from azext_amlk8s.operations.setup_parts import deployed_extension
from azext_amlk8s.operations.setup_secrets import VaultReader, read_certificate, read_reference
from azext_amlk8s.settings.certificate_files import SENT_AS
from azext_amlk8s.setup_files.plan import CHANGING, CREATE, ClusterPlan

if TYPE_CHECKING:
    from azext_amlk8s.rendering import ClusterInput
    from azext_amlk8s.rendering.engine_deployments import EngineDeployment
    from azext_amlk8s.setup_files import ClusterSetup

Item = tuple["ClusterSetup", ClusterPlan]
Resource = Mapping[str, Any]


def engine_inputs(clients: Clients, items: Sequence[Item]) -> list[ClusterInput]:
    """The inputs of the clusters whose extension a deployment can install or update.

    A PUT replaces the whole extension. So what the setup does not mention is sent as it is deployed; a cluster that has
    protected settings which the setup does not have is left out, as is one with a busy or failed extension.
    """
    changing = [
        (cluster_setup, extension.action)
        for cluster_setup, plan in items
        if (extension := plan.extension) is not None and extension.action in CHANGING
    ]
    inputs = read_cluster_inputs(clients, [cluster_setup for cluster_setup, _ in changing])
    found = []
    for (cluster_setup, action), given in zip(changing, inputs, strict=True):
        own = replace(given, compute=None, workspace=None, roles=())
        client = clients.of(cluster_setup.cluster.subscription)
        merged = (
            own if action == CREATE else _with_deployed(cluster_setup, own, deployed_extension(client, cluster_setup))
        )
        found += [merged] if merged else []
    return found


def read_secrets(deployment: EngineDeployment, vaults: VaultReader, items: Sequence[Item]) -> dict[str, str]:
    """The values of the secure parameters of a deployment. Raises ValidationError where one cannot be read.

    A certificate of a key vault has its key in the same secret.
    """
    values = {}
    for name, secret in deployment.secrets.items():
        owner = next(
            (cluster_setup for cluster_setup, _ in items if _certificate_of(cluster_setup) == secret.source), None
        )
        if owner is not None and secret.encoded:
            values[name] = dict(zip(SENT_AS.values(), read_certificate(owner, vaults), strict=True))[secret.key]
        else:
            values[name] = read_reference("", secret.key, {secret.kind: secret.source}, vaults)
    return values


def _certificate_of(cluster_setup: ClusterSetup) -> str:
    """The URL of the certificate of a setup in a key vault, empty for none."""
    return str(((cluster_setup.extension or {}).get("tls") or {}).get("key_vault_certificate") or "")


def _with_deployed(cluster_setup: ClusterSetup, given: ClusterInput, existing: Resource | None) -> ClusterInput | None:
    """The input with what is deployed and not mentioned, None where that cannot be sent."""
    from azext_amlk8s.settings import read_deployed

    assert given.extension is not None
    if existing is None:
        return None
    deployed, properties = read_deployed(existing), given.extension["properties"]
    if deployed.state.lower() != "succeeded":
        return None
    if not deployed.protected <= set(properties.get("configurationProtectedSettings") or {}):
        return None
    before = (existing.get("properties") or {}).get("configurationSettings") or {}
    kept = {key: str(value) for key, value in before.items() if value not in (None, "")}
    merged = {**properties, "configurationSettings": {**kept, **properties["configurationSettings"]}}
    return replace(
        given,
        extension_name=str(existing["name"]),
        extension={**given.extension, "properties": {**merged, **_kept_version(cluster_setup, existing)}},
    )


def _kept_version(cluster_setup: ClusterSetup, existing: Resource) -> dict[str, Any]:
    """The release train and the version of an extension, where the setup names none."""
    deployed, given = existing.get("properties") or {}, extension_versions(cluster_setup)
    kept: dict[str, Any] = {}
    if given["release_train"] is None and deployed.get("releaseTrain"):
        kept["releaseTrain"] = deployed["releaseTrain"]
    if given["version"] is None and given["auto_upgrade"] is None and not deployed.get("autoUpgradeMinorVersion", True):
        version = deployed.get("version") or deployed.get("currentVersion")
        kept |= {"version": version, "autoUpgradeMinorVersion": False}
    return kept
