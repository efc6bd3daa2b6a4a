"""What the commands on setup files read before they plan: files, clusters of selectors, settings, secrets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import raise_for_errors
from azext_amlk8s.daemon_threads import DaemonPool, import_before_threads
from azext_amlk8s.operations.setting_options import SettingOptions
from azext_amlk8s.refs import CONNECTED_CLUSTERS, MANAGED_CLUSTERS, ClusterRef
from azext_amlk8s.setup_files import ClusterEntry, ClusterSetup, Selector, Setup

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.azure.remembering_client import RememberingClient
    from azext_amlk8s.instance_types.documents import Text
    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.operations.setup_secrets import VaultReader
    from azext_amlk8s.rules import Finding
    from azext_amlk8s.settings import Settings

READ_THREADS = 16


class Clients:
    """One client for each subscription; planning ones never write. vaults reads what the files refer to, once.

    With `before`, the clients of the plan that is applied, neither secrets nor credentials of clusters are read again,
    nor, for some minutes, resources that were missing.
    """

    def __init__(self, cmd: AzCliCommand, *, planning: bool, before: Clients | None = None) -> None:
        from azext_amlk8s.azure.extensions_client import extensions_client
        from azext_amlk8s.operations.setup_secrets import VaultReader

        import_before_threads("azext_amlk8s.checks", "azext_amlk8s.diagnosis", "azext_amlk8s.kubernetes")
        if not planning:
            extensions_client()  # imports the SDK
        self._cli_ctx, self._planning, self._before = cmd.cli_ctx, planning, before
        self._clients: dict[str, RememberingClient] = {}
        self.vaults: VaultReader = before.vaults if before else VaultReader(cmd.cli_ctx)
        self._lock = Lock()

    def of(self, subscription: str | None) -> RememberingClient:
        """The client of a subscription; None is that of az."""
        from azext_amlk8s.azure.fleet_client import FleetClient
        from azext_amlk8s.azure.snapshot_client import SnapshotClient

        with self._lock:
            key = (subscription or "").lower()
            if key not in self._clients:
                kind = SnapshotClient if self._planning else FleetClient
                self._clients[key] = kind(self._cli_ctx, subscription)
                if self._before:
                    self._clients[key].take_over(self._before.of(subscription))
            return self._clients[key]

    def connect(self, cluster_setup: ClusterSetup) -> tuple[Cluster | None, str]:
        """The connection to a cluster, the same until it is released; or None and a sentence that says why not."""
        from azext_amlk8s.operations.failure_context import connect_to_cluster

        cluster = cluster_setup.cluster
        return connect_to_cluster(self.of(cluster.subscription), cluster, context=cluster_setup.context or None)

    def release(self, cluster_setup: ClusterSetup) -> None:
        """Close the connections to a cluster that is done with, and forget its credentials."""
        self.of(cluster_setup.cluster.subscription).release(cluster_setup.cluster)


@dataclass(frozen=True)
class FileSettings(SettingOptions):
    """The extension settings of a setup file, in place of those of options."""

    plain: Mapping[str, Any] = field(default_factory=dict)
    protected: Mapping[str, str] = field(default_factory=dict)
    place: str = ""

    def read_with_paths(self) -> tuple[Settings, list[Finding]]:
        """The settings with the paths of PEM files, and the findings on them."""
        from azext_amlk8s.settings import Document, read_settings

        plain = Document(self.place, json.dumps(self.plain)) if self.plain else None
        protected = Document(self.place, json.dumps(self.protected)) if self.protected else None
        settings, findings = read_settings((), (), config_file=plain, protected_file=protected)
        return settings, list(findings)


def load_clusters(
    cmd: AzCliCommand, texts: Iterable[Text], clients: Clients, *, with_former: bool = False
) -> tuple[list[Setup], list[ClusterSetup]]:
    """The setups of files, and what each of their clusters must have. Raises ValidationError with all errors.

    with_former: also what belongs to the setups in Azure although their files no longer have it.
    """
    from azext_amlk8s.setup_files import check_all, read_setups, resolve_clusters

    subscription = clients.of(None).subscription_id
    setups, findings = read_setups(texts, subscription)
    raise_for_errors(findings)
    clusters: list[ClusterSetup] = []
    found: list[Finding] = []
    for setup in setups:
        entries, more = _find_clusters(setup, subscription, clients)
        resolved, others = resolve_clusters(setup, entries, subscription)
        clusters += resolved
        found += [*more, *others]
    raise_for_errors(found, check_all(clusters))
    if not with_former:
        return list(setups), clusters
    return list(setups), [
        cluster
        for setup in setups
        for cluster in _with_former(
            setup, [each for each in clusters if each.setup == setup.name], clients, subscription
        )
    ]


def _with_former(
    setup: Setup, clusters: Sequence[ClusterSetup], clients: Clients, subscription: str
) -> Sequence[ClusterSetup]:
    """The clusters, and what carries the tag of the setup in its workspace although its files no longer have it."""
    from azure.core.exceptions import AzureError

    from azext_amlk8s.setup_files import with_former_computes, workspace_of

    workspace = workspace_of(setup, subscription)
    if workspace is None:
        return clusters
    try:
        computes = clients.of(workspace.subscription).list_computes(workspace)
    except AzureError:  # planning reports it
        return clusters
    return with_former_computes(setup, clusters, workspace, computes)


def extension_settings(
    cluster_setup: ClusterSetup,
    deployed: Iterable[str],
    vaults: VaultReader,
    *,
    send_secrets: bool = False,
    reset: Iterable[str] = (),
) -> FileSettings:
    """The settings of the extension of a cluster. deployed are the names of its protected settings; reset are settings
    that the files no longer have and that get their defaults again.

    Secrets are left out where all of them are deployed already, unless send_secrets: their values cannot be compared.
    """
    from azext_amlk8s.operations.setup_secrets import read_certificate, read_secret
    from azext_amlk8s.settings.certificate_files import SENT_AS
    from azext_amlk8s.settings.schema import canonical_name

    part = cluster_setup.extension or {}
    tls = part.get("tls") or {}
    plain = {**plain_settings(cluster_setup), **dict.fromkeys(reset, "")}
    names = {key: canonical_name(key) for key in part.get("protected_settings") or {}}
    has_certificate = "files" in tls or "key_vault_certificate" in tls
    sent = {SENT_AS.get(name, name) for name in (*names.values(), *(SENT_AS if has_certificate else ()))}
    if not send_secrets and sent and sent <= set(deployed):
        return FileSettings(plain=plain, place=cluster_setup.place)
    secrets = {key: read_secret(cluster_setup, key, vaults) for key in names}
    if "files" in tls:
        secrets |= {"sslCertPemFile": str(tls["files"]["certificate"]), "sslKeyPemFile": str(tls["files"]["key"])}
    elif has_certificate:
        secrets |= dict(zip(SENT_AS, read_certificate(cluster_setup, vaults), strict=True))
    return FileSettings(plain=plain, protected=secrets, place=cluster_setup.place)


def plain_settings(cluster_setup: ClusterSetup) -> dict[str, Any]:
    """The plain settings of the extension, those of tls included, as the files spell them."""
    part = cluster_setup.extension or {}
    tls = part.get("tls") or {}
    plain = dict(part.get("settings") or {})
    if "kubernetes_secret" in tls:
        plain["sslSecret"] = tls["kubernetes_secret"]
    if "cname" in tls:
        plain["sslCname"] = tls["cname"]
    return plain


def extension_versions(cluster_setup: ClusterSetup) -> dict[str, Any]:
    """release_train, version and auto_upgrade of the extension, None where the file does not say."""
    part = cluster_setup.extension or {}
    return {key: part.get(key) for key in ("release_train", "version", "auto_upgrade")}


def _find_clusters(
    setup: Setup, subscription: str, clients: Clients
) -> tuple[list[tuple[ClusterEntry, ClusterRef, Mapping[str, Any]]], list[Finding]]:
    """The clusters of every entry of a setup, with their resources where they matter."""
    from azure.core.exceptions import ResourceNotFoundError

    from azext_amlk8s.setup_files import (
        missing_group,
        needs_resources,
        unclear_cluster,
        unmatched_selector,
        workspace_of,
    )

    workspace = workspace_of(setup, subscription)
    default = workspace.subscription if workspace else subscription
    reads_resources = needs_resources(setup)
    found: list[tuple[ClusterEntry, ClusterRef, Mapping[str, Any]]] = []
    findings: list[Finding] = []
    with DaemonPool(READ_THREADS) as pool:
        named = [entry for entry in setup.clusters if entry.cluster]
        resources = list(pool.map(lambda entry: _read(clients, entry.cluster), named)) if reads_resources else []
    known = {entry.place: resource for entry, resource in zip(named, resources, strict=False)}
    for entry in setup.clusters:
        if entry.cluster:
            found.append((entry, entry.cluster, known.get(entry.place) or {}))
        elif entry.selector:
            try:
                matches = _select(clients.of(entry.selector.subscription or default), entry.selector)
            except ResourceNotFoundError:
                if not entry.selector.resource_group:
                    raise
                findings += missing_group(entry.place, entry.selector.resource_group)
                continue
            found += [(entry, cluster, resource) for cluster, resource in matches]
            if entry.is_named:
                findings += unclear_cluster(entry.place, entry.selector, [cluster.type for cluster, _ in matches])
            elif not matches:
                findings += unmatched_selector(entry.place, entry.selector)
    return found, findings


def _read(clients: Clients, cluster: ClusterRef | None) -> Mapping[str, Any]:
    """A cluster, empty where it cannot be read; planning reports why."""
    from azure.core.exceptions import AzureError

    try:
        return clients.of(cluster.subscription).get_cluster(cluster) if cluster else {}
    except AzureError:
        return {}


def _select(client: AzureClient, selector: Selector) -> Sequence[tuple[ClusterRef, Mapping[str, Any]]]:
    """The clusters that a selector matches, by name."""
    scope = f"/subscriptions/{client.subscription_id}"
    if selector.resource_group:
        scope += f"/resourceGroups/{selector.resource_group}"
    kinds = [selector.type] if selector.type else [MANAGED_CLUSTERS, CONNECTED_CLUSTERS]
    resources = [resource for kind in kinds for resource in client.list_clusters(scope, kind)]
    pairs = [(ClusterRef.parse(str(resource["id"])), resource) for resource in resources]
    return sorted(
        ((cluster, resource) for cluster, resource in pairs if selector.matches(cluster, resource)),
        key=lambda pair: pair[0].id.lower(),
    )
