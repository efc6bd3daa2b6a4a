"""The status of a namespace that is being deleted while something in it remains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

Object = dict[str, Any]


def terminating(held: Sequence[tuple[str, Object]]) -> Object:
    """The status: the phase, and conditions in the words of the namespace controller.

    https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/namespace/deletion/status_condition_utils.go
    """
    kinds = Counter(resource for resource, _ in held)
    finalizers = Counter(name for _, obj in held for name in obj["metadata"].get("finalizers") or ())
    remaining = ", ".join(f"{resource} has {number} resource instances" for resource, number in sorted(kinds.items()))
    waiting = ", ".join(f"{name} in {number} resource instances" for name, number in sorted(finalizers.items()))
    conditions = [
        {
            "type": "NamespaceContentRemaining",
            "status": "True",
            "reason": "SomeResourcesRemain",
            "message": f"Some resources are remaining: {remaining}",
        }
    ]
    if waiting:
        conditions.append(
            {
                "type": "NamespaceFinalizersRemaining",
                "status": "True",
                "reason": "SomeFinalizersRemain",
                "message": f"Some content in the namespace has finalizers remaining: {waiting}",
            }
        )
    return {"phase": "Terminating", "conditions": conditions}
