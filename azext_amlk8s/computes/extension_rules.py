"""Rules over the extension on a cluster that is to be attached."""

from __future__ import annotations

from collections.abc import Sequence

from azext_amlk8s.compute_view import properties_of
from azext_amlk8s.computes.model import ATTACH_GUIDE, BUSY_STATES, AttachFacts, AttachRequest, Resource, state_of
from azext_amlk8s.refs import EXTENSION_TYPE, ExtensionRef
from azext_amlk8s.rules import Problem, Problems, Severity, rule

EXTENSION_GUIDE = "https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension"
EXTENSION_TROUBLESHOOTING = (
    "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-extension"
)
DEFAULT_EXTENSION_NAME = "azureml"
WORKLOADS = {"": (), "training": ("Training",), "inference": ("Inference",), "both": ("Training", "Inference")}
SHOW_HEALTH_REPORT = "get configmap arcml-healthcheck --namespace azureml -o yaml"


def find_extension(extensions: Sequence[Resource]) -> Resource | None:
    """The extension of Azure Machine Learning among those of a cluster, or None."""
    return next((extension for extension in extensions if _extension_type(extension) == EXTENSION_TYPE), None)


def find_extension_name(extensions: Sequence[Resource]) -> str:
    """The name of the extension of Azure Machine Learning among those of a cluster, or nothing."""
    extension = find_extension(extensions)
    return str(extension.get("name")) if extension else ""


def _extension_type(extension: Resource) -> str:
    return str(properties_of(extension).get("extensionType")).lower()


def _ready_extension(facts: AttachFacts) -> Resource | None:
    extension = find_extension(facts.extensions)
    return extension if extension and state_of(extension).lower() == "succeeded" else None


@rule(
    "C116",
    Severity.ERROR,
    title="Extension on the cluster",
    requires="The extension must be installed before the cluster is attached.",
    source=ATTACH_GUIDE,
)
def missing_extension(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Clusters without the extension."""
    if find_extension(facts.extensions) is None:
        message = f"The Azure Machine Learning extension is not installed on cluster '{request.cluster.name}'."
        workloads = WORKLOADS[request.workload] or ("Training",)
        settings = " ".join(f"enable{workload}=True" for workload in workloads)
        extension = ExtensionRef(request.cluster, DEFAULT_EXTENSION_NAME)
        fix = f"az amlk8s extension create {extension.cli_args} --config {settings}"
        yield Problem("extension", message, fix=fix)


@rule(
    "C117",
    Severity.ERROR,
    title="State of the extension",
    requires="The extension must be in state Succeeded.",
    source=ATTACH_GUIDE,
)
def unready_extension(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Extensions that failed or are being changed."""
    extension = find_extension(facts.extensions)
    if extension is None or _ready_extension(facts):
        return
    ref, state = ExtensionRef(request.cluster, str(extension.get("name"))), state_of(extension)
    message = f"Extension '{ref.name}' on cluster '{request.cluster.name}' is in state {state}; expected Succeeded."
    if state.lower() in BUSY_STATES:
        fix = f"az amlk8s extension wait {ref.cli_args} --created"
    else:
        fix = f"az amlk8s extension show {ref.cli_args}\naz amlk8s check {request.cluster.cli_args}"
    yield Problem("extension", message, expected="Succeeded", found=state, fix=fix)


@rule(
    "C118",
    Severity.ERROR,
    title="Enabled workloads",
    requires="The extension must have the workload enabled that the compute is meant for.",
    source=EXTENSION_GUIDE,
)
def disabled_workload(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Workloads of the request that the extension's settings do not enable."""
    if not (extension := _ready_extension(facts)):
        return
    configuration = properties_of(extension).get("configurationSettings") or {}
    settings = {key.lower(): str(value).lower() for key, value in configuration.items()}
    ref = ExtensionRef(request.cluster, str(extension.get("name")))
    for workload in WORKLOADS[request.workload]:
        if settings.get(f"enable{workload}".lower()) != "true":
            message = f"Extension '{ref.name}' does not have {workload.lower()} enabled."
            fix = f"az amlk8s extension update {ref.cli_args} --config enable{workload}=True"
            yield Problem("extension", message, expected=f"enable{workload}=True", fix=fix)


@rule(
    "C130",
    Severity.ERROR,
    title="Instance types",
    requires="The cluster must serve the kind InstanceType, which the extension installs.",
    source=EXTENSION_TROUBLESHOOTING,
    why="Without it the attachment stays in progress for an hour and then fails.",
)
def absent_instance_types(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Clusters whose API does not have the kind yet."""
    if _ready_extension(facts) and facts.contents and not facts.contents.instance_types:
        message = (
            f"Cluster '{request.cluster.name}' does not have the kind InstanceType, without which the attachment "
            "fails. The extension installs it a few minutes after it reports Succeeded."
        )
        wait = "wait --for=condition=established crd/instancetypes.amlarc.azureml.com --timeout=10m"
        fix = request.kubectl(wait, SHOW_HEALTH_REPORT)
        yield Problem("extension", message, fix=fix)


@rule(
    "C134",
    Severity.WARNING,
    title="Health report of the extension",
    requires="The health report of the extension must have no failed check.",
    source=EXTENSION_TROUBLESHOOTING,
)
def failed_health_checks(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Failed checks of the report that the extension keeps in the cluster."""
    for line in facts.contents.failed_checks if _ready_extension(facts) and facts.contents else ():
        message = f"A check in the extension's health report failed: {line}"
        yield Problem("extension", message, fix=request.kubectl(SHOW_HEALTH_REPORT))


@rule(
    "C127",
    Severity.WARNING,
    title="Pod identity",
    requires="The deprecated aad-pod-identity should not run in the cluster.",
    source=EXTENSION_TROUBLESHOOTING,
    why="It can take over the extension's identity; deployments then fail with RefreshExtensionIdentityNotSet.",
)
def pod_identity(request: AttachRequest, facts: AttachFacts) -> Problems:
    """Clusters with the API or the add-on of aad-pod-identity."""
    addon = (properties_of(facts.cluster).get("podIdentityProfile") or {}).get("enabled")
    if _ready_extension(facts) and facts.contents and (facts.contents.pod_identity or addon):
        message = (
            f"aad-pod-identity is installed in cluster '{request.cluster.name}'. It can take over the extension's "
            "identity; deployments then fail with RefreshExtensionIdentityNotSet."
        )
        listing = request.kubectl("get azureidentity,azureassignedidentity --all-namespaces")
        fix = f"Move to Microsoft Entra Workload ID. To list what uses pod identity:\n{listing}"
        yield Problem("cluster", message, fix=fix)
