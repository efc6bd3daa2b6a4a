"""Where in the API of a cluster each fact is read, and which facts one type of cluster does not have."""

from __future__ import annotations

from typing import Any

from azext_amlk8s.checks import facts as keys
from azext_amlk8s.operations.failure_context import NAMESPACE, PATHS
from azext_amlk8s.rules import Fact

HELM_SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets?labelSelector=owner%3Dhelm"
CONSTRAINTS_PATH = "/apis/security.openshift.io/v1/securitycontextconstraints/privileged"
LISTS: dict[Fact[Any], str] = {
    keys.NODES: "/api/v1/nodes",
    keys.PODS: "/api/v1/pods",
    keys.EVENTS: PATHS["events"],
    keys.QUOTAS: "/api/v1/resourcequotas",
    keys.LIMIT_RANGES: "/api/v1/limitranges",
    keys.CLAIMS: "/api/v1/persistentvolumeclaims",
    keys.POD_GROUPS: "/apis/scheduling.volcano.sh/v1beta1/podgroups",
    keys.NAMESPACES: "/api/v1/namespaces",
    keys.NETWORK_POLICIES: "/apis/networking.k8s.io/v1/networkpolicies",
}
OBJECTS: dict[Fact[Any], str] = {
    keys.HEALTH: PATHS["health"],
    keys.VOLCANO: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/jobs.batch.volcano.sh",
    keys.ROUTER_ROLE: "/apis/rbac.authorization.k8s.io/v1/clusterroles/azureml-fe",
}
# Lists of which the metadata is enough.
METADATA: dict[Fact[Any], str] = {
    keys.RELEASES: HELM_SECRETS,
    keys.SERVICES: "/api/v1/services",
    keys.DEFINITIONS: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    keys.CLUSTER_ROLES: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
}
WEBHOOK_KINDS = {
    "ValidatingWebhookConfiguration": "validatingwebhookconfigurations",
    "MutatingWebhookConfiguration": "mutatingwebhookconfigurations",
}
CONTROLLER_KINDS = {"Deployment": "deployments", "DaemonSet": "daemonsets", "StatefulSet": "statefulsets"}
# Facts of one cluster type alone; on the other they are None, without a request.
AKS_ONLY: tuple[Fact[Any], ...] = (keys.FEATURE, keys.TRUSTED_ACCESS, keys.KUBERNETES_VERSIONS)
ARC_ONLY: tuple[Fact[Any], ...] = (
    keys.CONSTRAINTS, keys.ARC_AGENTS, keys.GROUP_PERMISSIONS, keys.RELAY, keys.ARC_CERTIFICATE, keys.RELAY_KEY,
)  # fmt: skip
