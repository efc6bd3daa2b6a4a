"""What goes wrong when the extension is installed, judged by what stands in the cluster and what the world says of it.

The wording is that of public reports and pages; where only a code is on record the text is assumed.
"""

from __future__ import annotations

import base64
import binascii
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.azure.placement import scheduler
from sandbox.kubernetes import ClusterSide
from sandbox.world import Cluster

NAMESPACE = "azureml"
VOLCANO = "jobs.batch.volcano.sh"
PROMETHEUS = "prometheus-operator"
LEGACY = "azureml-fe"
KNOWN_VERSIONS = "1.1."
INGRESS = "ingress-nginx-controller"
TYPES = ("amlarc.azureml.com/v1alpha1", "InstanceType")
HEALTHCHECK = "failed {hook}: pod healthcheck failed"


@dataclass(frozen=True)
class Finding:
    """A check of the health check that did not pass."""

    checker: str
    code: str
    message: str


@dataclass(frozen=True)
class Install:
    """An installation that is about to happen. settings and protected as they were sent; hook is pre-install or
    pre-upgrade."""

    side: ClusterSide
    cluster: Cluster
    name: str
    settings: Mapping[str, str]
    protected: Mapping[str, str]
    hook: str = "pre-install"

    def on(self, key: str, default: str = "false") -> bool:
        """Whether a setting is true, its name and value in any case."""
        return self.value(key, default).lower() == "true"

    def value(self, key: str, default: str = "") -> str:
        """A setting, its name in any case."""
        return next((str(value) for one, value in self.settings.items() if one.lower() == key.lower()), default)


def before_helm(resource: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, str] | None:
    """What fails before the chart is touched: code and message of the error, from the extension and the cluster."""
    version, train = properties.get("version"), properties.get("releaseTrain")
    kind = properties["extensionType"]
    told = (resource.get("properties") or {}) if resource else {}
    if told.get("connectivityStatus") in ("Offline", "Expired"):
        return _error(
            "ExtensionCreationFailed",
            "error: Unable to get the status from the local CRD with the error : {Error : Retry for given duration "
            "didn't get any results with err {status not populated}}",
        )
    if (told.get("servicePrincipalProfile") or {}).get("clientId", "msi") != "msi":
        return _error(
            "ExtensionOperationFailed",
            "The extension operation failed with the following error:  Extensions are only supported on clusters using "
            "Managed Service Identity. See https://aka.ms/aks-extensions-service-principal-not-supported",
        )
    if version and not str(version).startswith(KNOWN_VERSIONS):
        return _error(
            "ExtensionOperationFailed",
            "The extension operation failed with the following error:  Failed to resolve the extension version from "
            f"the given values. InnerError: 'Extension type '{kind}' does not support release train '{train}' for "
            f"version '{version}'.  Please try again with release train \"stable\".'. For general troubleshooting "
            "visit: https://aka.ms/k8s-extensions-TSG",
        )
    return None


def _error(code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message}


async def in_helm(install: Install) -> str:
    """Helm's own refusal, from the objects that stand in the cluster; nothing where it can go on."""
    client = install.side.client
    namespace = await client.get("v1", "Namespace", NAMESPACE)
    if namespace and (namespace.get("status") or {}).get("phase") == "Terminating":
        return f"unable to create new content in namespace {NAMESPACE} because it is being terminated"
    for secret in await client.list("v1", "Secret", NAMESPACE, "owner=helm"):
        labels = secret["metadata"].get("labels") or {}
        if labels.get("name") == install.name and labels.get("status", "").startswith("pending"):
            return "another operation (install/upgrade/rollback) is in progress"
        if labels.get("name") == install.name and install.hook == "pre-install":
            return "cannot re-use a name that is still in use"
    if not install.cluster.outbound:
        return (
            "Unable to download the Helm chart from the repo URL"  # assumed: the words around those of the public page
        )
    if await _second_ingress(install):
        return (
            'Internal error occurred: failed calling webhook "validate.nginx.ingress.kubernetes.io": no endpoints '
            'available for service "azureml-ingress-nginx-controller-admission"'
        )
    ours = []
    if install.on("enableTraining") and install.on("installVolcano", "true"):
        ours.append(("apiextensions.k8s.io/v1", "CustomResourceDefinition", VOLCANO))
    for version, kind, name in ours:
        there = await client.get(version, kind, name)
        if there and (there["metadata"].get("labels") or {}).get("app.kubernetes.io/managed-by") != "Helm":
            return (
                f"rendered manifests contain a resource that already exists. Unable to continue with install: {kind} "
                f'"{name}" in namespace "" exists and cannot be imported into the current release: invalid ownership '
                'metadata; label validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm"; '
                'annotation validation error: missing key "meta.helm.sh/release-name": must be set to '
                f'"{install.name}"; annotation validation error: missing key "meta.helm.sh/release-namespace": must be '
                f'set to "{NAMESPACE}"'
            )
    return ""


