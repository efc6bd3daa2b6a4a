"""The custom resource definitions that the extension brings.

The groups and kinds are those of public listings of clusters. assumed: scopes and schemas, which are not published.
"""

from __future__ import annotations

from typing import Any

GROUP, VERSION = "amlarc.azureml.com", "v1alpha1"
VOLCANO_JOBS = "jobs.batch.volcano.sh"
_QUANTITIES = {"type": "object", "additionalProperties": {"x-kubernetes-int-or-string": True, "nullable": True}}
_ANY = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_INSTANCE_TYPE_SPEC = {
    "type": "object",
    "properties": {
        "nodeSelector": {"type": "object", "additionalProperties": {"type": "string"}},
        "resources": {"type": "object", "properties": {"requests": _QUANTITIES, "limits": _QUANTITIES}},
    },
}


def _definition(
    plural: str, kind: str, *, group: str, version: str, spec: dict[str, Any], namespaced: bool
) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"spec": spec, "status": _ANY}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}", "labels": {"app.kubernetes.io/managed-by": "Helm"}},
        "spec": {
            "group": group,
            "scope": "Namespaced" if namespaced else "Cluster",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [
                {"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}},
            ],
        },
    }


CRD = _definition(
    "instancetypes", "InstanceType", group=GROUP, version=VERSION, spec=_INSTANCE_TYPE_SPEC, namespaced=False
)
_OTHERS = (
    ("amljobs", "AmlJob"),
    ("identities", "Identity"),
    ("metrics", "Metric"),
    ("onlinedeployments", "OnlineDeployment"),
    ("onlineendpoints", "OnlineEndpoint"),
)
_VOLCANO = (
    ("jobs", "Job", "batch.volcano.sh", "v1alpha1", True),
    ("podgroups", "PodGroup", "scheduling.volcano.sh", "v1beta1", True),
    ("queues", "Queue", "scheduling.volcano.sh", "v1beta1", False),
)
DEFINITIONS = (
    CRD,
    *(_definition(plural, kind, group=GROUP, version=VERSION, spec=_ANY, namespaced=True) for plural, kind in _OTHERS),
)
VOLCANO_DEFINITIONS = tuple(
    _definition(plural, kind, group=group, version=version, spec=_ANY, namespaced=namespaced)
    for plural, kind, group, version, namespaced in _VOLCANO
)
