"""What stands in the cluster and is not the extension's, and would make its installation fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from azext_amlk8s.checks import installation
from azext_amlk8s.checks.facts import Facts, labels_of, name_of, namespace_of
from azext_amlk8s.checks.matrix import expected
from azext_amlk8s.checks.model import Check, When
from azext_amlk8s.computes.rules import C127
from azext_amlk8s.diagnosis.health_report import NAMESPACE
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule

TROUBLES = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-extension"
TOLD = load("checks")["conflicts"]

K311 = Rule("K311", Severity.ERROR, "The namespace azureml is not being removed.", TROUBLES)
K312 = Rule("K312", Severity.ERROR, "Volcano in the cluster is the extension's own, or is kept.", TROUBLES)
K313 = Rule("K313", Severity.ERROR, "No other Prometheus operator stands in the cluster, or it is kept.", TROUBLES)
K314 = Rule("K314", Severity.ERROR, "No router of a retired attachment was left behind.", TROUBLES)
K315 = Rule("K315", Severity.WARNING, "No other ingress-nginx takes the extension's ingress class.", TROUBLES)
K316 = Rule("K316", Severity.ERROR, "No Helm operation holds the release.", TROUBLES)
K319 = Rule("K319", Severity.WARNING, "No other kube-state-metrics counts what the extension's counts.", TROUBLES)
K318 = Rule("K318", Severity.ERROR, "A quota in the namespace azureml leaves room for the extension's pods.", TROUBLES)


def namespace_stays(facts: Facts) -> Iterator[Finding]:
    """Field guide cluster-extension 7b, and 5 row 23."""
    there = next((one for one in facts.namespaces if name_of(one) == NAMESPACE), None)
    if there and (there.get("status") or {}).get("phase") == "Terminating":
        message = f"The namespace {NAMESPACE} is being removed; nothing can be made in it."
        fix = f"kubectl wait --for=delete namespace/{NAMESPACE} --timeout=15m"
        yield K311.finding(NAMESPACE, message, required="Active or absent", found="Terminating", fix=fix)


def volcano(facts: Facts) -> Iterator[Finding]:
    """Field guide cluster-extension 5 row 6, 7b: Helm does not take over what it does not own."""
    settings = installation.settings_of(facts)
    wanted = settings.on("enableTraining") and settings.get("installVolcano", "True") == "True"
    if facts.volcano and wanted and not _of_helm(facts.volcano):
        message = f"Volcano is there already ({name_of(facts.volcano)}), and not of the extension."
        yield K312.finding("volcano", message, found=name_of(facts.volcano), fix="--config installVolcano=False")


def prometheus(facts: Facts) -> Iterator[Finding]:
    """Field guide cluster-extension 7c, E45002."""
    if installation.settings_of(facts).get("installPromOp", "True") != "True":
        return
    for one in facts.controllers:
        if namespace_of(one) != NAMESPACE and name_of(one).endswith(TOLD["prometheus"]):
            message = f"The Prometheus operator {name_of(one)} of namespace {namespace_of(one)} is there already."
            yield K313.finding(name_of(one), message, found=namespace_of(one), fix="--config installPromOp=False")


def legacy_router(facts: Facts) -> Iterator[Finding]:
    """Field guide cluster-extension 7c, E45004 and E45005; 5 row 7."""
    if not installation.settings_of(facts).on("enableInference"):
        return
    router = TOLD["router"]
    found = [f"deployment/{router}" for one in facts.controllers if _is(one, router, "default")]
    if facts.fe_role and not _of_helm(facts.fe_role):
        found.append(f"clusterrole/{router}")
    if found:
        message = f"{' and '.join(found)} of a retired attachment of AKS are left; the router cannot be installed."
        parts = "deployment/azureml-fe service/azureml-fe service/azureml-fe-int-http sa/azureml-fe secret/azuremlfessl"
        fix = (
            f"kubectl delete -n default {parts} cm/azuremlfeconfig --ignore-not-found; "
            "kubectl delete clusterrole,clusterrolebinding azureml-fe --ignore-not-found"
        )
        yield K314.finding(router, message, required="none", found=", ".join(found), fix=fix)


def ingress(facts: Facts) -> Iterator[Finding]:
    """Field guide cluster-extension 5 row 8: two controllers of one class fight for the admission webhook."""
    settings = installation.settings_of(facts)
    default = "True" if facts.place.is_aks else "False"
    if settings.get("nginxIngress.enabled", default) != "True" or settings.get("nginxIngress.controller"):
        return
    for one in facts.controllers:
        if namespace_of(one) != NAMESPACE and TOLD["ingress"] in name_of(one):
            message = f"Another ingress-nginx, {name_of(one)} of namespace {namespace_of(one)}, has the same class."
            fix = "--config nginxIngress.controller=k8s.io/amlarc-ingress-nginx"
            yield K315.finding(name_of(one), message, found=namespace_of(one), fix=fix)


def release(facts: Facts) -> Iterator[Finding]:
    """Field guide cluster-extension 7b: a name still in use, an earlier operation in progress."""
    for one in facts.releases:
        labels = labels_of(one)
        status, name = str(labels.get("status") or ""), str(labels.get("name") or "")
        if status in TOLD["helmBusy"]:
            message = f"The Helm release {name} is {status}; another operation is refused until that has ended."
            yield K316.finding(name, message, found=status, fix=f"helm history {name} -n {NAMESPACE}")
        elif status == "deployed" and facts.place.before and not facts.extensions:
            message = f"The Helm release {name} is deployed, and Azure knows of no extension."
            fix = f"helm list -n {NAMESPACE}   # then: helm uninstall {name} -n {NAMESPACE}"
            yield K316.finding(name, message, found=status, fix=fix)


def pod_identity(facts: Facts) -> Iterator[Finding]:
    """Field guide compute 7 row 4: RefreshExtensionIdentityNotSet."""
    for one in facts.controllers:
        if name_of(one) in TOLD["podIdentity"]:
            message = f"{one.get('kind')} {name_of(one)} answers for the node's identity; the extension may get none."
            fix = f"kubectl get azurepodidentityexceptions -A   # except the pods of namespace {NAMESPACE}"
            yield C127.finding(name_of(one), message, found=namespace_of(one), fix=fix)
            return


def state_metrics(facts: Facts) -> Iterator[Finding]:
    """Field guide cluster-extension 5 row 9: the extension brings its own, which no setting leaves out."""
    for one in facts.controllers:
        if namespace_of(one) != NAMESPACE and name_of(one).endswith(TOLD["stateMetrics"]):
            message = (
                f"{name_of(one)} of namespace {namespace_of(one)} is there already; the extension brings another, and "
                "dashboards that do not tell them apart count twice."
            )
            fix = f'Select by namespace in the dashboards: kube_pod_info{{namespace!="{NAMESPACE}"}}'
            yield K319.finding(name_of(one), message, found=namespace_of(one), fix=fix)
            return


def quota(facts: Facts) -> Iterator[Finding]:
    """A quota refuses pods before they exist, so no pod tells of it."""
    wanted = len(expected(installation.settings_of(facts), facts.place))
    for one in facts.quotas:
        hard = ((one.get("spec") or {}).get("hard") or {}).get("pods")
        if hard is not None and str(hard).isdigit() and int(hard) < wanted:
            message = (
                f"The quota {name_of(one)} of namespace {NAMESPACE} allows {hard} pods; at least {wanted} are made."
            )
            fix = f"kubectl edit resourcequota {name_of(one)} -n {NAMESPACE}"
            yield K318.finding(name_of(one), message, required=str(wanted), found=str(hard), fix=fix)


def _is(obj: Mapping[str, Any], name: str, namespace: str) -> bool:
    return name_of(obj) == name and namespace_of(obj) == namespace


def _of_helm(obj: Mapping[str, Any]) -> bool:
    return labels_of(obj).get("app.kubernetes.io/managed-by") == "Helm"


CHECKS = (
    Check(K311, "cluster", namespace_stays, ("namespaces",), when=When.BEFORE, retry=True),
    Check(K312, "cluster", volcano, ("volcano",), ("extensions",), When.BEFORE),
    Check(K313, "cluster", prometheus, ("controllers",), ("extensions",), When.BEFORE),
    Check(K314, "cluster", legacy_router, ("controllers", "fe_role"), ("extensions",), When.BEFORE),
    Check(K315, "cluster", ingress, ("controllers",), ("extensions",), When.BEFORE),
    Check(K316, "cluster", release, ("releases", "extensions"), when=When.BEFORE, retry=True),
    Check(K319, "cluster", state_metrics, ("controllers",), when=When.BEFORE),
    Check(C127, "cluster", pod_identity, ("controllers",)),
    Check(K318, "cluster", quota, ("quotas",), ("extensions",), When.BEFORE),
)
