"""What is in the cluster beside the extension and would make its installation fail."""

from __future__ import annotations

from azext_amlk8s.checks.facts import (
    BEFORE,
    CLUSTER_ROLES,
    CONTROLLERS,
    DEFINITIONS,
    EXTENSIONS,
    NAMESPACE,
    NAMESPACES,
    RELEASES,
    ROUTER_ROLE,
    VOLCANO,
    WEBHOOKS,
    Facts,
    Object,
    find_extension,
    labels_of,
    name_of,
    name_some,
    namespace_of,
)
from azext_amlk8s.checks.installation import settings_of
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import CheckSpec, Observation, Problem, Results, Severity, rule

TROUBLES = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-extension"
POD_IDENTITY = "https://learn.microsoft.com/azure/aks/use-azure-ad-pod-identity"
GPU_PAGE = "https://learn.microsoft.com/azure/aks/use-nvidia-gpu"
KNOWN = load("checks")["conflicts"]


@rule(
    "K311",
    Severity.ERROR,
    title="Namespace azureml",
    requires="The namespace azureml is absent or Active.",
    source=TROUBLES,
    why="Nothing can be created in a namespace that is being deleted.",
    check=CheckSpec("cluster", (NAMESPACES,), phase=BEFORE, retry=True),
)
def namespace_state(facts: Facts) -> Results:
    """A namespace stays Terminating as long as something in it has a finalizer."""
    namespace = next((existing for existing in facts[NAMESPACES] if name_of(existing) == NAMESPACE), None)
    phase = str(((namespace or {}).get("status") or {}).get("phase") or "")
    if phase == "Terminating":
        message = f"The namespace {NAMESPACE} is being deleted; nothing can be created in it."
        fix = f"kubectl wait --for=delete namespace/{NAMESPACE} --timeout=15m"
        yield Problem(NAMESPACE, message, "Active or absent", phase, fix)
    else:
        yield Observation("exists" if namespace else "not created yet")


@rule(
    "K312",
    Severity.ERROR,
    title="Existing Volcano",
    requires="Volcano is not installed by others, or installVolcano is False.",
    source=TROUBLES,
    why="Helm does not take over resources that it did not create.",
    check=CheckSpec("cluster", (VOLCANO,), (EXTENSIONS,), BEFORE),
)
def existing_volcano(facts: Facts) -> Results:
    """Volcano is for training alone."""
    settings = settings_of(facts)
    installs = settings.is_enabled("enableTraining") and settings.get("installVolcano", "True") == "True"
    crd = facts[VOLCANO]
    if crd and installs and not _is_managed_by_helm(crd):
        message = f"Volcano is already installed ({name_of(crd)}), and not by the extension."
        yield Problem("volcano", message, found=name_of(crd), fix="--config installVolcano=False")


@rule(
    "K313",
    Severity.ERROR,
    title="Existing Prometheus operator",
    requires="No other Prometheus operator is in the cluster, or installPromOp is False.",
    source=TROUBLES,
    why="The health check of the extension refuses a second operator (E45002).",
    check=CheckSpec("cluster", (CONTROLLERS,), (EXTENSIONS,), BEFORE),
)
def existing_prometheus(facts: Facts) -> Results:
    """Any Deployment of this name outside azureml."""
    if settings_of(facts).get("installPromOp", "True") != "True":
        yield Observation("installPromOp is False")
        return
    for controller in facts[CONTROLLERS]:
        if namespace_of(controller) != NAMESPACE and name_of(controller).endswith(KNOWN["prometheus"]):
            message = (
                f"The Prometheus operator {name_of(controller)} already exists in namespace {namespace_of(controller)}."
            )
            yield Problem(
                name_of(controller), message, found=namespace_of(controller), fix="--config installPromOp=False"
            )


