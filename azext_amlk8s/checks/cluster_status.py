"""The status of a cluster as the object that `az amlk8s status` returns: the state of each part, and the problems."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from azext_amlk8s.checks.component_catalogue import LEFTOVER
from azext_amlk8s.checks.component_states import MISSING, NOT_READY, component_states
from azext_amlk8s.checks.compute import computes_on_cluster, namespace_of_compute
from azext_amlk8s.checks.facts import (
    CLUSTER,
    COMPUTES,
    CONTROLLERS,
    EVENTS,
    EXTENSIONS,
    INSTANCE_TYPES,
    NODES,
    PODS,
    ROUTER_CERTIFICATE,
    TLS_SECRET,
    Facts,
    find_extension,
    installed_extension,
    properties_of,
    state_of,
)
from azext_amlk8s.checks.installation import settings_of
from azext_amlk8s.checks.instance_types import instance_type_fits
from azext_amlk8s.checks.model import Result
from azext_amlk8s.checks.report import component_view, finding_view
from azext_amlk8s.diagnosis import compute_errors
from azext_amlk8s.instance_types.fit_findings import fit_views
from azext_amlk8s.redaction import redact_text
from azext_amlk8s.refs import ExtensionRef
from azext_amlk8s.rules import Fact, NotApplicable, Severity
from azext_amlk8s.settings.releases import running_version
from azext_amlk8s.shell import join

T = TypeVar("T")
STATUS_FACTS: tuple[Fact[Any], ...] = (
    CLUSTER, EXTENSIONS, CONTROLLERS, PODS, EVENTS, COMPUTES, NODES, INSTANCE_TYPES, TLS_SECRET,
    ROUTER_CERTIFICATE,
)  # fmt: skip
BUSY = {"creating": "created", "updating": "updated", "deleting": "deleted"}


def cluster_status(facts: Facts, result: Result) -> dict[str, Any]:
    """The status: cluster, extension, components, computes, instanceTypes, certificate, problems and nextStep.

    A part that could not be read is null, and unavailable has its reason. facts are STATUS_FACTS; result is that of the
    checks, whose errors and warnings are the problems.
    """
    parts: dict[str, Callable[[Facts], Any]] = {
        "extension": _extension,
        "components": _components,
        "computes": _computes,
        "instanceTypes": _instance_types,
        "certificate": _certificate,
    }
    status: dict[str, Any] = {"cluster": _cluster(facts)}
    unavailable: dict[str, str] = {}
    for name, read in parts.items():
        try:
            status[name] = read(facts)
        except NotApplicable as reason:
            status[name], unavailable[name] = None, redact_text(str(reason))
    problems = [finding for finding in result.findings if finding.severity is not Severity.INFO]
    return {
        **status,
        "problems": [finding_view(finding) for finding in problems],
        "unavailable": unavailable,
        "nextStep": _next_step(facts, status, healthy=result.healthy),
    }


def _cluster(facts: Facts) -> dict[str, Any]:
    cluster, resource = facts.cluster, facts.get(CLUSTER) or {}
    properties = properties_of(resource)
    power = (properties.get("powerState") or {}).get("code")
    return {
        "name": cluster.name,
        "type": cluster.type,
        "resourceGroup": cluster.resource_group,
        "location": resource.get("location"),
        "kubernetesVersion": properties.get("currentKubernetesVersion") or properties.get("kubernetesVersion"),
        "state": (power if cluster.is_aks else properties.get("connectivityStatus")) or state_of(resource) or None,
        "lastHeartbeat": properties.get("lastConnectivityTime"),
        "certificateExpires": properties.get("managedIdentityCertificateExpirationTime"),
    }


def _extension(facts: Facts) -> dict[str, Any]:
    extension = installed_extension(facts)
    properties = properties_of(extension)
    return {
        "name": extension.get("name"),
        "version": running_version(extension) or None,
        "state": state_of(extension) or None,
        "releaseTrain": properties.get("releaseTrain"),
        "autoUpgradeMinorVersion": properties.get("autoUpgradeMinorVersion"),
    }


def _components(facts: Facts) -> dict[str, Any]:
    """How many are ready, and those that are not, the ones with a known cause first."""
    installed_extension(facts)
    components = [component for component in component_states(facts) if component.role != LEFTOVER]
    failing = [component for component in components if component.state in (MISSING, NOT_READY)]
    failing.sort(key=lambda component: not component.failures)
    return {
        "total": len(components),
        "ready": len(components) - len(failing),
        "notReady": [component_view(component) for component in failing],
    }


def _computes(facts: Facts) -> list[dict[str, Any]]:
    if facts.target.workspace is None:
        raise NotApplicable("no workspace was specified; specify one with --workspace-name")
    return [
        {
            "name": compute.get("name"),
            "workspace": facts.target.workspace.name,
            "state": state_of(compute) or None,
            "namespace": namespace_of_compute(compute),
            "error": next((f"{error.code}: {redact_text(error.message)}" for error in compute_errors(compute)), None),
        }
        for compute in computes_on_cluster(facts)
    ]


def _instance_types(facts: Facts) -> list[dict[str, Any]]:
    """Each as `az amlk8s instance-type fit` returns it; none without the custom resource definition."""
    fits, placement = instance_type_fits(facts)
    return fit_views(fits, placement)


def _certificate(facts: Facts) -> dict[str, Any] | None:
    """That of the inference router: of the secret, or as the router serves it."""
    secret = facts.get(TLS_SECRET)
    router = facts.get(ROUTER_CERTIFICATE)
    view = (router.served or router.given) if router else None
    if view is None and settings_of(facts).get("scoringFe.sslCert"):
        raise NotApplicable("the certificate is a protected setting, which Azure does not return")
    if view is None:
        secret = facts[TLS_SECRET]
        return {"secret": secret.name, "expires": secret.expires or None, "expired": secret.expired} if secret else None
    return {
        "secret": secret.name if secret else None,
        "expires": view.expires,
        "expired": view.days_left < 0,
        "daysLeft": view.days_left,
        "served": router is not None and router.served is not None,
    }


def _next_step(facts: Facts, status: Mapping[str, Any], *, healthy: bool) -> str | None:
    """The command that leads on: to an installation, to the end of an operation, to the causes, to a job."""
    cluster, workspace = facts.cluster.cli_args, facts.target.workspace
    if facts.get(EXTENSIONS) is not None and find_extension(facts[EXTENSIONS]) is None:
        return f"az amlk8s check --pre {cluster}"
    extension = status["extension"] or {}
    if condition := BUSY.get(str(extension.get("state")).lower()):
        return f"az amlk8s extension wait {ExtensionRef(facts.cluster, extension['name']).cli_args} --{condition}"
    if not healthy:
        return f"az amlk8s check {cluster}{f' {_workspace_args(facts)}' if workspace else ''}"
    if status["instanceTypes"] == []:
        return f"az amlk8s instance-type create --from-nodes {cluster}"
    if status["computes"]:
        return f"az amlk8s workload check --file job.yml {workspace.cli_args}" if workspace else None
    return f"az amlk8s instance-type fit {cluster}"


def _workspace_args(facts: Facts) -> str:
    workspace = facts.target.workspace
    assert workspace is not None, "only called where there is one"
    words = ["-w", workspace.name]
    if workspace.resource_group.lower() != facts.cluster.resource_group.lower():
        words += ["--workspace-group", workspace.resource_group]
    return join(words)
