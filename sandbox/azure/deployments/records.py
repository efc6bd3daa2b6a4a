"""Deployments as they are stored, and as responses show them."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure.behaviours import now
from sandbox.azure.deployments.compilation import Compiled
from sandbox.azure.deployments.environment import Scope
from sandbox.azure.deployments.planning import Planned

ACTIVE = ("Accepted", "Running", "Creating", "Deleting")
TYPE = "Microsoft.Resources/deployments"


@dataclass
class OperationRecord:
    """One step of a deployment: the write of a resource, or the evaluation of the outputs."""

    target: Planned | None
    kind: str = "Create"
    state: str = "Running"
    status: str = ""
    error: dict[str, Any] | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:16].upper())
    begun: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.timezone.utc))
    stamp: str = field(default_factory=now)
    duration: str = "PT0S"

    def end(self, state: str, status: str, error: dict[str, Any] | None = None) -> None:
        """Note how it ended."""
        self.state, self.status, self.error = state, status, error
        self.stamp, self.duration = now(), duration_since(self.begun)

    def shown(self, deployment_id: str) -> dict[str, Any]:
        """As a response has it."""
        properties: dict[str, Any] = {
            "provisioningOperation": self.kind,
            "provisioningState": self.state,
            "timestamp": self.stamp,
            "duration": self.duration if self.state != "Running" else duration_since(self.begun),
            "trackingId": str(uuid.uuid5(uuid.NAMESPACE_OID, self.id)),
        }
        if self.status:
            properties["statusCode"] = self.status
        if self.error:
            properties["statusMessage"] = {"status": "Failed", "error": self.error}
        if self.target:
            properties["targetResource"] = {
                "id": self.target.id,
                "resourceType": self.target.type,
                "resourceName": self.target.name,
            }
        return {"id": f"{deployment_id}/operations/{self.id}", "operationId": self.id, "properties": properties}


@dataclass
class Deployment:
    """A deployment in the history."""

    scope: Scope
    name: str
    location: str
    tags: Mapping[str, str]
    mode: str
    template: Mapping[str, Any]
    compiled: Compiled
    state: str = "Accepted"
    error: dict[str, Any] | None = None
    outputs: Mapping[str, Any] | None = None
    steps: list[OperationRecord] = field(default_factory=list)
    nested: list[Deployment] = field(default_factory=list)
    correlation: str = field(default_factory=lambda: str(uuid.uuid4()))
    begun: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.timezone.utc))
    stamp: str = field(default_factory=now)
    duration: str = ""
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def id(self) -> str:
        """The resource ID."""
        return f"{self.scope.id}/providers/{TYPE}/{self.name}"

    @property
    def is_active(self) -> bool:
        """Whether it still runs."""
        return self.state in ACTIVE

    def end(self, state: str, error: dict[str, Any] | None = None) -> None:
        """Note how it ended."""
        self.state, self.error, self.stamp, self.duration = state, error, now(), duration_since(self.begun)

    def shown(self) -> dict[str, Any]:
        """As a response has it."""
        properties: dict[str, Any] = {
            "templateHash": template_hash(self.template),
            "parameters": self.compiled.shown_parameters(),
            "mode": self.mode,
            "provisioningState": self.state,
            "timestamp": self.stamp,
            "duration": self.duration or duration_since(self.begun),
            "correlationId": self.correlation,
            "providers": providers(self.compiled),
            "dependencies": dependencies(self.compiled),
        }
        if self.outputs is not None:
            properties["outputs"] = self.compiled.shown_outputs(self.outputs)
        if self.state == "Succeeded":
            properties["outputResources"] = [{"id": resource_id} for resource_id in sorted(self.resource_ids())]
        if self.error:
            properties["error"] = self.error
        place = {} if self.scope.group else {"location": self.location}
        return {
            "id": self.id,
            "name": self.name,
            "type": TYPE,
            **place,
            **({"tags": dict(self.tags)} if self.tags else {}),
            "properties": properties,
        }

    def resource_ids(self) -> set[str]:
        """The IDs of what it has written, in nested deployments too."""
        found = {
            step.target.id
            for step in self.steps
            if step.target and step.kind == "Create" and step.state == "Succeeded" and not step.target.is_deployment
        }
        return found.union(*(deployment.resource_ids() for deployment in self.nested))


def template_hash(template: Mapping[str, Any]) -> str:
    """A number for the content of a template. assumed: which one, Azure does not document it."""
    text = json.dumps(template, sort_keys=True).encode()
    return str(int.from_bytes(hashlib.sha256(text).digest()[:8], "big"))


def duration_since(begun: datetime.datetime) -> str:
    """The time since then in ISO 8601."""
    seconds = (datetime.datetime.now(datetime.timezone.utc) - begun).total_seconds()
    minutes, seconds = divmod(seconds, 60)
    return f"PT{int(minutes)}M{seconds:.7f}S" if minutes else f"PT{seconds:.7f}S"


def providers(compiled: Compiled) -> list[dict[str, Any]]:
    """The resource types of a template by provider."""
    found: dict[str, dict[str, set[str]]] = {}
    for resource in compiled.active:
        namespace, kind = resource.type.split("/", 1)
        location = str(resource.body.get("location") or "")
        places = found.setdefault(namespace, {}).setdefault(kind, set())
        if location and not location.startswith("["):
            places.add(location)
    return [
        {
            "namespace": namespace,
            "resourceTypes": [
                {"resourceType": kind, "locations": sorted(places) or [None]} for kind, places in kinds.items()
            ],
        }
        for namespace, kinds in found.items()
    ]


def dependencies(compiled: Compiled) -> list[dict[str, Any]]:
    """The dependencies between the resources of a template."""
    known = {resource.id: resource for resource in compiled.resources}
    return [
        {
            "dependsOn": [_reference(known[other]) for other in resource.depends_on if other in known],
            **_reference(resource),
        }
        for resource in compiled.active
        if resource.depends_on
    ]


def _reference(resource: Planned) -> dict[str, str]:
    return {"id": resource.id, "resourceType": resource.type, "resourceName": resource.name}
