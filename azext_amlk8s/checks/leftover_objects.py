"""What an installation leaves in a cluster, recognised by Helm's annotations, API groups and services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.knowledge import load

Object = Mapping[str, Any]
NAMESPACE = "azureml"
RELEASE_NAMESPACE = "meta.helm.sh/release-namespace"


@dataclass(frozen=True)
class Leftover:
    """An object that remains: path in the API, UID, why it matters, and the finalizers that keep it from deletion.

    reasons are sentences of the API server on why a namespace is not deleted yet.
    """

    kind: str
    name: str
    path: str
    uid: str
    why: str
    finalizers: tuple[str, ...] = ()
    is_deleting: bool = False
    reasons: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The object for a sentence."""
        return f"{self.kind} {self.name}"

    @property
    def command(self) -> str:
        """The command that deletes this object and nothing else."""
        return f"kubectl delete {self.kind.lower()} {self.name}"


def find_leftovers(objects: Mapping[str, Iterable[Object]], namespaces: Iterable[Object]) -> list[Leftover]:
    """The leftovers among the objects of each kind of knowledge/leftovers.json, in the order of deletion.

    Definitions of Volcano and Prometheus are leftovers only where Helm's annotations say that this extension brought
    them; the namespace is the last.
    """
    knowledge = load("leftovers")
    found = [
        leftover_of(entry["kind"], entry["path"], item, entry["why"])
        for entry in knowledge["kinds"]
        for item in objects.get(entry["kind"], ())
        if _belongs(entry["kind"], item)
    ]
    for namespace in namespaces:
        if namespace["metadata"]["name"] == NAMESPACE:
            why = "Nothing can be installed as long as it is being deleted; everything in it is deleted with it."
            found.append(leftover_of("Namespace", "/api/v1/namespaces", namespace, why))
    return found


def leftover_of(kind: str, collection: str, item: Object, why: str) -> Leftover:
    """An object as a leftover."""
    metadata = item["metadata"]
    finalizers = [*(metadata.get("finalizers") or ()), *_namespace_finalizers(kind, item)]
    return Leftover(
        kind,
        str(metadata["name"]),
        f"{collection}/{metadata['name']}",
        str(metadata.get("uid") or ""),
        why,
        tuple(map(str, finalizers)),
        bool(metadata.get("deletionTimestamp")) or str((item.get("status") or {}).get("phase")) == "Terminating",
        tuple(f"{reason}." for reason in hanging_reasons(item)) if kind == "Namespace" else (),
    )


def hanging_reasons(namespace: Object) -> list[str]:
    """Why a namespace is not deleted, as its conditions say: what remains in it, and which finalizers wait.

    https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
    """
    conditions = (namespace.get("status") or {}).get("conditions") or ()
    waiting = ("NamespaceContentRemaining", "NamespaceFinalizersRemaining", "NamespaceDeletionContentFailure")
    return [
        str(condition.get("message"))
        for condition in conditions
        if condition.get("type") in waiting and condition.get("status") == "True" and condition.get("message")
    ]


def _belongs(kind: str, item: Object) -> bool:
    """Whether the extension brought an object."""
    metadata, knowledge = item["metadata"], load("leftovers")
    annotations = metadata.get("annotations") or {}
    if annotations.get(RELEASE_NAMESPACE) == NAMESPACE:
        return True
    if kind == "CustomResourceDefinition":
        group = str(metadata["name"]).partition(".")[2]
        return group in knowledge["definitionGroups"]
    if kind.endswith("WebhookConfiguration"):
        return NAMESPACE in _service_namespaces(item)
    if kind == "ClusterRoleBinding":
        return any(subject.get("namespace") == NAMESPACE for subject in item.get("subjects") or ())
    return False


def _service_namespaces(configuration: Object) -> Sequence[str]:
    """The namespaces of the services that a configuration of webhooks calls."""
    clients = [webhook.get("clientConfig") or {} for webhook in configuration.get("webhooks") or ()]
    return [str((client.get("service") or {}).get("namespace") or "") for client in clients]


def _namespace_finalizers(kind: str, item: Object) -> Sequence[str]:
    """Those of a namespace's specification, without the one that every namespace has."""
    if kind != "Namespace":
        return ()
    return [each for each in (item.get("spec") or {}).get("finalizers") or () if each != "kubernetes"]
