"""What is wanted of an attachment, and what is known of the place where it shall be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from azext_amlk8s.computes.ids import ClusterRef
from azext_amlk8s.computes.roles import RoleNeeded


@dataclass(frozen=True)
class Wanted:
    """An attachment as it is wished for. identity is as ARM takes it; workload: training, inference, both, or ""."""

    name: str
    group: str
    workspace: str
    cluster: ClusterRef
    namespace: str
    identity: Mapping[str, Any] | None = None
    tags: Mapping[str, str] | None = None
    description: str | None = None
    workload: str = ""


@dataclass(frozen=True)
class AttachFacts:
    """What Azure and the cluster say, each as ARM's JSON.

    namespaces is None where the cluster cannot be looked into; trusted_access are the role bindings of an AKS cluster,
    asked for where its local accounts are disabled; missing_roles are those of a workspace's user-assigned identity.
    """

    subscription: str
    workspace: Mapping[str, Any]
    cluster: Mapping[str, Any]
    extensions: Sequence[Mapping[str, Any]] = ()
    computes: Sequence[Mapping[str, Any]] = ()
    namespaces: frozenset[str] | None = None
    trusted_access: Sequence[Mapping[str, Any]] = ()
    missing_roles: Sequence[RoleNeeded] = ()
    look_alikes: Sequence[str] = field(default=())

    def compute(self, name: str) -> Mapping[str, Any] | None:
        """The compute of a name in the workspace."""
        return next((one for one in self.computes if str(one.get("name")).lower() == name.lower()), None)
