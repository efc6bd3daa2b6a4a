"""Why an installation fails: from the objects in the cluster and what the world says of it.

The texts are those of public reports and pages; where only a code is public the text is assumed.
https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-extension
"""

from __future__ import annotations

import base64
import binascii
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.azure.kubernetes_configuration.definitions import VOLCANO_JOBS
from sandbox.azure.kubernetes_configuration.scheduler import build_scheduler
from sandbox.kubernetes import ClusterSide
from sandbox.kubernetes.client import KubeClient
from sandbox.world import Cluster

NAMESPACE = "azureml"
PROMETHEUS = "prometheus-operator"
ROUTERS = ("azureml-fe", "azureml-fe-v2")
LEGACY = "azureml-fe"
KNOWN_VERSIONS = "1.1."
INGRESS = "ingress-nginx-controller"
TYPES = ("amlarc.azureml.com/v1alpha1", "InstanceType")
HEALTHCHECK = "failed {hook}: pod healthcheck failed"


@dataclass(frozen=True)
class Finding:
    """A part of the health check that failed."""

    checker: str
    code: str
    message: str


@dataclass(frozen=True)
class Install:
    """An installation of a version: settings and protected settings as sent; hook is pre-install or pre-upgrade."""

    side: ClusterSide
    cluster: Cluster
    name: str
    version: str
    settings: Mapping[str, str]
    protected: Mapping[str, str]
    hook: str = "pre-install"

    def on(self, key: str, default: str = "false") -> bool:
        """Whether a setting is true, its name and value in any case."""
        return self.value(key, default).lower() == "true"

    def value(self, key: str, default: str = "") -> str:
        """A setting, its name in any case; the default for an empty value, as in the chart."""
        values = (str(value) for name, value in self.settings.items() if name.lower() == key.lower())
        return next(values, "") or default

    def default_of(self, key: str) -> str:
        """The chart's default of a setting that leaves components out."""
        return "false" if key == "nginxIngress.enabled" and self.cluster.type != "managedClusters" else "true"


def before_helm(resource: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, str] | None:
    """The error of what fails before Helm runs, from the ARM resource of the cluster and the extension."""
    version, train = properties.get("version"), properties.get("releaseTrain")
    cluster = resource.get("properties") or {}
    if cluster.get("connectivityStatus") in ("Offline", "Expired"):
        return _error(
            "ExtensionCreationFailed",
            "error: Unable to get the status from the local CRD with the error : {Error : Retry for given duration "
            "didn't get any results with err {status not populated}}",
        )
    if (cluster.get("servicePrincipalProfile") or {}).get("clientId", "msi") != "msi":
        return _error(
            "ExtensionOperationFailed",
            "The extension operation failed with the following error:  Extensions are only supported on clusters using "
            "Managed Service Identity. See https://aka.ms/aks-extensions-service-principal-not-supported",
        )
    if version and not str(version).startswith(KNOWN_VERSIONS):
        return _error(
            "ExtensionOperationFailed",
            "The extension operation failed with the following error:  Failed to resolve the extension version from "
            f"the given values. InnerError: 'Extension type '{properties['extensionType']}' does not support release "
            f"train '{train}' for version '{version}'.  Please try again with release train \"stable\".'. For general "
            "troubleshooting visit: https://aka.ms/k8s-extensions-TSG",
        )
    return None


def _error(code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message}


async def helm_failure(install: Install) -> str:
    """Helm's own error, from the objects in the cluster; empty if it can go on."""
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
        return "Unable to download the Helm chart from the repo URL"  # assumed: the words around those of the page
    if await _has_second_ingress(install):
        return (
            'Internal error occurred: failed calling webhook "validate.nginx.ingress.kubernetes.io": no endpoints '
            'available for service "azureml-ingress-nginx-controller-admission"'
        )
    if install.on("enableTraining") and install.on("installVolcano", "true"):
        return await _foreign_definition(install, VOLCANO_JOBS)
    return ""


async def _foreign_definition(install: Install, name: str) -> str:
    """Helm's error for a definition that exists and is not managed by Helm."""
    kind = "CustomResourceDefinition"
    existing = await install.side.client.get("apiextensions.k8s.io/v1", kind, name)
    if not existing or (existing["metadata"].get("labels") or {}).get("app.kubernetes.io/managed-by") == "Helm":
        return ""
    return (
        f"rendered manifests contain a resource that already exists. Unable to continue with install: {kind} "
        f'"{name}" in namespace "" exists and cannot be imported into the current release: invalid ownership '
        'metadata; label validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm"; '
        'annotation validation error: missing key "meta.helm.sh/release-name": must be set to '
        f'"{install.name}"; annotation validation error: missing key "meta.helm.sh/release-namespace": must be '
        f'set to "{NAMESPACE}"'
    )


