"""The deployments of each scope, with the limit of their number.

https://learn.microsoft.com/azure/azure-resource-manager/templates/deployment-history-deletions
"""

from __future__ import annotations

from collections.abc import Callable

from sandbox.azure.deployments.environment import Scope
from sandbox.azure.deployments.errors import deployment_not_found, quota_exceeded
from sandbox.azure.deployments.records import Deployment

LIMIT = 800
CLEANED_ABOVE, CLEANED_TO = 775, 750


class History:
    """All deployments by scope and name. is_locked says whether a lock keeps deployments from being deleted."""

    def __init__(self, is_locked: Callable[[str], bool]) -> None:
        self._is_locked = is_locked
        self._scopes: dict[str, dict[str, Deployment]] = {}

    def find(self, scope: Scope, name: str) -> Deployment | None:
        """The deployment of a name."""
        return self._at(scope).get(name.lower())

    def get(self, scope: Scope, name: str) -> Deployment:
        """The deployment of a name. Raises ArmError 404."""
        found = self.find(scope, name)
        if found is None:
            raise deployment_not_found(name)
        return found

    def list(self, scope: Scope) -> list[Deployment]:
        """The deployments of a scope, newest first."""
        return list(reversed(self._at(scope).values()))

    def add(self, deployment: Deployment) -> None:
        """Add one, in place of one of the same name. Old ones are removed near the limit. Raises ArmError 409."""
        known = self._at(deployment.scope)
        key = deployment.name.lower()
        if key not in known and len(known) >= LIMIT:
            raise quota_exceeded(deployment.name, LIMIT)
        known.pop(key, None)
        known[key] = deployment
        if len(known) > CLEANED_ABOVE:
            ended = [
                name
                for name, known_deployment in known.items()
                if not known_deployment.is_active and not self._is_locked(known_deployment.id)
            ]
            for name in ended[: len(known) - CLEANED_TO]:
                del known[name]

    def remove(self, deployment: Deployment) -> None:
        """Remove one from the history."""
        self._at(deployment.scope).pop(deployment.name.lower(), None)

    def _at(self, scope: Scope) -> dict[str, Deployment]:
        return self._scopes.setdefault(scope.id.lower(), {})
