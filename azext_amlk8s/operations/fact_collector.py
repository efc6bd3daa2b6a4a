"""What the checks look at, asked for side by side, each once, and no more than they want. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any

from azext_amlk8s.checks import Place, Unseen, ours, seen
from azext_amlk8s.operations.failure_context import ARC_IDENTITY, NAMESPACE, PATHS, connect_to_cluster, find_arc_cluster

WORKERS = 8
HELM_SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets?labelSelector=owner%3Dhelm"
CONSTRAINTS = "/apis/security.openshift.io/v1/securitycontextconstraints/privileged"
# What the cluster tells, by fact: the path, and whether it is a list.
LISTS = {
    "nodes": "/api/v1/nodes",
    "pods": "/api/v1/pods",
    "events": PATHS["events"],
    "quotas": f"/api/v1/namespaces/{NAMESPACE}/resourcequotas",
    "namespaces": "/api/v1/namespaces",
}
OBJECTS = {
    "health": PATHS["health"],
    "volcano": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/jobs.batch.volcano.sh",
    "fe_role": "/apis/rbac.authorization.k8s.io/v1/clusterroles/azureml-fe",
}
MADE = ("controllers", "instance_types", "releases", "kubernetes", "agents", "constraints")
# What others wait for.
FIRST = ("_door", "extensions", "cluster", "workspace")
CONTROLLERS = {"Deployment": "deployments", "DaemonSet": "daemonsets", "StatefulSet": "statefulsets"}


class Sources:
    """The facts of a place, as futures. What could not be had is Unseen; a dead network is raised."""

    def __init__(self, arm: Any, place: Place, kubeconfig: str | None, context: str | None) -> None:
        self._arm, self._place, self._access = arm, place, (kubeconfig, context)
        self._cluster_ref = arm.cluster_ref(place.group, place.cluster_type, place.cluster)
        self._cluster_id = self._cluster_ref.id
        self._workspace_ref = arm.workspace_ref(place.workspace_group, place.workspace)
        self._pool = ThreadPoolExecutor(WORKERS)
        self._futures: dict[str, Future[Any]] = {}
        self._lock = Lock()
        self._agents: Any = None

    def start(self, names: Iterable[str]) -> None:
        """Begin to ask; what others depend on goes first, since a waiting worker asks nothing."""
        wanted = set(names)
        of_cluster = {*LISTS, *OBJECTS, *MADE}
        if wanted & of_cluster - self._left_out():
            wanted.add("kubernetes")
            wanted.add("_door")
        of_azure = wanted - of_cluster - {*FIRST}
        for name in (*(one for one in FIRST if one in wanted), *sorted(of_azure), *sorted(wanted - of_azure)):
            self._future(name)

    def __getitem__(self, name: str) -> Any:
        return self._future(name).result()

    def wait(self, names: Iterable[str]) -> None:
        """Wait until these have been asked for."""
        for name in names:
            self._future(name).result()

    def close(self) -> None:
        """Leave what has not been asked yet unasked."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def cluster(self) -> Any:
        """The door to the cluster itself, or Unseen."""
        return self["_door"]

    def _future(self, name: str) -> Future[Any]:
        with self._lock:
            if name not in self._futures:
                self._futures[name] = self._pool.submit(self._ask, name)
            return self._futures[name]

    def _ask(self, name: str) -> Any:
        from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

        from azext_amlk8s.kubernetes import ClusterRefused, ClusterUnreachable, NoInstanceTypes

        try:
            return self._source(name)()
        except ResourceNotFoundError as error:
            return Unseen(_sentence(error), absent=True)
        except HttpResponseError as error:
            return Unseen(_sentence(error))
        except NoInstanceTypes:
            return None
        except ClusterRefused as refused:
            return Unseen(f"the cluster refused ({refused.status} {refused.reason}): {refused.message}")
        except ClusterUnreachable as unreachable:
            return Unseen(str(unreachable))

    def _source(self, name: str) -> Callable[[], Any]:
        if name in self._left_out():
            return lambda: None
        if name in LISTS:
            return lambda: self._list(LISTS[name])
        if name in OBJECTS:
            return lambda: self._read(OBJECTS[name])
        return getattr(self, f"_of_{name.strip('_')}")

    def _left_out(self) -> set[str]:
        """What a cluster of this kind does not have: no request is spent on it."""
        return (
            {"constraints", "agents", "group_permissions", "relay"}
            if self._place.is_aks
            else {"feature", "trusted_access"}
        )

    def _of_cli(self) -> str:
        from azure.cli.core import __version__

        return str(__version__)

    def _of_cluster(self) -> Any:
        from azure.core.exceptions import ResourceNotFoundError

        from azext_amlk8s.operations.extension_common import not_found_error

        try:
            return self._arm.get(self._cluster_id)
        except ResourceNotFoundError as error:
            told = not_found_error(error, self._arm, self._cluster_ref)
            return Unseen(str(told), absent=True, fix="\n".join(getattr(told, "recommendations", None) or ()))

    def _of_extensions(self) -> Any:
        return self._arm.list_extensions(self._cluster_ref)

    def _of_providers(self) -> Any:
        from azext_amlk8s.checks import Facts, settings_of
        from azext_amlk8s.settings import needed_providers

        settings = settings_of(Facts(self._place, extensions=seen(self["extensions"]) or ()))
        names = needed_providers(settings, self._place.cluster_type)
        futures = [self._pool.submit(self._arm.get_provider, name) for name in names]
        return [one.result() for one in futures]

    def _of_feature(self) -> Any:
        from azext_amlk8s.knowledge import load

        told = load("checks")["feature"]
        return self._arm.find_feature(told["namespace"], told["name"])

    def _of_permissions(self) -> Any:
        return self._arm.list_all(f"{self._cluster_id}/providers/Microsoft.Authorization/permissions")

    def _of_group_permissions(self) -> Any:
        group = f"/subscriptions/{self._place.subscription}/resourceGroups/{self._place.group}"
        return self._arm.list_all(f"{group}/providers/Microsoft.Authorization/permissions")

    def _of_locks(self) -> Any:
        return self._arm.list_all(
            f"{self._cluster_id}/providers/Microsoft.Authorization/locks", **{"$filter": "atScope()"}
        )

    def _of_relay(self) -> Any:
        there = ours(seen(self["extensions"]) or ()) or {}
        config = (there.get("properties") or {}).get("configurationSettings") or {}
        named = str(config.get("relayserver.hybridConnectionResourceID") or "")
        return self._arm.get(named) if named.startswith("/subscriptions/") else None

    def _of_workspace(self) -> Any:
        return self._arm.get_workspace(self._workspace_ref)

    def _of_computes(self) -> Any:
        return self._arm.list_computes(self._workspace_ref)

    def _of_assignments(self) -> Any:
        from azext_amlk8s.computes import identity_principals

        principals = identity_principals(seen(self["workspace"]) or {})
        return {one: self._arm.list_role_assignments(self._cluster_id, one) for one in principals}

    def _of_trusted_access(self) -> Any:
        if not ((seen(self["cluster"]) or {}).get("properties") or {}).get("disableLocalAccounts"):
            return ()
        return self._arm.list_all(f"{self._cluster_id}/trustedAccessRoleBindings")

    def _of_door(self) -> Any:
        why = ""
        if self._place.is_aks or any(self._access):
            cluster, why = connect_to_cluster(self._arm, self._cluster_ref, *self._access)
        else:
            cluster, self._agents = find_arc_cluster(self._cluster_ref)
        return cluster or Unseen(why or f"no context of the kubeconfig leads to {self._place.cluster}")

    def _of_agents(self) -> Any:
        door = self.cluster
        return door if isinstance(door, Unseen) else self._agents or door.read(ARC_IDENTITY)

    def _of_constraints(self) -> Any:
        told = (seen(self["cluster"]) or {}).get("properties") or {}
        return self._read(CONSTRAINTS) if str(told.get("distribution")).lower() == "openshift" else None

    def _of_kubernetes(self) -> Any:
        """Where the API server is: it has answered, or is asked what costs it least."""
        door = self.cluster
        if isinstance(door, Unseen):
            return door
        nodes = self["nodes"]
        if isinstance(nodes, Unseen) and not nodes.why.startswith("the cluster refused"):
            return nodes
        return door.server

    def _of_controllers(self) -> Any:
        futures = [self._pool.submit(self._list, f"/apis/apps/v1/{plural}") for plural in CONTROLLERS.values()]
        lists = [one.result() for one in futures]
        if unseen := next((one for one in lists if isinstance(one, Unseen)), None):
            return unseen
        return [{**obj, "kind": kind} for kind, found in zip(CONTROLLERS, lists, strict=True) for obj in found]

    def _of_instance_types(self) -> Any:
        door = self.cluster
        return door if isinstance(door, Unseen) else door.list_instance_types()

    def _of_releases(self) -> Any:
        door = self.cluster
        if isinstance(door, Unseen):
            return door
        return (door.read(HELM_SECRETS, metadata_only=True) or {}).get("items") or []

    def _list(self, path: str) -> Any:
        found = self._read(path)
        return found if isinstance(found, Unseen) else (found or {}).get("items") or []

    def _read(self, path: str) -> Any:
        door = self.cluster
        return door if isinstance(door, Unseen) else door.read(path)


def _sentence(error: Any) -> str:
    told: Mapping[str, Any] | Any = getattr(error, "error", None)
    text = " ".join(str(getattr(told, "message", "") or error.message).split())
    message = text.partition(" For more details please")[0]
    code = getattr(told, "code", "")
    return f"({code}) {message}" if code else message
