"""After a failure: what the cluster itself can tell of it. Nothing here raises; what cannot be seen is said."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

NAMESPACE = "azureml"
PATHS = {
    "health": f"/api/v1/namespaces/{NAMESPACE}/configmaps/arcml-healthcheck",
    "pods": f"/api/v1/namespaces/{NAMESPACE}/pods",
    "events": f"/api/v1/namespaces/{NAMESPACE}/events",
}
# Where the agents of an Arc-connected cluster keep which Azure resource it is.
ARC_IDENTITY = "/api/v1/namespaces/azure-arc/configmaps/azure-clusterconfig"
WORD = re.compile(r"\b(CLUSTER-ID|CLUSTER|GROUP|TYPE|NAME|WORKSPACE)\b")


@dataclass(frozen=True)
class Scene:
    """Where something failed. operation is create, update or delete; names fill NAME and WORKSPACE in commands."""

    arm: Any
    cluster_id: str
    operation: str = ""
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def cluster(self) -> tuple[str, str, str]:
        """Resource group, cluster type and name."""
        words = self.cluster_id.split("/")
        return words[4], words[7], words[8]

    def filled_in(self, command: str) -> str:
        """A command with the names that are known in the place of its placeholders."""
        group, kind, cluster = self.cluster
        known = {"GROUP": group, "TYPE": kind, "CLUSTER": cluster, "CLUSTER-ID": self.cluster_id}
        return filled_in(known, self.names)(command)


@dataclass(frozen=True)
class Evidence:
    """Health reports of the operation, troubles of pods, and a sentence where the cluster could not be seen."""

    reports: tuple[Any, ...] = ()
    troubles: tuple[Any, ...] = ()
    note: str = ""


NOTHING = Evidence()


def filled_in(known: Mapping[str, str], of_ours: Mapping[str, str] | None = None) -> Callable[[str], str]:
    """A function that puts names in the place of the placeholders of a command; of_ours in our own commands only.

    A name of ours may be told for one group of commands alone, as `compute NAME`.
    """

    def fill(command: str) -> str:
        names = known
        if command.startswith("az amlk8s "):
            group = command.split()[2]
            ours = of_ours or {}
            of_group = {key.partition(" ")[2]: one for key, one in ours.items() if key.startswith(f"{group} ")}
            names = {**known, **ours, **of_group}
        return WORD.sub(lambda found: names.get(found[0]) or found[0], command)

    return fill


def look(scene: Scene) -> Evidence:
    """What the cluster tells, read side by side."""
    from concurrent.futures import ThreadPoolExecutor

    from azext_amlk8s import diagnosis
    from azext_amlk8s.kubernetes import ClusterRefused, ClusterUnreachable

    cluster, note = reach(scene)
    if cluster is None:
        return Evidence(note=note)
    try:
        with ThreadPoolExecutor(len(PATHS)) as pool:
            found = dict(zip(PATHS, pool.map(cluster.read, PATHS.values()), strict=True))
    except (ClusterUnreachable, ClusterRefused) as error:
        return Evidence(note=f"The cluster itself could not be asked: {error}")
    reports = diagnosis.relevant(diagnosis.read_reports(found["health"]), scene.operation)
    items = {name: (found[name] or {}).get("items") or [] for name in ("pods", "events")}
    return Evidence(tuple(reports), diagnosis.troubles(items["pods"], items["events"]))


def reach(scene: Scene, kubeconfig: str | None = None, context: str | None = None) -> tuple[Any, str]:
    """The cluster of the scene, or None and a sentence that says why not.

    AKS gives its credentials through Azure. Of an Arc-connected cluster a context of the kubeconfig is taken, the one
    of its name or the current one, and only if the agents there say that it is this cluster; one that is named is
    taken as it is.
    """
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.kubernetes import KubeconfigUnusable, connect

    group, kind, name = scene.cluster
    try:
        if kubeconfig or context:
            return connect(kubeconfig=kubeconfig, context=context), ""
        if kind.lower() == "managedclusters":
            return connect(config_text=scene.arm.user_kubeconfig(group, name)), ""
    except (HttpResponseError, KubeconfigUnusable) as error:
        return None, f"The cluster itself could not be asked: {str(error).splitlines()[0]}"
    cluster, _ = arc_cluster(scene)
    if cluster is not None:
        return cluster, ""
    return None, f"The cluster itself was not asked: no context of the kubeconfig leads to {name}."


def arc_cluster(scene: Scene) -> tuple[Any, Any]:
    """The Arc-connected cluster of the scene, by a context of the kubeconfig, and what its agents keep; or None."""
    from azext_amlk8s.kubernetes import ClusterRefused, ClusterUnreachable, KubeconfigUnusable, connect

    group, _, name = scene.cluster
    for one in (name, None):
        try:
            cluster = connect(context=one)
            told = cluster.read(ARC_IDENTITY)
        except (KubeconfigUnusable, ClusterUnreachable, ClusterRefused):
            continue
        data = (told or {}).get("data") or {}
        named = (data.get("AZURE_RESOURCE_GROUP"), data.get("AZURE_RESOURCE_NAME"))
        if tuple(str(word).lower() for word in named) == (group.lower(), name.lower()):
            return cluster, told
    return None, None
