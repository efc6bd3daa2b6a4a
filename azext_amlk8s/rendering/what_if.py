"""Resource Manager's what-if, and where it differs from a plan.

https://learn.microsoft.com/azure/azure-resource-manager/templates/deploy-what-if
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.values import mapping, sequence

CREATE, MODIFY, NO_CHANGE, IGNORE, UNSUPPORTED = "Create", "Modify", "NoChange", "Ignore", "Unsupported"
SETTINGS = "properties.configurationSettings."
PROTECTED = "properties.configurationProtectedSettings"
# What a plan calls the change that what-if calls so.
ACTIONS = {"create": CREATE, "update": MODIFY}
MOST_PATHS = 5


@dataclass(frozen=True)
class PropertyChange:
    """A predicted change of a property. kind is Create, Delete, Modify, Array or NoEffect."""

    path: str
    kind: str
    before: Any = None
    after: Any = None

    def to_object(self) -> dict[str, Any]:
        """The change as `plan` returns it; secrets are left out."""
        shown = {} if self.path.startswith(PROTECTED) else {"before": self.before, "after": self.after}
        return {"path": self.path, "kind": self.kind, **shown}


@dataclass(frozen=True)
class Prediction:
    """What Resource Manager predicts for one resource. change is Create, Modify, NoChange or other; reason says why."""

    resource_id: str
    change: str
    properties: tuple[PropertyChange, ...] = ()
    reason: str = ""

    def to_object(self) -> dict[str, Any]:
        """The prediction as `plan` returns it."""
        changes = [change.to_object() for change in self.properties]
        return {"id": self.resource_id, "change": self.change, "properties": changes, "reason": self.reason}


def read_predictions(result: Any) -> list[Prediction]:
    """The predictions of a what-if result in ARM's JSON, without resources that the deployment does not touch."""
    properties = mapping(mapping(result).get("properties")) or mapping(result)
    found = []
    for item in sequence(properties.get("changes")):
        change = mapping(item)
        kind = str(change.get("changeType") or "")
        if kind != IGNORE:
            delta = tuple(_property_changes(change.get("delta"), ""))
            reason = str(change.get("unsupportedReason") or "")
            found.append(Prediction(str(change.get("resourceId") or ""), kind, delta, reason))
    return found


def compare_with_plan(prediction: Prediction, action: str, keys: Collection[str]) -> list[str]:
    """Sentences about where the prediction for an extension differs from the plan of it.

    action is create or update, keys are those of the changes that are planned.
    """
    found = []
    if prediction.change == UNSUPPORTED:
        return [f"Azure cannot predict it: {prediction.reason or 'no reason was given'}"]
    if prediction.change != ACTIONS.get(action, NO_CHANGE):
        found.append(f"The plan says {action}, Azure predicts {prediction.change}.")
    if prediction.change != MODIFY:
        return found
    noise = [change for change in prediction.properties if change.kind == "Delete"]
    secrets = [change for change in prediction.properties if change.path.startswith(PROTECTED)]
    real = [
        change for change in prediction.properties if change not in (*noise, *secrets) and change.kind != "NoEffect"
    ]
    predicted = {change.path.removeprefix(SETTINGS).removeprefix("properties.").lower() for change in real}
    planned = {key.lower() for key in keys}
    if missing := [key for key in keys if key.lower() not in predicted and not _is_secret(key, secrets)]:
        found.append(f"Only the plan changes {_some(missing)}.")
    if more := [change for change in real if change.path.removeprefix(SETTINGS).lower() not in planned]:
        more = [change for change in more if change.path.removeprefix("properties.").lower() not in planned]
        found += [f"Only Azure predicts a change of {_some([change.path for change in more])}."] if more else []
    if noise:
        paths = _some([change.path for change in noise])
        found.append(f"Azure shows {paths} as deleted; the service sets these values itself and keeps them.")
    if secrets:
        found.append("Azure shows protected settings as changed, because it cannot compare them.")
    return found


def _is_secret(key: str, secrets: Sequence[PropertyChange]) -> bool:
    return any(change.path.lower().endswith(f".{key.lower()}") or change.path == PROTECTED for change in secrets)


def _some(names: Sequence[str]) -> str:
    rest = len(names) - MOST_PATHS
    return ", ".join(names[:MOST_PATHS]) + (f" and {rest} more" if rest > 0 else "")


def _property_changes(delta: Any, above: str) -> Iterator[PropertyChange]:
    """The changes of a delta; of arrays and objects those inside."""
    for item in sequence(delta):
        change: Mapping[str, Any] = mapping(item)
        path = ".".join(filter(None, (above, str(change.get("path") or ""))))
        if children := sequence(change.get("children")):
            yield from _property_changes(children, path)
        else:
            kind = str(change.get("propertyChangeType") or "")
            yield PropertyChange(path, kind, change.get("before"), change.get("after"))