@rule(
    "K314",
    Severity.ERROR,
    title="Leftovers of older versions",
    requires="No inference router of a retired AksCompute is left.",
    source=TROUBLES,
    why="The new router cannot be installed beside it (E45004, E45005).",
    check=CheckSpec("cluster", (CONTROLLERS, ROUTER_ROLE), (EXTENSIONS,), BEFORE),
)
def old_router(facts: Facts) -> Results:
    """The fix deletes what was found and nothing else."""
    if not settings_of(facts).is_enabled("enableInference"):
        yield Observation("inference is not enabled")
        return
    router, role = KNOWN["router"], facts[ROUTER_ROLE]
    found, fix = [], []
    if any(
        name_of(controller) == router and namespace_of(controller) == "default" for controller in facts[CONTROLLERS]
    ):
        found.append(f"deployment/{router}")
        fix.append(f"kubectl delete -n default deployment/{router}")
    if role and not _is_managed_by_helm(role):
        found.append(f"clusterrole/{router}")
        fix.append(f"kubectl delete clusterrole/{router}")
    if found:
        message = f"{' and '.join(found)} of a retired AksCompute exists; the router cannot be installed beside it."
        yield Problem(router, message, "none", ", ".join(found), "\n".join(fix))


@rule(
    "K315",
    Severity.WARNING,
    title="Existing ingress-nginx",
    requires="No other ingress-nginx serves the ingress class of the extension.",
    source=TROUBLES,
    why="Two controllers of one class compete for the same objects and admission webhook.",
    check=CheckSpec("cluster", (CONTROLLERS,), (EXTENSIONS,), BEFORE),
)
def existing_ingress(facts: Facts) -> Results:
    """The extension brings ingress-nginx on AKS by default."""
    settings = settings_of(facts)
    default = "True" if facts.cluster.is_aks else "False"
    if settings.get("nginxIngress.enabled", default) != "True" or settings.get("nginxIngress.controller"):
        yield Observation("the extension brings no ingress-nginx of the default class")
        return
    for controller in facts[CONTROLLERS]:
        if namespace_of(controller) != NAMESPACE and KNOWN["ingress"] in name_of(controller):
            name, namespace = name_of(controller), namespace_of(controller)
            message = f"ingress-nginx {name} in namespace {namespace} serves the same ingress class."
            fix = "--config nginxIngress.controller=k8s.io/amlarc-ingress-nginx"
            yield Problem(name, message, found=namespace, fix=fix)


@rule(
    "K316",
    Severity.ERROR,
    title="Helm releases",
    requires="No Helm operation is in progress and no release is left in namespace azureml.",
    source=TROUBLES,
    why="Helm refuses a name that is in use and a second operation.",
    check=CheckSpec("cluster", (RELEASES, EXTENSIONS), phase=BEFORE, retry=True),
)
def helm_releases(facts: Facts) -> Results:
    """Helm keeps its state in secrets, of which the labels are enough."""
    for release in facts[RELEASES]:
        status, name = (str(labels_of(release).get(key) or "") for key in ("status", "name"))
        if status in KNOWN["helmBusy"]:
            message = f"The Helm release {name} is {status}; other operations are refused until that has ended."
            yield Problem(name, message, found=status, fix=f"helm history {name} -n {NAMESPACE}")
        elif status == "deployed" and facts.target.before and not facts[EXTENSIONS]:
            message = f"The Helm release {name} is deployed, and Azure knows no extension."
            yield Problem(name, message, found=status, fix=f"helm uninstall {name} -n {NAMESPACE}")


@rule(
    "K319",
    Severity.WARNING,
    title="Existing kube-state-metrics",
    requires="Dashboards distinguish the extension's kube-state-metrics from others.",
    source=TROUBLES,
    why="Every object is counted twice.",
    check=CheckSpec("cluster", (CONTROLLERS,), phase=BEFORE),
)
def existing_state_metrics(facts: Facts) -> Results:
    """No setting leaves out the extension's own."""
    for controller in facts[CONTROLLERS]:
        if namespace_of(controller) != NAMESPACE and name_of(controller).endswith(KNOWN["stateMetrics"]):
            message = (
                f"{name_of(controller)} already exists in namespace {namespace_of(controller)}; "
                "the extension installs another, and dashboards that do not distinguish them count twice."
            )
            fix = f'Select by namespace in dashboards: kube_pod_info{{namespace!="{NAMESPACE}"}}'
            yield Problem(name_of(controller), message, found=namespace_of(controller), fix=fix)
            return


