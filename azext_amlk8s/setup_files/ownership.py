"""What belongs to a setup: a tag on computes in Azure, and an ApplySet in each cluster.

An ApplySet (https://github.com/kubernetes/enhancements/tree/master/keps/sig-cli/3659-kubectl-apply-prune) is a parent
object, here a ConfigMap, and a label on its members, here instance types and namespaces. The parent also has the names
of the settings that the setup has given to the extension, which has no tags in Azure.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from azext_amlk8s.rules import Problem, Problems, Severity, rule

KEP = "https://github.com/kubernetes/enhancements/tree/master/keps/sig-cli/3659-kubectl-apply-prune"
PART_OF, ID = "applyset.kubernetes.io/part-of", "applyset.kubernetes.io/id"
TOOLING, KINDS = "applyset.kubernetes.io/tooling", "applyset.kubernetes.io/contains-group-kinds"
TOOL = "amlk8s"
# The version of the form of the record.
FORM = "1.0.0"
PARENT_NAMESPACE = "default"
MEMBER_KINDS = "InstanceType.amlarc.azureml.com,Namespace"
EXTENSION, CREATED, SETTINGS = "extension", "extensionCreated", "settings"

Object = Mapping[str, Any]


@rule(
    "D122",
    Severity.ERROR,
    title="Owner of an object in a cluster",
    requires="An instance type or a namespace must belong to one ApplySet only, and its parent to amlk8s.",
    source=KEP,
    why="Two setups, or two tools, would change it in turns.",
)
def other_applyset(kind: str, name: str, owner: str) -> Problems:
    """An object with the label of another ApplySet, or a parent of another tool; owner is its ID or that tool."""
    message = f"The {kind} '{name}' belongs to '{owner}'."
    yield Problem(name, message, found=owner, fix="Use another name for it, or for the setup.")


def parent_name(setup: str) -> str:
    """The name of the ConfigMap of a setup."""
    return f"{TOOL}-{setup}"


def parent_path(setup: str) -> str:
    """The path of the ConfigMap of a setup in the API of a cluster."""
    return f"/api/v1/namespaces/{PARENT_NAMESPACE}/configmaps/{parent_name(setup)}"


def applyset_id(setup: str) -> str:
    """The ID of the ApplySet of a setup, as the KEP forms it of the name, namespace, kind and group of the parent."""
    identity = f"{parent_name(setup)}.{PARENT_NAMESPACE}.ConfigMap."
    digest = hashlib.sha256(identity.encode()).digest()
    return f"applyset-{base64.urlsafe_b64encode(digest).decode().rstrip('=')}-v1"


def owner_labels(setup: str) -> dict[str, str]:
    """The labels of the members."""
    return {PART_OF: applyset_id(setup)}


def owner_of(obj: Object) -> str:
    """The ID of the ApplySet of an object, empty for none."""
    return str(((obj.get("metadata") or {}).get("labels") or {}).get(PART_OF) or "")


def build_parent(setup: str, extension: str, created: bool, settings: Iterable[str]) -> dict[str, Any]:
    """The ConfigMap of a setup. created: it created the extension; settings are the keys that it gives to it."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": parent_name(setup),
            "namespace": PARENT_NAMESPACE,
            "labels": {ID: applyset_id(setup)},
            "annotations": {TOOLING: f"{TOOL}/v{FORM}", KINDS: MEMBER_KINDS},
        },
        "data": {EXTENSION: extension, CREATED: str(created).lower(), SETTINGS: "\n".join(sorted(settings))},
    }


def tool_of(parent: Object | None) -> str:
    """The tool that a parent belongs to, empty where it is this one or the parent does not exist."""
    if parent is None:
        return ""
    annotations = (parent.get("metadata") or {}).get("annotations") or {}
    tool = str(annotations.get(TOOLING) or "another tool")
    return "" if tool.startswith(f"{TOOL}/") else tool


def applied_settings(parent: Object | None) -> Sequence[str]:
    """The names of the settings that the setup has given to the extension."""
    return str(((parent or {}).get("data") or {}).get(SETTINGS) or "").split()


def has_created_extension(parent: Object | None, name: str) -> bool:
    """Whether the setup has created the extension of this name, and not adopted it."""
    data = (parent or {}).get("data") or {}
    return data.get(CREATED) == "true" and str(data.get(EXTENSION)).lower() == name.lower()
