"""What `render` reads of Azure: each cluster and its workspace. Secrets are not read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import collect_findings, raise_for_errors
from azext_amlk8s.daemon_threads import DaemonPool
from azext_amlk8s.operations.setup_inputs import (
    READ_THREADS,
    Clients,
    FileSettings,
    extension_versions,
    plain_settings,
)
from azext_amlk8s.setup_files.model import DEFAULT_EXTENSION, ClusterSetup

if TYPE_CHECKING:
    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.computes import RoleNeeded
    from azext_amlk8s.computes.model import AttachRequest
    from azext_amlk8s.rendering import ClusterInput, SecretReference
    from azext_amlk8s.rules import Finding
    from azext_amlk8s.settings import ClusterFacts, Dependency, Settings

CERTIFICATE_PARTS = ("certificate", "key")
# What the planner says about an error that is only about one cluster.
UNREADABLE = (
    "AzureConnectionError",
    "AzureResponseError",
    "AzureInternalError",
    "UnauthorizedError",
    "CLIInternalError",
)
Resource = Mapping[str, Any]


def read_cluster_inputs(clients: Clients, clusters: Sequence[ClusterSetup]) -> list[ClusterInput]:
    """What is rendered for each cluster, in order. Raises ValidationError with the errors of all clusters."""
    with DaemonPool(max(1, min(READ_THREADS, len(clusters)))) as pool:
        results = list(pool.map(lambda cluster_setup: _read_input(clients, cluster_setup), clusters))
    raise_for_errors(finding for _, findings in results for finding in findings)
    return [found for found, _ in results if found]


def _read_input(clients: Clients, cluster_setup: ClusterSetup) -> tuple[ClusterInput | None, list[Finding]]:
    from azext_amlk8s.operations.boundary import as_az_error, error_texts
    from azext_amlk8s.rules import Severity
    from azext_amlk8s.setup_files.plan import cannot_plan

    found: ClusterInput | None = None
    with collect_findings() as findings:
        try:
            found = _cluster_input(clients, cluster_setup)
        except Exception as raised:  # pylint: disable=broad-exception-caught
            error = as_az_error(raised, "")
            if type(error).__name__ in UNREADABLE:
                raise error from raised
            if not any(finding.severity is Severity.ERROR for finding in findings):
                findings += cannot_plan(cluster_setup.cluster.name, *error_texts(error))
    return found, [_with_place(finding, cluster_setup) for finding in findings]


def _with_place(finding: Finding, cluster_setup: ClusterSetup) -> Finding:
    """A finding in terms of the setup file, with its place there."""
    from azext_amlk8s.setup_files.file_terms import in_terms_of_file, place_of_finding

    own = in_terms_of_file(finding)
    place = place_of_finding(finding, cluster_setup)
    return replace(own, message=f"{place}: {own.message}") if place else own


def _cluster_input(clients: Clients, cluster_setup: ClusterSetup) -> ClusterInput:
    from azext_amlk8s.computes import check_request, roles_on_cluster
    from azext_amlk8s.operations.settings import read_cluster_facts
    from azext_amlk8s.operations.setup_parts import attach_request
    from azext_amlk8s.rendering import ClusterInput
    from azext_amlk8s.settings import Settings

    client = clients.of(cluster_setup.cluster.subscription)
    secrets = _with_vaults(secrets_of(cluster_setup), client)
    settings, findings = _read_settings(cluster_setup, secrets)
    if cluster_setup.extension is None:
        settings = Settings()
    resource, _, facts = read_cluster_facts(client, settings, cluster_setup.cluster)
    body, needs = _extension_request(cluster_setup, settings, facts, findings)
    request: AttachRequest | None = None
    workspace: Resource | None = None
    if cluster_setup.compute_name and cluster_setup.workspace is not None:
        request = attach_request(cluster_setup)
        raise_for_errors(check_request(request, cluster_setup.workspace.subscription))
        workspace = _read_workspace(clients.of(cluster_setup.workspace.subscription), request)
    roles: tuple[RoleNeeded, ...] = ()
    if workspace is not None and cluster_setup.roles == "ensure":
        roles = roles_on_cluster(workspace, cluster_setup.cluster, resource)
    name = str((cluster_setup.extension or {}).get("name") or DEFAULT_EXTENSION)
    return ClusterInput(facts, name, body, needs, tuple(secrets), request, workspace, roles)


def secrets_of(cluster_setup: ClusterSetup) -> list[SecretReference]:
    """The secrets of the extension of a cluster, by the names under which they are sent."""
    from azext_amlk8s.rendering import FILE, KEY_VAULT, SecretReference
    from azext_amlk8s.settings.certificate_files import SENT_AS
    from azext_amlk8s.settings.schema import canonical_name

    part = cluster_setup.extension or {}
    tls = part.get("tls") or {}
    secrets = []
    for key, reference in (part.get("protected_settings") or {}).items():
        name = canonical_name(key)
        (kind, source), *_ = reference.items()
        secrets.append(SecretReference(SENT_AS.get(name, name), kind, str(source), encoded=name in SENT_AS))
    certificate_keys = dict(zip(SENT_AS.values(), CERTIFICATE_PARTS, strict=True))
    if files := tls.get("files"):
        paths = {key: str(files[name]) for key, name in certificate_keys.items()}
        secrets += [SecretReference(key, FILE, path, encoded=True) for key, path in paths.items()]
    elif url := tls.get("key_vault_certificate"):
        secrets += [SecretReference(key, KEY_VAULT, str(url), encoded=True, is_part=True) for key in certificate_keys]
    return secrets


def _read_settings(cluster_setup: ClusterSetup, secrets: Sequence[SecretReference]) -> tuple[Settings, list[Finding]]:
    """The settings of the extension with blanks in place of secrets, and findings.

    Certificate files are read only where the setup names no host for the endpoints.
    """
    from azext_amlk8s.settings import BLANK, Settings
    from azext_amlk8s.settings.certificate_files import SENT_AS

    tls = (cluster_setup.extension or {}).get("tls") or {}
    plain = plain_settings(cluster_setup)
    given: Mapping[str, str] = {}
    if "files" in tls and "sslCname" not in plain:
        given = {key: str(tls["files"][name]) for key, name in zip(SENT_AS, CERTIFICATE_PARTS, strict=True)}
    settings, findings = FileSettings(plain=plain, protected=given, place=cluster_setup.place).read()
    blanks = {secret.key: BLANK for secret in secrets}
    return Settings(settings.config, {**settings.protected, **blanks}), findings


def _with_vaults(secrets: Sequence[SecretReference], client: AzureClient) -> list[SecretReference]:
    """The secrets, each with the resource ID of its key vault where the vault is found in the subscription."""
    from azure.core.exceptions import HttpResponseError
    from knack.log import get_logger

    if not any(secret.vault for secret in secrets):
        return list(secrets)
    ids: dict[str, str] = {}
    with suppress(HttpResponseError):
        vaults = client.list_resources("Microsoft.KeyVault/vaults")
        ids = {str(vault["name"]).lower(): str(vault["id"]) for vault in vaults}
    for name in dict.fromkeys(secret.vault[0] for secret in secrets if secret.vault):
        if name.lower() not in ids:
            get_logger(__name__).warning(
                "Key vault '%s' not found in subscription %s: fill in its resource group.", name, client.subscription_id
            )
    return [
        replace(secret, vault_id=ids.get(secret.vault[0].lower(), "")) if secret.vault else secret for secret in secrets
    ]


def _extension_request(
    cluster_setup: ClusterSetup, settings: Settings, facts: ClusterFacts, findings: list[Finding]
) -> tuple[dict[str, Any] | None, tuple[Dependency, ...]]:
    """The PUT body of the extension with blanks in place of secrets, and the Azure resources that it needs.

    Raises ValidationError with the findings of the rules about settings and the cluster.
    """
    from azext_amlk8s.operations.setting_options import version_findings
    from azext_amlk8s.settings import (
        BLANK,
        build_create_body,
        evaluate_cluster_rules,
        evaluate_rules,
        merge_settings,
        needed_resources,
        redact_body,
    )

    if cluster_setup.extension is None:
        return None, ()
    version = extension_versions(cluster_setup)
    rules = (evaluate_rules(settings), version_findings(version), evaluate_cluster_rules(settings, facts))
    raise_for_errors(findings, *rules)
    needs = needed_resources(settings, facts)
    for need in needs:
        settings = merge_settings(settings, need.settings(None, BLANK))
    return redact_body(build_create_body(settings, facts, **version)), needs


def _read_workspace(client: AzureClient, request: AttachRequest) -> Resource:
    from azext_amlk8s.operations.compute_errors import not_found, workspace_not_found

    try:
        return client.get_workspace(request.workspace)
    except not_found() as error:
        raise workspace_not_found(error, request.workspace) from error