async def _second_ingress(install: Install) -> bool:
    """Whether another ingress-nginx has the class that the extension's own would have."""
    default = "true" if install.cluster.type == "managedClusters" else "false"
    if not install.on("enableInference") or not install.on("nginxIngress.enabled", default):
        return False
    if install.value("nginxIngress.controller"):
        return False
    others = await install.side.client.list("apps/v1", "Deployment")
    return any(INGRESS in one["metadata"]["name"] and one["metadata"]["namespace"] != NAMESPACE for one in others)


async def in_health(install: Install) -> list[Finding]:
    """What the health check finds before anything is installed."""
    client = install.side.client
    found = []
    if install.on("enableInference"):
        service, provider = (
            install.value("inferenceRouterServiceType").lower(),
            install.value("internalLoadBalancerProvider"),
        )
        if provider and install.cluster.type != "managedClusters":
            found.append(Finding("service", "E40003", "Internal load balancer is not supported by the cluster"))
        elif service == "loadbalancer" and not install.cluster.load_balancer:
            found.append(Finding("service", "E40001", "Load balancer is not supported by the cluster"))
        nodes = scheduler(await client.list("v1", "Node"), [], install.settings).matching()
        if install.on("inferenceRouterHA", "true") and len(nodes) < 3:
            found.append(Finding("clusterresource", "E40002", f"Insufficient node: 3 are required, {len(nodes)} found"))
        if wrong := _certificate(install):
            found.append(Finding("service", "E40007", f"Invalid ssl setting: {wrong}"))
        if await client.get("apps/v1", "Deployment", LEGACY, "default"):
            found.append(Finding("inferencev1", "E45005", "Azureml Fe deployment confict"))
        role = await client.get("rbac.authorization.k8s.io/v1", "ClusterRole", LEGACY)
        if role and (role["metadata"].get("labels") or {}).get("app.kubernetes.io/managed-by") != "Helm":
            found.append(Finding("inferencev1", "E45004", "Azureml Fe role conflict"))
        if install.hook == "pre-upgrade" and await _router_is_gone(client):
            found.append(Finding("inferencev1", "E40004", "Azureml Fe deployment not found"))
    found += await _of_agents(install)
    if install.on("installPromOp", "true"):
        others = [
            one for one in await client.list("apps/v1", "Deployment") if one["metadata"]["namespace"] != NAMESPACE
        ]
        if any(one["metadata"]["name"].endswith(PROMETHEUS) for one in others):
            found.append(Finding("helmchart", "E45002", "Prometheus conflict"))
    return found


async def _router_is_gone(client: Any) -> bool:
    """Whether what serves inference is there without its router."""
    operator = await client.get("apps/v1", "Deployment", "inference-operator-controller-manager", NAMESPACE)
    return bool(operator) and not await client.get("apps/v1", "Deployment", LEGACY, NAMESPACE)


async def _of_agents(install: Install) -> list[Finding]:
    """The extension's own pods that ail, before an update; instance types that an earlier version left behind; a relay
    that cannot be reached.

    assumed: that these fail the health check as a whole, which is on record for others of the same kind.
    """
    found = []
    for pod in await install.side.client.list("v1", "Pod", NAMESPACE) if install.hook == "pre-upgrade" else ():
        if not all(one.get("ready") for one in (pod.get("status") or {}).get("containerStatuses") or ()):
            found.append(Finding("info", "E45001", f"Agent unhealthy: {pod['metadata']['name']}"))
    for one in await install.side.client.list(*TYPES):
        if not (one.get("spec") or {}).get("resources"):
            name = one["metadata"]["name"]
            found.append(Finding("instancetype", "E45006", f"failed to validate or update instancetype: {name}"))
    if not install.cluster.relay:
        found.append(Finding("info", "E45003", "Bad network connectivity: servicebus.windows.net"))
    return found


def _certificate(install: Install) -> str:
    """What is wrong with the certificate and the key that were sent."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    sent = [install.protected.get(f"scoringFe.{word}") for word in ("sslCert", "sslKey")]
    if not all(sent):
        return ""
    try:
        pem, key_pem = (base64.b64decode(str(one), validate=True) for one in sent)
        certificate, key = x509.load_pem_x509_certificate(pem), load_pem_private_key(key_pem, None)
    except (ValueError, TypeError, binascii.Error):
        return "the certificate or the key is not PEM"
    if certificate.public_key() != key.public_key():
        return "certificate and key do not match"
    if certificate.not_valid_after_utc < datetime.datetime.now(datetime.timezone.utc):
        return "the certificate has expired"
    names: list[str] = []
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = extension.value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        names = [str(one.value) for one in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    wanted = install.value("sslCname").lower()
    covered = {name.lower() for name in names}
    if wanted and wanted not in covered and f"*.{wanted.split('.', 1)[-1]}" not in covered:
        return f"the certificate does not cover {wanted}"
    return ""
