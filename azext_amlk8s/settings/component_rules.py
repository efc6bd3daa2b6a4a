"""Rules over settings alone, for other components than the router: relay, scheduler, labels, logs, metrics."""

from __future__ import annotations

import re
from collections.abc import Mapping

from azext_amlk8s.rules import Problem, Problems, Severity, rule
from azext_amlk8s.settings.model import BLANK, Settings
from azext_amlk8s.settings.reading_rules import DEPLOY, assignment
from azext_amlk8s.settings.setting_rules import HTTPS, TROUBLESHOOT, UNREAD
from azext_amlk8s.shell import quote

RELAY_DOCS = "https://learn.microsoft.com/azure/azure-relay/relay-hybrid-connections-protocol"
AML = "https://github.com/Azure/AML-Kubernetes"
TAINTS = "https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/"
LABELS = "https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/"
RELAY = "relayServerConnectionString"
RELAY_PARTS = ("relayserver.hybridConnectionResourceID", "relayserver.hybridConnectionName")
TOLERATION = re.compile(r"^workLoadToleration\[(\d+)\]\.(\w+)$")
LABEL = re.compile(
    r"^(?P<prefix>(?=.{1,253}/)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
)
BARE_DOT = re.compile(r"(?<!\\)\.")
SELECTOR = "nodeSelector."
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


@rule(
    "S111",
    WARNING,
    title="Custom relay settings",
    requires="A custom relay is given with the resource ID and the name of its hybrid connection.",
    source=AML,
    why="The extension would create or look for another hybrid connection.",
    follows=UNREAD,
)
def custom_relay_settings(settings: Settings) -> Problems:
    """A connection string without the settings that name its hybrid connection."""
    missing = [key for key in RELAY_PARTS if not settings.get(key)]
    if settings.get(RELAY) and missing:
        message = f"{RELAY}: a custom relay also needs {' and '.join(missing)}."
        fix = f"Add {' and '.join(missing)} to --config."
        yield Problem(missing[0], message, fix=fix, related=(RELAY, *missing[1:]))


@rule(
    "S112",
    ERROR,
    title="Hybrid connection of a custom relay",
    requires="The connection string of a custom relay names its hybrid connection in EntityPath.",
    source=RELAY_DOCS,
    why="The relay server cannot listen without it.",
    follows=(*UNREAD, "S100"),
)
def relay_entity_path(settings: Settings) -> Problems:
    """A connection string without EntityPath."""
    value = settings.get(RELAY)
    if value and value != BLANK and "entitypath=" not in value.lower():
        message = f"{RELAY}: EntityPath is missing, which names the hybrid connection."
        name = settings.get(RELAY_PARTS[1])
        fix = f"Append {quote(f';EntityPath={name}')} to the connection string." if name else ""
        yield Problem(RELAY, message, fix=fix or "Copy the connection string of the hybrid connection itself.")


@rule(
    "S113",
    ERROR,
    title="Network interface for MPI",
    requires="A custom network interface is enabled and named together.",
    source=AML,
    why="One setting without the other has no effect.",
    follows=UNREAD,
)
def network_interface(settings: Settings) -> Problems:
    """The switch without the name, or the name without the switch."""
    name, switch = "amloperator.custom_ip_interface", "amloperator.custom_ip_interface_enabled"
    if settings.is_enabled(switch) and not settings.get(name):
        message = f"{name}: required with {switch}=True; expected the name of a network interface, such as eth1."
        yield Problem(name, message, fix=f"Add {name} to --config.")
    if settings.get(name) and not settings.is_enabled(switch):
        message = f"{name}: no effect without {switch}=True."
        yield Problem(switch, message, fix=f"--config {switch}=True")


@rule(
    "S114",
    ERROR,
    title="Tolerations of workloads",
    requires="A toleration is complete, and tolerations are numbered from 0 without a gap.",
    source=TAINTS,
    why="Helm rejects a list with a gap, and Kubernetes an incomplete toleration.",
    follows=UNREAD,
)
def workload_tolerations(settings: Settings) -> Problems:
    """Tolerations that Kubernetes or Helm would reject."""
    tolerations: dict[int, dict[str, str]] = {}
    for key, value in settings.config.items():
        if value and (match := TOLERATION.match(key)):
            tolerations.setdefault(int(match.group(1)), {})[match.group(2)] = value
    missing = next((index for index in range(max(tolerations, default=-1)) if index not in tolerations), None)
    if missing is not None:
        name = f"workLoadToleration[{missing}]"
        message = f"{name}: missing; tolerations are numbered from 0 without a gap."
        fix = f"Number the tolerations 0 to {len(tolerations) - 1}."
        yield Problem(name, message, fix=fix)
    for index, parts in sorted(tolerations.items()):
        if problem := _incomplete_toleration(parts):
            name = f"workLoadToleration[{index}]"
            related = tuple(f"{name}.{part}" for part in ("key", "operator", "value", "effect"))
            fix = assignment("--config", f"{name}.operator", "Exists") if problem[1] else f"Leave out {name}.value."
            yield Problem(name, f"{name}: {problem[0]}.", fix=fix, related=related)


def _incomplete_toleration(parts: Mapping[str, str]) -> tuple[str, bool] | None:
    """A clause about what is wrong, and whether operator Exists resolves it."""
    exists = parts.get("operator", "Equal") == "Exists"
    if "key" not in parts and not exists:
        return "no key; expected a key, or operator Exists", True
    if exists and "value" in parts:
        return f"value '{parts['value']}' with operator Exists, which takes no value", False
    if not exists and "value" not in parts:
        return f"no value for key '{parts['key']}'; expected a value, or operator Exists", True
    return None


