"""Rules over settings alone that are about the parts around the router: relay, scheduler, labels, logs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from azext_amlk8s.rules import Finding
from azext_amlk8s.settings.model import BLANK, Settings
from azext_amlk8s.settings.rules import (
    S111,
    S112,
    S113,
    S114,
    S115,
    S116,
    S117,
    S118,
    S119,
    S121,
    S122,
    judges,
)

RELAY = "relayServerConnectionString"
RELAY_PARTS = ("relayserver.hybridConnectionResourceID", "relayserver.hybridConnectionName")
TOLERATION = re.compile(r"^workLoadToleration\[(\d+)\]\.(\w+)$")
LABEL = re.compile(
    r"^(?P<prefix>(?=.{1,253}/)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
    r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
)
BARE_DOT = re.compile(r"(?<!\\)\.")
SELECTOR = "nodeSelector."


@judges
def own_relay(settings: Settings) -> Iterator[Finding]:
    """Field guide cluster-extension 3b: a relay of one's own wants its hybrid connection named too."""
    value = settings.get(RELAY)
    if value and value != BLANK and "entitypath=" not in value.lower():
        message = f"{RELAY} does not say which hybrid connection it is for: EntityPath is missing."
        yield S112.finding(RELAY, message, fix=f"--config-protected '{RELAY}=...;EntityPath=NAME'")
    missing = [key for key in RELAY_PARTS if not settings.get(key)]
    if value and missing:
        message = f"{RELAY} is given without {' and '.join(missing)}."
        yield S111.finding(missing[0], message, fix="--config " + " ".join(f"{key}=VALUE" for key in missing))


@judges
def network_interface(settings: Settings) -> Iterator[Finding]:
    """Field guide cluster-extension 3b: set both."""
    name, switch = "amloperator.custom_ip_interface", "amloperator.custom_ip_interface_enabled"
    if settings.on(switch) and not settings.get(name):
        yield S113.finding(name, f"{switch}=True needs {name}.", fix=f"--config {name}=eth1")
    if settings.get(name) and not settings.on(switch):
        yield S113.finding(switch, f"{name} has an effect only with {switch}=True.", fix=f"--config {switch}=True")


@judges
def tolerations(settings: Settings) -> Iterator[Finding]:
    """Kubernetes' own rules of a toleration; the list's index must not leave a gap (Helm)."""
    parts: dict[int, dict[str, str]] = {}
    for key, value in settings.config.items():
        if found := TOLERATION.match(key):
            parts.setdefault(int(found.group(1)), {})[found.group(2)] = value
    for index in range(max(parts, default=-1) + 1):
        name = f"workLoadToleration[{index}]"
        if index not in parts:
            message = f"{name} is missing: tolerations are counted from 0 without a gap."
            yield S114.finding(name, message, fix=f"--config '{name}.key=TAINT'")
        elif wrong := _of_toleration(parts[index]):
            yield S114.finding(name, f"{name} {wrong[0]}.", fix=f"--config '{name}.{wrong[1]}'")


def _of_toleration(part: dict[str, str]) -> tuple[str, str] | None:
    exists = part.get("operator", "Equal") == "Exists"
    if "key" not in part and not exists:
        return "has no key, which only operator Exists does without", "key=TAINT"
    if exists and "value" in part:
        return "has operator Exists and a value; Exists takes none", "operator=Equal"
    if not exists and "value" not in part:
        return "has neither a value nor operator Exists", "operator=Exists"
    return None