@rule(
    "K320",
    Severity.WARNING,
    title="Pod identity",
    requires="AAD Pod Identity does not intercept the tokens of the extension.",
    source=POD_IDENTITY,
    why="The extension may get no token: RefreshExtensionIdentityNotSet.",
    check=CheckSpec("cluster", (CONTROLLERS,), relays=("C127",)),
)
def pod_identity(facts: Facts) -> Results:
    """AAD Pod Identity is retired; its DaemonSet answers requests for tokens of every pod."""
    for controller in facts[CONTROLLERS]:
        if name_of(controller) in KNOWN["podIdentity"]:
            subject = f"{controller.get('kind')} {name_of(controller)}"
            message = f"{subject} intercepts requests for tokens; the extension may get none."
            fix = (
                "kubectl get azurepodidentityexceptions -A\n"
                f"Add an exception for the pods of namespace {NAMESPACE}, or remove AAD Pod Identity."
            )
            yield Problem(name_of(controller), message, found=namespace_of(controller), fix=fix)
            return


@rule(
    "K317",
    Severity.WARNING,
    title="Leftovers of earlier installations",
    requires="No objects of an earlier installation are left when the extension is not installed.",
    source=TROUBLES,
    why="Helm refuses objects that belong to another release: invalid ownership metadata.",
    check=CheckSpec("cluster", (EXTENSIONS, DEFINITIONS, CLUSTER_ROLES, WEBHOOKS), phase=BEFORE),
)
def earlier_installation(facts: Facts) -> Results:
    """Objects outside namespaces that Helm created for a release in azureml, and the definitions of the extension."""
    if find_extension(facts[EXTENSIONS]) is not None:
        yield Observation("the extension is installed")
        return
    objects = [
        *(("customresourcedefinition", definition) for definition in facts[DEFINITIONS]),
        *(("clusterrole", role) for role in facts[CLUSTER_ROLES]),
        *((str(webhook.get("kind")).lower(), webhook) for webhook in facts[WEBHOOKS]),
    ]
    found = [f"{kind}/{name_of(obj)}" for kind, obj in objects if _is_of_extension(obj)]
    if found:
        verb = "is" if len(found) == 1 else "are"
        message = f"{name_some(found, 3)} of an earlier installation {verb} left in the cluster."
        kept = [name for name in found if name.startswith("customresourcedefinition/")]
        other = [name for name in found if name not in kept]
        fix = [f"kubectl delete {' '.join(other)}"] if other else []
        if kept:
            fix += [f"kubectl get {' '.join(kept)}", "Delete these definitions only if their objects are not needed."]
        yield Problem(found[0], message, "none", ", ".join(found), "\n".join(fix), tuple(found[1:]))


@rule(
    "K328",
    Severity.WARNING,
    title="NVIDIA device plugin",
    requires="One NVIDIA device plugin runs in the cluster.",
    source=GPU_PAGE,
    why="Two plugins register the same GPUs; pods then fail with UnexpectedAdmissionError.",
    check=CheckSpec("cluster", (CONTROLLERS,), (EXTENSIONS,)),
)
def second_device_plugin(facts: Facts) -> Results:
    """For example that of the GPU Operator, beside installNvidiaDevicePlugin."""
    if settings_of(facts).get("installNvidiaDevicePlugin", "False") != "True":
        yield Observation("installNvidiaDevicePlugin is not set")
        return
    for controller in facts[CONTROLLERS]:
        if namespace_of(controller) != NAMESPACE and KNOWN["devicePlugin"] in name_of(controller):
            message = (
                f"The NVIDIA device plugin {name_of(controller)} already runs in namespace {namespace_of(controller)}."
            )
            fix = "--config installNvidiaDevicePlugin=False"
            yield Problem(name_of(controller), message, "one device plugin", namespace_of(controller), fix)
            return


def _is_of_extension(obj: Object) -> bool:
    """Whether Helm created an object for a release in azureml, or it is a definition of the extension."""
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    return annotations.get("meta.helm.sh/release-namespace") == NAMESPACE or name_of(obj).endswith(
        ".amlarc.azureml.com"
    )


def _is_managed_by_helm(obj: Object) -> bool:
    return labels_of(obj).get("app.kubernetes.io/managed-by") == "Helm"