@rule(
    "S115",
    ERROR,
    title="Labels of nodeSelector",
    requires="The key of a label is valid, and its dots are escaped.",
    source=LABELS,
    why="Helm reads a dot that is not escaped as a level of nesting, and no node has such a label.",
)
def node_selector_labels(settings: Settings) -> Problems:
    """Labels that Kubernetes or Helm would reject."""
    for key, value in settings.config.items():
        if not key.startswith(SELECTOR):
            continue
        label = key.removeprefix(SELECTOR)
        plain = label.replace("\\.", ".")
        escaped = SELECTOR + plain.replace(".", "\\.")
        if not LABEL.match(plain):
            expected = "letters, digits, '-', '_' and '.' after an optional prefix/"
            message = f"{key}: invalid label '{plain}'; expected {expected}."
            yield Problem(key, message, expected=expected, found=plain, fix="Correct the label of nodeSelector.")
        elif BARE_DOT.search(label):
            message = f"{key}: the dots of the label '{plain}' must be escaped with a backslash."
            fix = f"--config {quote(f'{escaped}={value}')}"
            yield Problem(key, message, expected=escaped, found=key, fix=fix)


@rule(
    "S116",
    WARNING,
    title="Configuration of Volcano",
    requires="A config map for Volcano goes with installVolcano=True.",
    source=TROUBLESHOOT,
    why="A Volcano that is not installed by the extension does not read it.",
)
def volcano_config_map(settings: Settings) -> Problems:
    """A config map without Volcano."""
    key = "volcanoScheduler.schedulerConfigMap"
    if settings.get(key) and settings.get("installVolcano") == "False":
        yield Problem(key, f"{key}: no effect with installVolcano=False.", fix="--config installVolcano=True")


@rule(
    "S117",
    WARNING,
    title="Cluster purpose and router availability",
    requires="inferenceRouterHA=True goes with FastProd, inferenceRouterHA=False with DevTest.",
    source=AML,
    why="The number of routers follows from both, and they contradict each other.",
)
def cluster_purpose(settings: Settings) -> Problems:
    """Settings that contradict each other."""
    high_availability, purpose = settings.get("inferenceRouterHA"), settings.get("clusterPurpose")
    if (high_availability, purpose) in (("True", "DevTest"), ("False", "FastProd")):
        expected = "FastProd" if high_availability == "True" else "DevTest"
        message = (
            f"clusterPurpose: '{purpose}' contradicts inferenceRouterHA={high_availability}; expected '{expected}'."
        )
        fix = f"--config clusterPurpose={expected}"
        yield Problem("clusterPurpose", message, expected=expected, found=purpose, fix=fix)


@rule(
    "S118",
    ERROR,
    title="Derived settings",
    requires="A setting that follows from others agrees with them.",
    source=DEPLOY,
    why="The chart would read one value and the service another.",
)
def derived_settings(settings: Settings) -> Problems:
    """Settings of the chart that contradict the documented settings from which they are derived."""
    service, provider = settings.get("inferenceRouterServiceType"), settings.get("internalLoadBalancerProvider")
    derived = {
        "scoringFe.serviceType.nodePort": str(service == "nodePort") if service else "",
        "scoringFe.serviceType.internalLoadBalancer": str(provider == "azure") if service or provider else "",
        "scoringFe.sslSecret": settings.get("sslSecret"),
        "scoringFe.namespace": "default" if settings.is_enabled("isAKSMigration") else "",
    }
    for key, expected in derived.items():
        given = settings.get(key)
        if given and expected and given != expected:
            message = f"{key}: '{given}' contradicts the settings from which it is derived; expected '{expected}'."
            yield Problem(key, message, expected=expected, found=given, fix=f"Leave out {key}.")


@rule(
    "S119",
    ERROR,
    title="Custom Log Analytics workspace",
    requires="A custom Log Analytics workspace is given with its ID and its key.",
    source=DEPLOY,
    why="Logs cannot be sent with one of them.",
    follows=UNREAD,
)
def custom_log_workspace(settings: Settings) -> Problems:
    """One of the two settings without the other."""
    workspace, key = "azure_log_analytics.customer_id", "azure_log_analytics.connection_string"
    for given, missing, option in ((workspace, key, "--config-protected"), (key, workspace, "--config")):
        if settings.get(given) and not settings.get(missing):
            yield Problem(missing, f"{missing}: required with {given}.", fix=f"Add {missing} to {option}.")


@rule(
    "S121",
    INFO,
    title="Secret with the certificate",
    requires="The secret named by sslSecret exists in namespace azureml before the installation.",
    source=HTTPS,
    why="It is read while the extension is installed.",
)
def certificate_secret(settings: Settings) -> Problems:
    """HTTPS from a secret."""
    name = settings.get("sslSecret")
    if settings.is_enabled("enableInference") and name and not settings.is_enabled("allowInsecureConnections"):
        message = f"sslSecret: secret '{name}' with cert.pem and key.pem must exist in namespace azureml beforehand."
        create = f"kubectl create secret generic {quote(name)} -n azureml --from-file=cert.pem --from-file=key.pem"
        yield Problem("sslSecret", message, fix=f"kubectl create namespace azureml\n{create}")


@rule(
    "S122",
    INFO,
    title="Existing Prometheus operator",
    requires="An existing Prometheus operator has a ServiceMonitor for the extension's metrics.",
    source=TROUBLESHOOT,
    why="The metrics are collected by nobody otherwise.",
)
def existing_prometheus(settings: Settings) -> Problems:
    """installPromOp=False."""
    if settings.get("installPromOp") == "False":
        message = "installPromOp: False, so the cluster's Prometheus operator needs a ServiceMonitor for the extension."
        yield Problem("installPromOp", message, fix="Add a ServiceMonitor, or set installPromOp=True.")