async def _has_second_ingress(install: Install) -> bool:
    """Whether another ingress-nginx has the class that the extension's own would have."""
    key = "nginxIngress.enabled"
    if not install.on("enableInference") or not install.on(key, install.default_of(key)):
        return False
    if install.value("nginxIngress.controller"):
        return False
    others = await install.side.client.list("apps/v1", "Deployment")
    return any(INGRESS in other["metadata"]["name"] and other["metadata"]["namespace"] != NAMESPACE for other in others)


async def health_check(install: Install) -> list[Finding]:
    """What the health check finds before anything is installed."""
    client = install.side.client
    findings = await _inference_findings(install) if install.on("enableInference") else []
    findings += await _agent_findings(install)
    if install.on("installPromOp", "true"):
        deployments = await client.list("apps/v1", "Deployment")
        names = [
            deployment["metadata"]["name"]
            for deployment in deployments
            if deployment["metadata"]["namespace"] != NAMESPACE
        ]
        if any(name.endswith(PROMETHEUS) for name in names):
            findings.append(Finding("helmchart", "E45002", "Prometheus conflict"))
    return findings


async def _inference_findings(install: Install) -> list[Finding]:
    client, findings = install.side.client, []
    service = install.value("inferenceRouterServiceType").lower()
    if install.value("internalLoadBalancerProvider") and install.cluster.type != "managedClusters":
        findings.append(Finding("service", "E40003", "Internal load balancer is not supported by the cluster"))
    elif service == "loadbalancer" and not install.cluster.load_balancer:
        findings.append(Finding("service", "E40001", "Load balancer is not supported by the cluster"))
    nodes = build_scheduler(await client.list("v1", "Node"), [], install.settings).usable_nodes()
    if install.on("inferenceRouterHA", "true") and len(nodes) < 3:
        text = f"Insufficient node: 3 are required, {len(nodes)} found"
        findings.append(Finding("clusterresource", "E40002", text))
    if problem := _certificate_problem(install):
        findings.append(Finding("service", "E40007", f"Invalid ssl setting: {problem}"))
    legacy = await client.get("apps/v1", "Deployment", LEGACY, "default")
    if legacy and not _may_be_upgraded(install, legacy):
        findings.append(Finding("inferencev1", "E45005", "Azureml Fe deployment confict"))
    role = await client.get("rbac.authorization.k8s.io/v1", "ClusterRole", LEGACY)
    if role and (role["metadata"].get("labels") or {}).get("app.kubernetes.io/managed-by") != "Helm":
        findings.append(Finding("inferencev1", "E45004", "Azureml Fe role conflict"))
    if install.hook == "pre-upgrade" and await _lacks_router(client):
        findings.append(Finding("inferencev1", "E40004", "Azureml Fe deployment not found"))
    return findings


def _may_be_upgraded(install: Install, legacy: Mapping[str, Any]) -> bool:
    """Whether the router of an AksCompute is annotated for a router beside it, and the settings ask for one.

    https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-extension
    """
    annotated = (legacy["metadata"].get("annotations") or {}).get("azureml-fe-enable-upgrade") == "true"
    return annotated and install.on("scoringFe.enableUpgrade")


async def _lacks_router(client: KubeClient) -> bool:
    """Whether inference is installed and its router is missing."""
    operator = await client.get("apps/v1", "Deployment", "inference-operator-controller-manager", NAMESPACE)
    routers = [await client.get("apps/v1", "Deployment", name, NAMESPACE) for name in ROUTERS]
    return bool(operator) and not any(routers)


async def _agent_findings(install: Install) -> list[Finding]:
    """Unhealthy pods of the extension before an update, instance types of an earlier version, an unreachable relay.

    assumed: that these fail the health check as a whole, which is on record for others of the same kind.
    """
    findings = []
    for pod in await install.side.client.list("v1", "Pod", NAMESPACE) if install.hook == "pre-upgrade" else ():
        status = pod.get("status") or {}
        ready = all(container_status.get("ready") for container_status in status.get("containerStatuses") or ())
        if status.get("phase") != "Succeeded" and not ready:
            findings.append(Finding("info", "E45001", f"Agent unhealthy: {pod['metadata']['name']}"))
    for obj in await install.side.client.list(*TYPES):
        if not (obj.get("spec") or {}).get("resources"):
            name = obj["metadata"]["name"]
            findings.append(Finding("instancetype", "E45006", f"failed to validate or update instancetype: {name}"))
    if not install.cluster.relay:
        findings.append(Finding("info", "E45003", "Bad network connectivity: servicebus.windows.net"))
    return findings


def _certificate_problem(install: Install) -> str:
    """The problem of the certificate and the key that were sent, empty if there is none."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    sent = [install.protected.get(f"scoringFe.{part}") for part in ("sslCert", "sslKey")]
    if not all(sent):
        return ""
    try:
        pem, key_pem = (base64.b64decode(str(encoded), validate=True) for encoded in sent)
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
        names = [
            str(attribute.value) for attribute in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        ]
    host = install.value("sslCname").lower()
    covered = {name.lower() for name in names}
    if host and host not in covered and f"*.{host.split('.', 1)[-1]}" not in covered:
        return f"the certificate does not cover {host}"
    return ""