@judges
def selector_labels(settings: Settings) -> Iterator[Finding]:
    """Field guide cluster-extension 3a: a dot in a label is escaped for Helm, which reads it as a level otherwise."""
    for key, value in settings.config.items():
        if not key.startswith(SELECTOR):
            continue
        label = key.removeprefix(SELECTOR)
        plain = label.replace("\\.", ".")
        if not LABEL.match(plain):
            message = f"{plain or 'nothing'} is not the key of a Kubernetes label."
            yield S115.finding(key, message, found=plain, fix=f"--config {SELECTOR}LABEL={value}")
        elif BARE_DOT.search(label):
            spelt = SELECTOR + plain.replace(".", "\\.")
            message = f"The dots of the label {plain} must be escaped, or Helm takes them for levels."
            yield S115.finding(key, message, required=spelt, found=key, fix=f"--config '{spelt}={value}'")


@judges
def scheduler(settings: Settings) -> Iterator[Finding]:
    """Field guide cluster-extension 3b."""
    key = "volcanoScheduler.schedulerConfigMap"
    if settings.get(key) and settings.get("installVolcano") == "False":
        message = f"{key} has no effect, because installVolcano=False."
        yield S116.finding(key, message, fix="--config installVolcano=True")


@judges
def purpose(settings: Settings) -> Iterator[Finding]:
    """Field guide cluster-extension 5 row 3: high availability and purpose are set together."""
    high, what = settings.get("inferenceRouterHA"), settings.get("clusterPurpose")
    if (high, what) in (("True", "DevTest"), ("False", "FastProd")):
        fits = "FastProd" if high == "True" else "DevTest"
        message = f"inferenceRouterHA={high} and clusterPurpose={what} do not go together."
        yield S117.finding("clusterPurpose", message, required=fits, found=what, fix=f"--config clusterPurpose={fits}")


@judges
def derived_otherwise(settings: Settings) -> Iterator[Finding]:
    """Field guide cluster-extension 2.1 steps 6 and 7: what the chart reads follows from what is documented."""
    service, provider = settings.get("inferenceRouterServiceType"), settings.get("internalLoadBalancerProvider")
    should = {
        "scoringFe.serviceType.nodePort": str(service == "nodePort") if service else "",
        "scoringFe.serviceType.internalLoadBalancer": str(provider == "azure") if service or provider else "",
        "scoringFe.sslSecret": settings.get("sslSecret"),
        "scoringFe.namespace": "default" if settings.on("isAKSMigration") else "",
    }
    for key, value in should.items():
        given = settings.get(key)
        if given and value and given != value and (given, value) != ("False", "False"):
            message = f"{key}={given} contradicts the settings that it is derived from, which make it {value}."
            yield S118.finding(key, message, required=value, found=given, fix=f"Leave {key} out.")


@judges
def own_logs(settings: Settings) -> Iterator[Finding]:
    """Field guide cluster-extension 2.1 step 11: a workspace of one's own is an id and a key."""
    one, other = "azure_log_analytics.customer_id", "azure_log_analytics.connection_string"
    for given, missing, option in ((one, other, "--config-protected"), (other, one, "--config")):
        if settings.get(given) and not settings.get(missing):
            yield S119.finding(missing, f"{given} is given without {missing}.", fix=f"{option} {missing}=VALUE")


@judges
def secret_beforehand(settings: Settings) -> Iterator[Finding]:
    """Field guide cluster-extension 3a: the secret is read while the extension is installed."""
    name = settings.get("sslSecret")
    if settings.on("enableInference") and name and not settings.on("allowInsecureConnections"):
        message = f"The secret {name} with cert.pem and key.pem must be in namespace azureml before the extension."
        create = f"kubectl create secret generic {name} -n azureml --from-file=cert.pem --from-file=key.pem"
        yield S121.finding("sslSecret", message, fix=f"kubectl create namespace azureml; {create}")


@judges
def own_prometheus(settings: Settings) -> Iterator[Finding]:
    """Field guide cluster-extension 3a: health code E45002 where nothing watches."""
    if settings.get("installPromOp") == "False":
        message = "The Prometheus operator of the cluster needs a ServiceMonitor for the extension's metrics."
        yield S122.finding("installPromOp", message, fix="--config installPromOp=True   # or add a ServiceMonitor")
