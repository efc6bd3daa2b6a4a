"""Objects outside of its namespace that an installation brings, and that its removal may leave.

assumed: their names; the kinds are those of public reports.
"""

from __future__ import annotations

from typing import Any

_ANNOTATIONS = {"meta.helm.sh/release-name": "azureml", "meta.helm.sh/release-namespace": "azureml"}


def _metadata(name: str) -> dict[str, Any]:
    return {"name": name, "annotations": _ANNOTATIONS, "labels": {"app.kubernetes.io/managed-by": "Helm"}}


LEFT_BEHIND: dict[str, tuple[dict[str, Any], ...]] = {
    "webhooks": (
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": _metadata("volcano-admission-service-jobs-validate"),
            "webhooks": [
                {
                    "name": "validatejob.volcano.sh",
                    "admissionReviewVersions": ["v1"],
                    "sideEffects": "NoneOnDryRun",
                    "clientConfig": {"service": {"name": "volcano-admission-service", "namespace": "azureml"}},
                    "rules": [
                        {
                            "apiGroups": ["batch.volcano.sh"],
                            "apiVersions": ["v1alpha1"],
                            "operations": ["CREATE", "UPDATE"],
                            "resources": ["jobs"],
                        }
                    ],
                }
            ],
        },
    ),
    "roles": (
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": _metadata("aml-operator"),
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": _metadata("aml-operator"),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "aml-operator"},
            "subjects": [{"kind": "ServiceAccount", "name": "aml-operator", "namespace": "azureml"}],
        },
    ),
}
