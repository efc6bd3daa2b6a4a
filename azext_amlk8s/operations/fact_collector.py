"""Collects the facts that checks look at, in parallel, each once and only those that are needed. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, cast

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from azext_amlk8s.checks import facts as keys
from azext_amlk8s.checks.facts import CheckTarget, Facts, Object, Objects, find_extension, properties_of
from azext_amlk8s.daemon_threads import DaemonPool
from azext_amlk8s.kubernetes import ClusterRefused, ClusterUnreachable, NoInstanceTypes
from azext_amlk8s.operations import shared_reads
from azext_amlk8s.operations.fact_paths import (
    AKS_ONLY,
    ARC_ONLY,
    CONSTRAINTS_PATH,
    CONTROLLER_KINDS,
    LISTS,
    METADATA,
    OBJECTS,
    WEBHOOK_KINDS,
)
from azext_amlk8s.operations.failure_context import ARC_IDENTITY, NAMESPACE, connect_to_cluster, find_arc_cluster
from azext_amlk8s.redaction import redact_text
from azext_amlk8s.rules import Fact, Unavailable

if TYPE_CHECKING:
    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.checks.leftover_objects import Leftover
    from azext_amlk8s.knowledge.clouds import Cloud
    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.settings import Dependency

T = TypeVar("T")
WORKERS = 8
CONNECTION: Fact[Cluster] = Fact("connection")
# Other facts need these, so they are collected first: a worker that waits collects nothing.
FIRST: tuple[Fact[Any], ...] = (CONNECTION, keys.EXTENSIONS, keys.CLUSTER, keys.WORKSPACE)


class FactCollector:
    """The facts of a target, as futures. What cannot be read is Unavailable; a dead network is raised.

    known are facts that the caller has read already.
    """

    def __init__(self, client: AzureClient, target: CheckTarget, known: Mapping[Fact[Any], Any] | None = None) -> None:
        self._client, self.target = client, target
        self._pool = DaemonPool(WORKERS)
        self._futures: dict[Fact[Any], Future[Any]] = {fact: _completed(value) for fact, value in (known or {}).items()}
        self._lock = Lock()
        self._agents: Object | None = None

    def start(self, facts: Iterable[Fact[Any]]) -> None:
        """Begin to collect."""
        needed = {fact for fact in facts if fact not in self._absent()}
        if needed & set(keys.IN_CLUSTER):
            needed |= {keys.KUBERNETES, CONNECTION}
        rest = needed - set(FIRST)
        in_cluster = rest & set(keys.IN_CLUSTER)
        ordered = [
            *(fact for fact in FIRST if fact in needed),
            *sorted(rest - in_cluster, key=lambda fact: fact.name),
            *sorted(in_cluster, key=lambda fact: fact.name),
        ]
        for fact in ordered:
            self._future(fact)

    def __getitem__(self, fact: Fact[T]) -> T | Unavailable:
        value: T | Unavailable = self._future(fact).result()
        return value

    def get(self, fact: Fact[T]) -> T | None:
        """The value, or None where it cannot be read."""
        value = self[fact]
        return None if isinstance(value, Unavailable) else value

    def facts(self, wanted: Iterable[Fact[Any]]) -> Facts:
        """These facts, waited for."""
        return Facts(self.target, {fact: self[fact] for fact in wanted})

    def wait(self, facts: Iterable[Fact[Any]]) -> None:
        """Wait until these have been collected."""
        for fact in facts:
            self._future(fact).result()

    def close(self) -> None:
        """Do not collect what has not been started yet."""
        self._pool.close()

    @property
    def connection(self) -> Cluster | Unavailable:
        """The connection to the cluster itself."""
        return self[CONNECTION]

    def _future(self, fact: Fact[Any]) -> Future[Any]:
        with self._lock:
            if fact not in self._futures:
                self._futures[fact] = self._pool.submit(self._collect, fact)
            return self._futures[fact]

    def _collect(self, fact: Fact[Any]) -> Any:
        try:
            return self._reader(fact)()
        except ResourceNotFoundError as error:
            return _unavailable(_describe(error), absent=True)
        except HttpResponseError as error:
            return _unavailable(_describe(error))
        except NoInstanceTypes:
            return None
        except ClusterRefused as refused:
            return _unavailable(f"the cluster refused ({refused.status} {refused.reason}): {refused.message}")
        except ClusterUnreachable as unreachable:
            return _unavailable(str(unreachable))

    def _reader(self, fact: Fact[Any]) -> Callable[[], Any]:
        if fact in self._absent():
            return lambda: None
        if fact in LISTS:
            return lambda: self._list(LISTS[fact])
        if fact in METADATA:
            return lambda: self._list(METADATA[fact], metadata_only=True)
        if fact in OBJECTS:
            return lambda: self._read(OBJECTS[fact])
        reader: Callable[[], Any] = getattr(self, f"_read_{fact.name}")
        return reader

    def _absent(self) -> tuple[Fact[Any], ...]:
        return ARC_ONLY if self.target.cluster.is_aks else AKS_ONLY

    # From Azure.

    def _read_cli(self) -> str:
        from azure.cli.core import __version__

        return str(__version__)

    def _read_cloud(self) -> Cloud:
        return self._client.cloud

    def _read_cluster(self) -> Object | Unavailable:
        from azext_amlk8s.operations.extension_common import not_found_error

        cluster = self.target.cluster
        try:
            return self._client.get(cluster.id)
        except ResourceNotFoundError as error:
            explained = not_found_error(error, self._client, cluster)
            fix = "\n".join(getattr(explained, "recommendations", None) or ())
            return Unavailable(str(explained), absent=True, fix=fix)

    def _read_extensions(self) -> Objects:
        return self._client.list_all(f"{self.target.cluster.id}/providers/Microsoft.KubernetesConfiguration/extensions")

    def _read_providers(self) -> Objects:
        from azext_amlk8s.checks import settings_of
        from azext_amlk8s.settings import needed_providers

        settings = settings_of(self.facts([keys.EXTENSIONS]))
        names = needed_providers(settings, self.target.cluster.type)
        futures = [self._pool.submit(self._client.get_provider, name) for name in names]
        return [future.result() for future in futures]

    def _read_extension_type(self) -> Object:
        return shared_reads.read_extension_type(self._client, self.target.cluster, self._location())

    def _read_extension_versions(self) -> Objects:
        return shared_reads.list_extension_versions(self._client, self.target.cluster, self._location())

    def _location(self) -> str:
        """The region of the cluster, where many clusters share what is read of it; empty otherwise."""
        return str((self.get(keys.CLUSTER) or {}).get("location") or "") if self._client.shares_reads else ""

    def _read_kubernetes_versions(self) -> Object | None:
        location = str((self.get(keys.CLUSTER) or {}).get("location") or "")
        return self._client.kubernetes_versions(location) if location else None

    def _read_feature(self) -> Object | None:
        from azext_amlk8s.knowledge import load

        feature = load("checks")["feature"]
        return self._client.find_feature(feature["namespace"], feature["name"])

    def _read_permissions(self) -> Objects:
        return shared_reads.list_cluster_permissions(self._client, self.target.cluster)

    def _read_group_permissions(self) -> Objects:
        return shared_reads.list_group_permissions(self._client, self.target.cluster)

    def _read_locks(self) -> Objects:
        return shared_reads.list_locks(self._client, self.target.cluster)

    def _read_relay(self) -> Object | None:
        settings = properties_of(find_extension(self.get(keys.EXTENSIONS) or ())).get("configurationSettings") or {}
        resource_id = str(settings.get("relayserver.hybridConnectionResourceID") or "")
        return self._client.get(resource_id) if resource_id.startswith("/subscriptions/") else None

    def _read_workspace(self) -> Object | Unavailable:
        if self.target.workspace is None:
            return Unavailable("no workspace was named")
        return self._client.get(self._workspace_id())

    def _read_computes(self) -> Objects:
        if self.target.workspace is None:
            return ()
        return self._client.list_all(f"{self._workspace_id()}/computes")

    def _read_assignments(self) -> Mapping[str, Objects]:
        from azext_amlk8s.computes import identity_principals

        principals = identity_principals(dict(self.get(keys.WORKSPACE) or {}))
        return {
            principal: self._client.list_role_assignments(self.target.cluster.id, principal) for principal in principals
        }

    def _read_trusted_access(self) -> Objects:
        if not properties_of(self.get(keys.CLUSTER)).get("disableLocalAccounts"):
            return ()
        return self._client.list_all(f"{self.target.cluster.id}/trustedAccessRoleBindings")

    def _workspace_id(self) -> str:
        assert self.target.workspace is not None, "only checks of the category compute read it"
        return self.target.workspace.id

    # From the cluster's own API.

    def _read_connection(self) -> Cluster | Unavailable:
        cluster = self.target.cluster
        if cluster.is_aks or self.target.kubeconfig or self.target.context:
            connection, reason = connect_to_cluster(
                self._client, cluster, self.target.kubeconfig or None, self.target.context or None
            )
        else:
            reason = ""
            connection, self._agents = find_arc_cluster(self._client, cluster)
        return connection or Unavailable(reason or f"no context of the kubeconfig leads to {cluster.name}")

    def _read_kubernetes(self) -> str | Unavailable:
        """The address of the API server, once it has responded to the list of nodes."""
        connection = self.connection
        if isinstance(connection, Unavailable):
            return connection
        nodes = self[keys.NODES]
        if isinstance(nodes, Unavailable) and not nodes.reason.startswith("the cluster refused"):
            return nodes
        return str(connection.server)

    def _read_arc_agents(self) -> Object | None | Unavailable:
        connection = self.connection
        return connection if isinstance(connection, Unavailable) else self._agents or connection.read(ARC_IDENTITY)

    def _read_constraints(self) -> Object | None | Unavailable:
        distribution = properties_of(self.get(keys.CLUSTER)).get("distribution")
        return self._read(CONSTRAINTS_PATH) if str(distribution).lower() == "openshift" else None

    def _read_controllers(self) -> Objects | Unavailable:
        return self._lists_by_kind("/apis/apps/v1", CONTROLLER_KINDS)

    def _read_webhooks(self) -> Objects | Unavailable:
        return self._lists_by_kind("/apis/admissionregistration.k8s.io/v1", WEBHOOK_KINDS)

    def _read_tls_secret(self) -> keys.TlsSecret | None | Unavailable:
        """What the secret of sslSecret has; its private key is dropped at once."""
        from azext_amlk8s.checks import settings_of
        from azext_amlk8s.operations.notice_facts import tls_secret

        name = settings_of(self.facts([keys.EXTENSIONS])).get("sslSecret")
        if not name:
            return None
        secret = self._read(f"/api/v1/namespaces/{NAMESPACE}/secrets/{name}")
        if isinstance(secret, Unavailable):
            return secret
        return tls_secret(name, secret)

    def _read_router_certificate(self) -> keys.RouterCertificate | None | Unavailable:
        """The public parts of the router's certificates; private keys are dropped at once."""
        from azext_amlk8s.operations.router_certificate import certificate_fact
        from azext_amlk8s.settings import read_deployed

        extension = find_extension(self.get(keys.EXTENSIONS) or ())
        connection = self.connection
        if extension is None or isinstance(connection, Unavailable):
            return connection if isinstance(connection, Unavailable) else None
        return certificate_fact(connection, read_deployed(dict(extension)), str(extension.get("name")))

    def _read_arc_certificate(self) -> tuple[str, int] | None:
        from azext_amlk8s.operations.notice_facts import arc_certificate

        return arc_certificate(self.get(keys.CLUSTER) or {})

    def _read_relay_key(self) -> bool | None:
        from azext_amlk8s.operations.notice_facts import relay_key_matches

        connection = self.connection
        extension = find_extension(self.get(keys.EXTENSIONS) or ())
        if extension is None or isinstance(connection, Unavailable):
            return None
        return relay_key_matches(self._client, connection, extension)

    def _read_leftovers(self) -> Sequence[Leftover] | Unavailable:
        from azext_amlk8s.operations.leftover_removal import read_leftovers

        connection = self.connection
        return connection if isinstance(connection, Unavailable) else read_leftovers(connection)

    def _read_leftover_resources(self) -> Sequence[Dependency]:
        """What was created for the cluster in Azure, known by its name."""
        from azext_amlk8s.operations.backing_resources import find_resources
        from azext_amlk8s.settings import all_resources, cluster_facts_from_resources

        facts = cluster_facts_from_resources(dict(self.get(keys.CLUSTER) or {}), self.target.cluster.type)
        created = all_resources(facts)
        found = find_resources(self._client, created)
        return [dependency for dependency in created if found[dependency.kind] is not None]

    def _read_dry_runs(self) -> Sequence[keys.DryRun] | Unavailable:
        from azext_amlk8s.checks import settings_of
        from azext_amlk8s.operations import admission_dry_runs as dry_runs

        connection, namespaces = self.connection, self[keys.NAMESPACES]
        if isinstance(connection, Unavailable):
            return connection
        if isinstance(namespaces, Unavailable):
            return namespaces
        existing, registry = {keys.name_of(namespace) for namespace in namespaces}, self._client.cloud.images
        objects: list[dry_runs.DryRunObject] = []
        if not self.target.is_attachment and NAMESPACE not in existing:
            objects += dry_runs.namespace_objects()
        elif not self.target.is_attachment:
            settings = settings_of(self.facts([keys.EXTENSIONS]))
            objects += dry_runs.extension_objects(self.target, settings, registry)
        if self.target.workspace or self.target.is_attachment:
            types = self.get(keys.INSTANCE_TYPES) or ()
            objects += dry_runs.job_objects(self.facts([keys.COMPUTES]), existing, types, registry)
        futures = [self._pool.submit(dry_runs.dry_run, connection, *obj) for obj in objects]
        return [future.result() for future in futures]

    def _read_instance_types(self) -> Objects | Unavailable:
        connection = self.connection
        return connection if isinstance(connection, Unavailable) else connection.list_instance_types()

    def _lists_by_kind(self, root: str, kinds: Mapping[str, str]) -> Objects | Unavailable:
        """The objects of several kinds, each with its kind, which lists leave out."""
        futures = [self._pool.submit(self._list, f"{root}/{plural}") for plural in kinds.values()]
        lists = [future.result() for future in futures]
        if unavailable := next((result for result in lists if isinstance(result, Unavailable)), None):
            return unavailable
        by_kind = zip(kinds, cast("list[Objects]", lists), strict=True)
        return [{**obj, "kind": kind} for kind, objects in by_kind for obj in objects]

    def _list(self, path: str, *, metadata_only: bool = False) -> Objects | Unavailable:
        connection = self.connection
        if isinstance(connection, Unavailable):
            return connection
        found = connection.read(path, metadata_only=metadata_only)
        return (found or {}).get("items") or []

    def _read(self, path: str) -> Object | None | Unavailable:
        connection = self.connection
        return connection if isinstance(connection, Unavailable) else connection.read(path)


def _completed(value: Any) -> Future[Any]:
    """A future whose result is there."""
    future: Future[Any] = Future()
    future.set_result(value)
    return future


def _unavailable(reason: str, *, absent: bool = False) -> Unavailable:
    """What reports say of a fact that cannot be read; a service may repeat secrets of the request."""
    return Unavailable(redact_text(reason), absent=absent)


def _describe(error: HttpResponseError) -> str:
    """The code and message of an error of Azure in one line."""
    body = getattr(error, "error", None)
    text = " ".join(str(getattr(body, "message", "") or error.message).split())
    message = text.partition(" For more details please")[0]
    code = getattr(body, "code", "")
    return f"({code}) {message}" if code else message
