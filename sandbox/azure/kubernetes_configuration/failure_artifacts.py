"""What an installation leaves behind: ARM's error, the health report, the pod of the health check and events."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.azure.kubernetes_configuration.install_failures import HEALTHCHECK, NAMESPACE, Finding, Install
from sandbox.azure.operations import Operations

CHECKERS = ("service", "helmchart", "instancetype", "clusterresource", "inferencev1", "info")
OPERATION_OF = {"pre-install": "Create", "pre-upgrade": "Update"}
ROLLED_BACK = "release {name} failed, and has been {undone} due to atomic being set: {text}"


def helm_error(install: Install, text: str) -> dict[str, str]:
    """The error of the operation, in the wording of 2023 and later."""
    undone = "uninstalled" if install.hook == "pre-install" else "rolled back"
    rolled_back = ROLLED_BACK.format(name=install.name, undone=undone, text=text)
    return {
        "code": "ExtensionOperationFailed",
        "message": "The extension operation failed with the following error:  Error: [ InnerError: [Helm installation "
        "failed : Unable to create/update Kubernetes resources for the extension : Recommendation Please check that "
        "there are no policies blocking the resource creation/update for the extension : InnerError "
        f"[{rolled_back}]]] occurred while doing the operation : [{OPERATION_OF[install.hook]}] on the config, For "
        "general troubleshooting visit: https://aka.ms/k8s-extensions-TSG, For more application specific "
        "troubleshooting visit: Troubleshooting: https://aka.ms/arcmltsg.",
    }


async def leave_report(install: Install, findings: list[Finding]) -> str:
    """Create the health report and, with findings, the failed pod; returns Helm's text, empty without findings."""
    failed = {finding.checker: finding for finding in findings}
    lines = [
        "Duration: 3.1s",
        f"K8sDistribution: {install.cluster.distribution}",
        f"K8sInfrastructure: {install.cluster.infrastructure}",
        f"CorrelationId: {Operations.new_id()}",
        "TroubleShootingGuide: https://aka.ms/arcmltsg",
        *(f"Status: Passed Name: {name}" for name in CHECKERS if name not in failed),
        *(
            f"Status: Failed Name: {finding.checker} ErrorCode: {finding.code} ErrorMessage: {finding.message}"
            for finding in findings
        ),
    ]
    client = install.side.client
    await ensure_namespace(install)
    await client.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "arcml-healthcheck", "namespace": NAMESPACE},
            "data": {f"reports-{install.hook}": "\n".join(lines) + "\n"},
        }
    )
    if not findings:
        return ""
    await leave_healthcheck(install, failed=True)
    return HEALTHCHECK.format(hook=install.hook)


async def ensure_namespace(install: Install) -> None:
    """Create the extension's namespace; an existing one keeps its labels."""
    client = install.side.client
    if await client.get("v1", "Namespace", NAMESPACE) is None:
        await client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})


async def leave_healthcheck(install: Install, *, failed: bool) -> None:
    """Create the pod of the health check: Completed, or failed with exit code 1."""
    terminated = {"exitCode": int(failed), "reason": "Error" if failed else "Completed"}
    image = f"mcr.microsoft.com/azureml/amlarc/healthcheck:{install.version}"
    state = {"name": "healthcheck", "ready": False, "restartCount": 0, "image": image, "imageID": ""}
    await install.side.client.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "healthcheck", "namespace": NAMESPACE, "annotations": {"helm.sh/hook": install.hook}},
            "spec": {"containers": [{"name": "healthcheck", "image": image}], "restartPolicy": "Never"},
            "status": {
                "phase": "Failed" if failed else "Succeeded",
                "containerStatuses": [{**state, "state": {"terminated": terminated}}],
            },
        }
    )


async def leave_events(install: Install, kind: str, name: str, warnings: Iterable[tuple[str, str]]) -> None:
    """Record warnings about an object: pairs of reason and message."""
    for reason, message in warnings:
        await install.side.client.apply(event(kind, name, reason, message))


def event(kind: str, name: str, reason: str, message: str) -> dict[str, Any]:
    """A warning about an object; the same cause has the same name."""
    digest = hashlib.sha256(f"{reason}{message}".encode()).hexdigest()[:16]
    involved: Mapping[str, str] = {"kind": kind, "name": name, "namespace": NAMESPACE, "apiVersion": "v1"}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{digest}", "namespace": NAMESPACE},
        "involvedObject": dict(involved),
        "type": "Warning",
        "reason": reason,
        "message": message,
        "count": 1,
        "source": {"component": "sandbox"},
        "firstTimestamp": "2024-05-01T08:00:00Z",
        "lastTimestamp": "2024-05-01T08:00:00Z",
    }
